import { TRACE } from "../../engine/ports/tracer.ts";
import type { EventTrigger } from "../faults/armed-faults.ts";
import type { Fault, FaultPlan } from "../faults/fault.ts";
import type { RunRequest } from "../run-result.ts";
import type { ArrivingRecord, ClusterShape, InputTopic } from "../scenario.ts";
import type { PreparedRun } from "../prepared-run.ts";
import type { Simulator } from "../simulate.ts";
import { PORT_TRACE, traceKindName } from "../trace/kinds.ts";

/** So much of a workload is run when every event is tried: thousands of runs, each with a few checkpoints. */
export const SMALL_INPUT_RECORDS = 60;
export const SMALL_INPUT_US = 4_000_000;

/** The records that arrive first, few and early enough for a run to be short. */
export function smallInput(inputs: readonly InputTopic[]): readonly InputTopic[] {
  const all = inputs.flatMap(({ partitions }) => partitions.flat());
  const arrivals = all.map(({ arrivesAtUs }) => arrivesAtUs).sort((left, right) => left - right);
  const lastUs = Math.min(SMALL_INPUT_US, arrivals[SMALL_INPUT_RECORDS - 1] ?? SMALL_INPUT_US);
  const thinned = arrivals.filter((atUs) => atUs <= SMALL_INPUT_US).length;
  // Where more arrive at once than there may be, every nth of each partition stays.
  const every = Math.max(1, Math.ceil(thinned / SMALL_INPUT_RECORDS));
  const untilUs = every > 1 ? SMALL_INPUT_US : lastUs;
  const kept = (records: readonly ArrivingRecord[]): readonly ArrivingRecord[] =>
    records.filter(({ arrivesAtUs }, index) => arrivesAtUs <= untilUs && index % every === 0);
  return inputs.map(({ topic, partitions }) => ({ topic, partitions: partitions.map(kept) }));
}

/** A place where a process can crash: right after one trace point. */
export interface CrashPoint {
  readonly at: EventTrigger;
  /** Processes that live then. */
  readonly alive: readonly string[];
}

/**
 * Tries a crash everywhere: the run of a request without faults gives all crash points, each of its trace points;
 * then there is one plan for each point and each process that lives at it. Pairs add a second crash at a point of
 * the recovery from the first. More than the limit are thinned out evenly, always in the same way.
 */
export class CrashEverywhere {
  /** Of the run without faults. */
  readonly points: readonly CrashPoint[];
  readonly #simulator: Simulator;
  readonly #request: RunRequest;
  readonly #processes: readonly string[];

  constructor(simulator: Simulator, request: RunRequest) {
    this.#simulator = simulator;
    this.#request = { ...request, profile: "crash-everywhere" };
    this.#processes = processNames(simulator.scenario.cluster);
    this.points = this.#pointsOf([], (run) => {
      const recorder = new PointRecorder(run, this.#processes);
      recorder.recording = true;
      return recorder;
    });
  }

  /** One crash each, at most `limit`. `total`: how many there are. */
  singles(limit: number): { readonly plans: readonly FaultPlan[]; readonly total: number } {
    const all = this.points.flatMap((point) => point.alive.map((process): FaultPlan => [crash("first", point, process)]));
    return { plans: thinned(all, limit), total: all.length };
  }

  /**
   * Two crashes each, the second at a point of the recovery from the first: `limit` of them, spread over first
   * crashes as evenly as over second ones.
   */
  pairs(limit: number): readonly FaultPlan[] {
    if (limit === 0) return [];
    const firsts = thinned(this.singles(Number.MAX_SAFE_INTEGER).plans, Math.ceil(Math.sqrt(limit)));
    const each = Math.ceil(limit / Math.max(1, firsts.length));
    const plans = firsts.flatMap((first) => {
      const recovery = this.#recoveryPoints(first);
      const all = recovery.flatMap((point) => point.alive.map((process): FaultPlan => [...first, crash("second", point, process)]));
      return thinned(all, each);
    });
    return thinned(plans, limit);
  }

  #recoveryPoints(first: FaultPlan): readonly CrashPoint[] {
    return this.#pointsOf(first, (run) => {
      const recorder = new PointRecorder(run, this.#processes);
      const { kernel } = run.world;
      kernel.on(PORT_TRACE.faultFired, () => {
        recorder.recording = true;
      });
      // The job runs again, or it ended before anybody noticed.
      for (const kind of [TRACE.jobRunning, TRACE.jobFinished, TRACE.jobFailed]) {
        kernel.on(kind, () => {
          recorder.recording = false;
        });
      }
      return recorder;
    });
  }

  #pointsOf(plan: FaultPlan, record: (run: PreparedRun) => PointRecorder): readonly CrashPoint[] {
    const run = this.#simulator.prepare({ ...this.#request, plan });
    if ("verdict" in run) throw new Error(`a plan of crashes is refused: ${run.findings[0]?.message}`);
    const recorder = record(run);
    run.world.kernel.recorder = recorder.record;
    run.runToEnd();
    run.world.release();
    return recorder.points;
  }
}

/** Names the trace points of a run so that a plan can strike at each. */
class PointRecorder {
  recording = false;
  readonly points: CrashPoint[] = [];
  readonly #run: PreparedRun;
  readonly #processes: readonly string[];
  /** By kind, subject and x: how often so far. */
  readonly #counts: Map<string, number> = new Map();

  constructor(run: PreparedRun, processes: readonly string[]) {
    this.#run = run;
    this.#processes = processes;
  }

  readonly record = (_process: unknown, kind: number, subject: number, x: number): void => {
    const identity = `${kind}/${subject}/${x}`;
    const nth = (this.#counts.get(identity) ?? 0) + 1;
    this.#counts.set(identity, nth);
    // At the firing of a fault itself nothing can strike.
    if (!this.recording || kind === PORT_TRACE.faultFired) return;
    const { world } = this.#run;
    const event = traceKindName(kind) ?? "";
    const alive = this.#processes.filter((name) => world.processNamed(name)?.process.alive === true);
    const at: EventTrigger = { on: "event", event, subject: world.kernel.nameOf(subject), x, nth, when: "after" };
    this.points.push({ at, alive });
  };
}

function crash(id: string, { at }: CrashPoint, process: string): Fault {
  return { id, kind: "process-crash", process, at };
}

/** At most `limit` of them, evenly spread: the middle one of each of so many stretches. */
function thinned<T>(items: readonly T[], limit: number): readonly T[] {
  if (items.length <= limit) return items;
  return Array.from({ length: limit }, (_, index) => items[Math.floor(((index + 0.5) * items.length) / limit)] as T);
}

function processNames({ jobManagers, workers }: ClusterShape): readonly string[] {
  const names: string[] = [];
  for (let i = 1; i <= jobManagers; i += 1) names.push(`jm-${i}`);
  for (let i = 1; i <= workers; i += 1) names.push(`worker-${i}`);
  return names;
}
