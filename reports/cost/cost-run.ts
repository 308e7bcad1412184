import { unreachable } from "../../engine/base/assert.ts";
import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { Fault, FaultPlan } from "../../simulator/faults/fault.ts";
import type { RunEnd } from "../../simulator/oracles/oracle.ts";
import type { RunOptions, Scenario } from "../../simulator/scenario.ts";
import { PORT_TRACE } from "../../simulator/trace/kinds.ts";
import { RandomStreams } from "../../simulator/world/random-streams.ts";
import { World } from "../../simulator/world/world.ts";
import type { CheckpointCosts, CostIncident, MedianAndLast, RecoveryCost } from "../document/cost-document.ts";

/** Longer than any job goes on after its last record in a run with one incident. */
const GRACE_US = 120_000_000;
const VICTIM = { process: "worker-1", host: "host-1" };

/** What one run showed: `checkpoints` and `recovery` are null where there were none. */
export interface CostRun {
  readonly checkpoints: CheckpointCosts | null;
  readonly recovery: RecoveryCost | null;
  readonly completed: number;
  readonly end: RunEnd["job"];
}

/** The one fault of a run, when so many checkpoints have completed. */
export interface Incident {
  readonly kind: CostIncident;
  readonly afterCheckpoints: number;
}

/**
 * One run with mean latencies in FIFO order, in which nothing goes wrong but the incident. What it cost is taken from
 * the trace of remote storage and of the protocol; only what came from local disks is as the tasks say it, because
 * a disk does not tell a copy that is restored from a store that works.
 */
export function costRun(scenario: Scenario, options: RunOptions, seed: string, incident: Incident | null, libraries: StateLibraries): CostRun {
  const streams = new RandomStreams(seed);
  const inputs = scenario.workload({ options, random: (label) => streams.stream(`workload:${label}`) });
  const lastArrivalUs = Math.max(0, ...inputs.flatMap(({ partitions }) => partitions.map((records) => records.at(-1)?.arrivesAtUs ?? 0)));
  const untilUs = lastArrivalUs + GRACE_US;
  const plan = incident === null ? [] : planOf(incident);
  const world = new World({ scenario, options, seed, calm: true, plan, healAtUs: untilUs, inputs, libraries });
  try {
    const meter = new CostMeter(world);
    while (!world.isOver && world.nowUs <= untilUs && world.step());
    if (world.kernel.crash !== null) throw world.kernel.crash.error;
    const { checkpoints, recovery, completed } = meter;
    return { checkpoints, recovery, completed, end: world.jobEnd?.status ?? "stuck" };
  } finally {
    world.release();
  }
}

function planOf({ kind, afterCheckpoints }: Incident): FaultPlan {
  const at: Fault["at"] = { on: "event", event: "checkpointCompleted", subject: "jm-1", x: null, nth: afterCheckpoints, when: "after" };
  switch (kind) {
    case "process-crash":
      return [{ id: kind, kind: "process-crash", process: VICTIM.process, at }];
    case "disk-lost":
      return [{ id: kind, kind: "disk-loss", host: VICTIM.host, at }];
    case "host-replaced":
      return [{ id: kind, kind: "host-crash", host: VICTIM.host, replace: true, at }];
    default:
      return unreachable(kind, "planOf");
  }
}

/** A recovery that is under way. */
interface Recovery {
  failedAtUs: number;
  from: number;
  startedAtUs: number;
  loadedAtUs: number;
  remoteBytes: number;
  requests: number;
  localBytes: number;
  files: number;
}

/** Listens to a World from its first step on. */
class CostMeter {
  readonly #world: World;
  readonly #triggeredAtUs: Map<number, number> = new Map();
  readonly #bytesOf: Map<number, number> = new Map();
  readonly #bytes: number[] = [];
  readonly #durations: number[] = [];
  #recovering: Recovery | null = null;
  /** The first. */
  recovery: RecoveryCost | null = null;

  constructor(world: World) {
    this.#world = world;
    this.#watchCheckpoints();
    this.#watchRecovery();
  }

  get completed(): number {
    return this.#bytes.length;
  }

  get checkpoints(): CheckpointCosts | null {
    if (this.completed === 0) return null;
    return { count: this.completed, bytes: medianAndLast(this.#bytes), durationUs: medianAndLast(this.#durations) };
  }

  #watchCheckpoints(): void {
    const { kernel } = this.#world;
    kernel.on(PORT_TRACE.blobPutApplied, (_process, _subject, checkpoint, bytes) => {
      this.#bytesOf.set(checkpoint, (this.#bytesOf.get(checkpoint) ?? 0) + bytes);
    });
    kernel.on(TRACE.checkpointTriggered, (_process, _subject, checkpoint) => {
      this.#triggeredAtUs.set(checkpoint, kernel.nowUs);
    });
    kernel.on(TRACE.checkpointCompleted, (_process, _subject, checkpoint) => {
      this.#bytes.push(this.#bytesOf.get(checkpoint) ?? 0);
      this.#durations.push(kernel.nowUs - (this.#triggeredAtUs.get(checkpoint) ?? kernel.nowUs));
    });
  }

  #watchRecovery(): void {
    const { kernel } = this.#world;
    kernel.on(TRACE.jobFailing, () => {
      if (this.recovery !== null || this.#recovering !== null) return;
      const reads = { remoteBytes: 0, requests: 0, localBytes: 0, files: 0 };
      this.#recovering = { failedAtUs: kernel.nowUs, from: -1, startedAtUs: -1, loadedAtUs: -1, ...reads };
    });
    this.#during(TRACE.taskRestoreStarted, (recovery, _attempt, checkpoint) => {
      recovery.from = checkpoint;
      if (recovery.startedAtUs < 0) recovery.startedAtUs = kernel.nowUs;
    });
    kernel.on(PORT_TRACE.blobGetReplied, (process, _subject, _checkpoint, bytes) => {
      const recovery = this.#recovering;
      if (recovery === null || process === null || !process.name.startsWith("worker-")) return;
      recovery.requests += 1;
      recovery.remoteBytes += Math.max(0, bytes);
    });
    this.#during(TRACE.restoreReadLocal, (recovery, bytes, files) => {
      recovery.localBytes += bytes;
      recovery.files += files;
      recovery.loadedAtUs = kernel.nowUs;
    });
    this.#during(TRACE.jobRunning, (recovery) => {
      const { failedAtUs, startedAtUs, loadedAtUs, ...reads } = recovery;
      this.#recovering = null;
      if (reads.from < 0) return;
      this.recovery = { ...reads, restoreUs: loadedAtUs - startedAtUs, downUs: kernel.nowUs - failedAtUs };
    });
  }

  #during(kind: number, listener: (recovery: Recovery, x: number, y: number) => void): void {
    this.#world.kernel.on(kind, (_process, _subject, x, y) => {
      if (this.#recovering !== null) listener(this.#recovering, x, y);
    });
  }
}

/** The lower of the two in the middle. */
function medianAndLast(values: readonly number[]): MedianAndLast {
  const sorted = [...values].sort((left, right) => left - right);
  return { median: sorted[(sorted.length - 1) >> 1] ?? 0, last: values.at(-1) ?? 0 };
}
