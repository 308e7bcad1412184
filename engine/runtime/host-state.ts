import type { CheckpointId } from "../base/units.ts";
import type { LocalCopy } from "../checkpoint/local-copies.ts";
import { LocalCopies } from "../checkpoint/local-copies.ts";
import { SharedFileCache } from "../checkpoint/shared-file-cache.ts";
import { TaskLocalState } from "../checkpoint/task-local-state.ts";
import { TaskSharedFiles } from "../checkpoint/task-shared-files.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { RestoreStrategyName } from "../graph/job-modes.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

/** What a worker keeps on its host of the checkpoints of its subtasks, by the job's restore strategy. */
export class HostState {
  readonly #ports: ProcessPorts;
  readonly #storagePrefix: string;
  readonly #sharedFiles: SharedFileCache;
  readonly #localCopies: LocalCopies;

  constructor(ports: ProcessPorts, workingDirectory: string, storagePrefix: string) {
    this.#ports = ports;
    this.#storagePrefix = storagePrefix;
    this.#sharedFiles = new SharedFileCache(ports.disk, `${workingDirectory}/shared`);
    this.#localCopies = new LocalCopies(ports.disk, `${workingDirectory}/local`);
  }

  /** For one attempt of one subtask; null where its checkpoints share no files. */
  sharedFilesOf(restore: RestoreStrategyName, { vertex, subtask }: ExecutionId, subject: number): TaskSharedFiles | null {
    if (restore !== "incremental") return null;
    const name = `${vertex}:${subtask}`;
    this.#sharedFiles.beginAttempt(name);
    return new TaskSharedFiles({
      ports: this.#ports,
      cache: this.#sharedFiles,
      subject,
      subtask: name,
      storagePrefix: this.#storagePrefix,
    });
  }

  /**
   * For one attempt of one subtask that starts from this checkpoint, or from nothing; null where no copies are kept.
   * Slot i of an attempt, on whatever worker it lies, is the allocation of subtask i of every vertex.
   */
  localStateOf(
    restore: RestoreStrategyName,
    { vertex, subtask }: ExecutionId,
    restored: CheckpointId | null,
    subject: number,
  ): TaskLocalState | null {
    if (restore !== "local") return null;
    const owner = { allocation: subtask, vertex, subtask };
    const localState = new TaskLocalState(this.#ports, this.#localCopies, owner, subject);
    localState.restoring(restored);
    return localState;
  }

  /** Allocations of which there are local copies. */
  allocations(): readonly number[] {
    return this.#localCopies.allocations();
  }

  /** Frees all others. */
  keepAllocations(allocations: readonly number[]): void {
    this.#localCopies.keepAllocations(allocations);
  }

  /** For inspection: the local copies, as far as this process knows. */
  localCopies(): readonly LocalCopy[] {
    return this.#localCopies.inspect();
  }
}
