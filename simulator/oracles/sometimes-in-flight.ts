import { TRACE } from "../../engine/ports/tracer.ts";
import type { CheckpointRecord } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { OracleContext } from "./oracle.ts";
import type { TaskAttempts } from "./task-attempts.ts";

const AT_INPUTS = "a checkpoint with in-flight data in inputs";
const AT_OUTPUTS = "a checkpoint with in-flight data in outputs";
const TIMED_OUT = "an alignment that timed out";
const RESTORED = "a restore of in-flight data";
const RESCALED = "a restore of in-flight data at another parallelism";

/** Of jobs in which barriers may overtake data. */
export const OVERTAKING_PATHS: readonly string[] = [AT_INPUTS, AT_OUTPUTS, RESTORED];
export const IN_FLIGHT_PATHS: readonly string[] = [...OVERTAKING_PATHS, TIMED_OUT, RESCALED];

/**
 * Counts the declared paths of in-flight data:
 *
 * - "a checkpoint with in-flight data in inputs", "… in outputs": one that completed, by what its subtasks
 *   acknowledged;
 * - "an alignment that timed out": a task went on unaligned, or a barrier at an output did;
 * - "a restore of in-flight data": a task got some back and began to run; "… at another parallelism": from a
 *   checkpoint of which some operator had another parallelism.
 */
export class InFlightPaths {
  readonly #context: OracleContext;
  readonly #tasks: TaskAttempts;
  /** By number of the task attempt: it got in-flight data back. */
  readonly #gotBack: (true | undefined)[] = [];

  constructor(context: OracleContext, tasks: TaskAttempts) {
    this.#context = context;
    this.#tasks = tasks;
  }

  watch(): void {
    const { world, sometimes } = this.#context;
    const { kernel } = world;
    const records = CheckpointRecords.of(world);
    records.listen({ recordWritten: (record) => this.#completed(record) });
    kernel.on(TRACE.alignmentTimedOut, () => sometimes(TIMED_OUT));
    kernel.on(TRACE.outputsTimedOut, () => sometimes(TIMED_OUT));
    kernel.on(TRACE.inFlightRestored, (process, subject) => {
      const task = this.#tasks.find(process, subject);
      if (task !== null) this.#gotBack[task.number] = true;
    });
    kernel.on(TRACE.taskRunning, (process, subject) => {
      const task = this.#tasks.find(process, subject);
      if (task === null || this.#gotBack[task.number] !== true) return;
      sometimes(RESTORED);
      const record = records.byId(task.restoredFrom);
      if (record !== null && this.#isRescaled(record, task.attempt)) sometimes(RESCALED);
    });
  }

  #completed({ metadata }: CheckpointRecord): void {
    const states = (metadata?.vertices ?? []).flatMap(({ subtasks }) => subtasks);
    if (states.some((state) => (state?.inFlight?.inputs.length ?? 0) > 0)) this.#context.sometimes(AT_INPUTS);
    if (states.some((state) => (state?.inFlight?.outputs.length ?? 0) > 0)) this.#context.sometimes(AT_OUTPUTS);
  }

  #isRescaled({ metadata }: CheckpointRecord, attempt: number): boolean {
    return this.#tasks.graphOf(attempt).vertices.some(({ chain, parallelism }) => {
      const old = metadata?.vertices.find(({ uids }) => uids.includes(chain[0]?.uid ?? ""));
      return old !== undefined && old.subtasks.length !== parallelism;
    });
  }
}
