import type { CheckpointId, TimeUs } from "../../engine/base/units.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import { RESTORE_OF_COMBINATION } from "../explore/matrix.ts";
import type { SimProcess } from "../world/kernel.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { OracleContext } from "./oracle.ts";

/** A task that runs, as its trace points say. */
interface RunningTask {
  readonly process: SimProcess;
  readonly attempt: number;
}

/** What a task read while it was restored. */
interface Reads {
  remoteBytes: number;
  localBytes: number;
}

/**
 * Counts the restores of tasks that show what the run's combination promises: from a completed checkpoint that is
 * not the first, while input was still to arrive, and
 *
 * - "full": with bytes from remote storage; "local": with bytes from a copy on the host; "incremental": from a
 *   checkpoint that shares files with others;
 * - where the parallelism changes: in an attempt after the change, from a checkpoint of before;
 * - where regions fail over alone: while a task of an older attempt, which is in another region, goes on.
 *
 * Seen from trace points and the records of completed checkpoints. Once for each attempt.
 */
export class CombinationPath {
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  readonly #lastArrivalUs: TimeUs;
  /** By subject of the task. */
  readonly #running: Map<number, RunningTask> = new Map();
  readonly #reads: Map<number, Reads> = new Map();
  readonly #counted: Set<number> = new Set();
  #firstCompleted: CheckpointId | null = null;
  /** Completed before the parallelism changed; null while it has not. */
  #latestBeforeRescale: CheckpointId | null = null;
  #latestCompleted: CheckpointId = -1;

  constructor(context: OracleContext) {
    this.#context = context;
    this.#records = CheckpointRecords.of(context.world);
    let lastUs = 0;
    for (const { partitions } of context.inputs) {
      for (const records of partitions) lastUs = Math.max(lastUs, records.at(-1)?.arrivesAtUs ?? 0);
    }
    this.#lastArrivalUs = lastUs;
  }

  watch(): void {
    if (!this.#context.scenario.sometimes.includes(RESTORE_OF_COMBINATION)) return;
    const { kernel } = this.#context.world;
    kernel.on(TRACE.checkpointCompleted, (_process, _subject, checkpointId) => {
      this.#firstCompleted ??= checkpointId;
      this.#latestCompleted = checkpointId;
    });
    kernel.on(TRACE.jobRescaled, () => {
      this.#latestBeforeRescale ??= this.#latestCompleted;
    });
    kernel.on(TRACE.taskRunning, (process, subject, attempt) => {
      if (process !== null) this.#running.set(subject, { process, attempt });
    });
    for (const kind of [TRACE.taskFinished, TRACE.taskFailed, TRACE.taskCancelled]) {
      kernel.on(kind, (_process, subject, attempt) => {
        if (this.#running.get(subject)?.attempt === attempt) this.#running.delete(subject);
      });
    }
    kernel.on(TRACE.restoreReadRemote, (_process, subject, bytes) => {
      this.#reads.set(subject, { remoteBytes: bytes, localBytes: 0 });
    });
    kernel.on(TRACE.restoreReadLocal, (_process, subject, bytes) => {
      const reads = this.#reads.get(subject);
      if (reads !== undefined) reads.localBytes = bytes;
    });
    kernel.on(TRACE.taskRestored, (_process, subject, attempt, checkpointId) => this.#restored(subject, attempt, checkpointId));
  }

  #restored(subject: number, attempt: number, checkpointId: CheckpointId): void {
    if (checkpointId < 0 || this.#counted.has(attempt)) return;
    const { world, sometimes } = this.#context;
    if (this.#firstCompleted === null || checkpointId <= this.#firstCompleted || world.nowUs >= this.#lastArrivalUs) return;
    if (!this.#isOfStrategy(subject, checkpointId) || !this.#isOfParallelism(checkpointId) || !this.#isOfScope(attempt)) return;
    this.#counted.add(attempt);
    sometimes(RESTORE_OF_COMBINATION);
  }

  #isOfStrategy(subject: number, checkpointId: CheckpointId): boolean {
    const { restore } = this.#context.world.options.options;
    const { remoteBytes = 0, localBytes = 0 } = this.#reads.get(subject) ?? {};
    if (restore === "local") return localBytes > 0;
    if (restore === "full") return remoteBytes > 0;
    const vertices = this.#records.byId(checkpointId)?.metadata?.vertices ?? [];
    const shares = vertices.some(({ subtasks }) => subtasks.some((state) => state !== null && state.shared.length > 0));
    return shares && remoteBytes + localBytes > 0;
  }

  #isOfParallelism(checkpointId: CheckpointId): boolean {
    const { parallelism, parallelismAfter } = this.#context.world.options.options;
    if (parallelism === parallelismAfter) return true;
    return this.#latestBeforeRescale !== null && checkpointId <= this.#latestBeforeRescale;
  }

  #isOfScope(attempt: number): boolean {
    if (this.#context.world.options.options.failover === "job") return true;
    for (const task of this.#running.values()) if (task.attempt < attempt && task.process.alive) return true;
    return false;
  }
}
