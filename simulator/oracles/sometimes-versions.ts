import { TRACE } from "../../engine/ports/tracer.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { OracleContext } from "./oracle.ts";
import { isUnclaimed } from "./unclaimed-snapshots.ts";

const STOPPED = "stop-with-savepoint";
const SAVEPOINT_RESCALED = "a resume from a savepoint with another parallelism";
const RESUMED = "a resume from a retained checkpoint";
const RESCALED = "a resume from a retained checkpoint with another parallelism";
const AGAIN = "a retained checkpoint restored once more";
const CLAIMED_GONE = "a claimed checkpoint deleted when subsumed";
const LEFT = "a checkpoint of nobody's left in place";

/** Paths of jobs in several versions. */
export const VERSION_PATHS: readonly string[] = [STOPPED, SAVEPOINT_RESCALED, RESUMED, RESCALED, AGAIN, CLAIMED_GONE, LEFT];

/**
 * Counts the declared paths of jobs in several versions:
 *
 * - "stop-with-savepoint", "a resume from a retained checkpoint": the job goes on as its next version; "… with another
 *   parallelism": and all of it runs again, with more or fewer subtasks;
 * - "a retained checkpoint restored once more": the new version fails before it completed a checkpoint of its own;
 * - "a claimed checkpoint deleted when subsumed": the new version removes the one that it was started from;
 * - "a checkpoint of nobody's left in place": the new version removes one of its own, while the one that it was
 *   started from, which is older, stays.
 */
export class VersionPaths implements RecordListener {
  readonly #context: OracleContext;
  #deployed = 0;

  constructor(context: OracleContext) {
    this.#context = context;
  }

  watch(): void {
    const { world, sometimes } = this.#context;
    const { kernel } = world;
    CheckpointRecords.of(world).listen(this);
    kernel.on(PORT_TRACE.versionStarted, () => sometimes(this.#isFromCheckpoint ? RESUMED : STOPPED));
    kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, checkpointId) => {
      if (!this.#isFromCheckpoint || world.startedFrom?.snapshot.checkpointId !== checkpointId) return;
      this.#deployed += 1;
      if (this.#deployed > 1) sometimes(AGAIN);
    });
    kernel.on(TRACE.jobRunning, () => {
      const { scenario, options } = world.options;
      const { parallelism } = scenario.upgrade?.after(options) ?? options;
      if (world.upgrades === 0 || parallelism === options.parallelism) return;
      sometimes(this.#isFromCheckpoint ? RESCALED : SAVEPOINT_RESCALED);
    });
  }

  recordRemoved(record: CheckpointRecord): void {
    const { world, sometimes } = this.#context;
    if (world.startedFrom === null || !this.#isFromCheckpoint) return;
    const { snapshot } = world.startedFrom;
    if (record.checkpointId === snapshot.checkpointId) sometimes(CLAIMED_GONE);
    const started = CheckpointRecords.of(world).byId(snapshot.checkpointId);
    if (record.checkpointId > snapshot.checkpointId && started?.retained === true && isUnclaimed(world, started)) sometimes(LEFT);
  }

  get #isFromCheckpoint(): boolean {
    return this.#context.world.startedFrom?.snapshot.kind === "checkpoint";
  }
}
