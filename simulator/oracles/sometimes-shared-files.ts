import { LOCAL_COPY_FAULTS } from "../../engine/checkpoint/task-local-state.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { OracleContext } from "./oracle.ts";

const SHARED = "a file shared by two retained checkpoints";
const DELETED = "a shared file deleted at last";
const NAMED_AGAIN = "a file named again by a later checkpoint";
const LATE = "a late acknowledgement registered";
const REUSED = "a local file reused by a restore";
const REPLACED = "a damaged local file replaced from remote";

/** Paths of checkpoints that share files. */
export const SHARED_FILE_PATHS: readonly string[] = [SHARED, DELETED, NAMED_AGAIN, LATE, REUSED, REPLACED];

/**
 * Counts the declared paths of shared files:
 *
 * - "a file shared by two retained checkpoints": a record is written that names a file which a retained one names;
 * - "a shared file deleted at last": a leader lets go of one that no checkpoint needs any more;
 * - "a file named again by a later checkpoint": a snapshot has a placeholder;
 * - "a late acknowledgement registered": files become the leader's of a checkpoint that is over;
 * - "a local file reused by a restore": it was read from the host's disk, intact;
 * - "a damaged local file replaced from remote": it was not what the checkpoint names, or could not be read, and the
 *   task was restored.
 */
export class SharedFilePaths implements RecordListener {
  readonly #context: OracleContext;
  readonly #retained: Set<CheckpointRecord> = new Set();
  /** By subject of a task that restores: whether it found a damaged file. */
  readonly #damaged: Set<number> = new Set();

  constructor(context: OracleContext) {
    this.#context = context;
  }

  watch(): void {
    const { world, sometimes } = this.#context;
    if (world.options.options.restore !== "incremental") return;
    CheckpointRecords.of(world).listen(this);
    const { kernel } = world;
    kernel.on(TRACE.sharedFileDiscarded, () => sometimes(DELETED));
    kernel.on(TRACE.sharedFileReused, () => sometimes(NAMED_AGAIN));
    kernel.on(TRACE.lateSharedStateRegistered, () => sometimes(LATE));
    kernel.on(TRACE.taskRestoreStarted, (_process, subject) => void this.#damaged.delete(subject));
    kernel.on(TRACE.cachedFileRead, (_process, subject, _checkpoint, y) => {
      if (y >= 0) sometimes(REUSED);
      else if (y !== LOCAL_COPY_FAULTS.missing) this.#damaged.add(subject);
    });
    kernel.on(TRACE.taskRestored, (_process, subject) => {
      if (this.#damaged.delete(subject)) sometimes(REPLACED);
    });
  }

  recordWritten(record: CheckpointRecord): void {
    const keys = [...record.files.keys()];
    for (const { files } of this.#retained) {
      if (!keys.some((key) => files.has(key))) continue;
      this.#context.sometimes(SHARED);
      break;
    }
    this.#retained.add(record);
  }

  recordRemoved(record: CheckpointRecord): void {
    this.#retained.delete(record);
  }
}
