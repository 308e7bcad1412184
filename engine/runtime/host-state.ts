import { SharedFileCache } from "../checkpoint/shared-file-cache.ts";
import { TaskSharedFiles } from "../checkpoint/task-shared-files.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { RestoreStrategyName } from "../graph/job-modes.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

/** What a worker keeps on its host of the checkpoints of its subtasks, by the job's restore strategy. */
export class HostState {
  readonly #ports: ProcessPorts;
  readonly #storagePrefix: string;
  readonly #sharedFiles: SharedFileCache;

  constructor(ports: ProcessPorts, workingDirectory: string, storagePrefix: string) {
    this.#ports = ports;
    this.#storagePrefix = storagePrefix;
    this.#sharedFiles = new SharedFileCache(ports.disk, `${workingDirectory}/shared`);
  }

  /** For one attempt of one subtask; null where its checkpoints share no files. */
  sharedFilesOf(restore: RestoreStrategyName, { attempt, vertex, subtask }: ExecutionId, subject: number): TaskSharedFiles | null {
    if (restore !== "incremental") return null;
    this.#sharedFiles.beginAttempt(attempt);
    return new TaskSharedFiles({
      ports: this.#ports,
      cache: this.#sharedFiles,
      subject,
      subtask: `${vertex}:${subtask}`,
      storagePrefix: this.#storagePrefix,
    });
  }
}
