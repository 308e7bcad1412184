import type { CheckpointMode, FailoverScope, RestoreStrategyName } from "#whitewater/engine/graph/job-modes.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import type { Process } from "#whitewater/simulator/world/sim-process.js";
import type { Fault, FaultPlan } from "#whitewater/simulator/faults/fault.js";
import type { OracleKind, RunEnd } from "#whitewater/simulator/oracles/oracle.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { libraryScenarios } from "#whitewater/scenarios/registry.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import type { EngineProcess } from "#whitewater/simulator/world/world.js";
import { World } from "#whitewater/simulator/world/world.js";

export interface WatchOptions {
  /** One of the registry by its name, or one of the test's own. */
  readonly scenario?: string | Scenario;
  /** "heap" where not given; none that needs a library. */
  readonly backend?: StateBackendName;
  /** "aligned" where not given. */
  readonly mode?: CheckpointMode;
  /** "full" where not given. */
  readonly restore?: RestoreStrategyName;
  readonly parallelism?: number;
  /** What the plan rescales the job to. */
  readonly parallelismAfter?: number;
  /** "job" where not given. */
  readonly failover?: FailoverScope;
  readonly seed?: string;
  readonly plan?: readonly Unidentified[];
  readonly calm?: boolean;
}

type Unidentified<T extends Fault = Fault> = T extends unknown ? Omit<T, "id"> : never;

const HEAL_AT_US = 30_000_000;

/** A World with one oracle that watches it. */
export class WatchedWorld {
  readonly world: World;
  readonly scenario: Scenario;
  readonly findings: string[] = [];
  readonly reached: Map<string, number> = new Map();
  readonly #finish: (end: RunEnd) => void;

  constructor(kind: OracleKind, options: WatchOptions = {}) {
    const name = options.scenario ?? "word-count";
    const scenario = typeof name === "string" ? libraryScenarios.find((one) => one.name === name) : name;
    if (scenario === undefined) throw new Error(`no scenario ${String(name)}`);
    this.scenario = scenario;
    const seed = options.seed ?? "1";
    const runOptions = {
      backend: options.backend ?? "heap",
      mode: options.mode ?? "aligned",
      restore: options.restore ?? "full",
      failover: options.failover ?? "job",
      parallelism: options.parallelism ?? 2,
      parallelismAfter: options.parallelismAfter ?? options.parallelism ?? 2,
      bufferElements: 4,
    } as const;
    const streams = new RandomStreams(seed);
    const inputs = scenario.workload({ options: runOptions, random: (label) => streams.stream(label) });
    const plan = (options.plan ?? []).map((fault, index) => ({ ...fault, id: `f${index}` })) as FaultPlan;
    this.world = new World({ scenario, options: runOptions, seed, calm: options.calm ?? false, plan, healAtUs: HEAL_AT_US, inputs });
    const oracle = kind.create({
      world: this.world,
      scenario,
      graph: scenario.job(runOptions),
      inputs,
      report: (message) => this.findings.push(message),
      sometimes: (path) => this.reached.set(path, (this.reached.get(path) ?? 0) + 1),
    });
    if (oracle === null) throw new Error(`${kind.name} does not apply to ${scenario.name}`);
    this.#finish = (end): void => oracle.finish(end);
  }

  /** Steps until that virtual time. */
  runUntil(atUs: number): this {
    const { world } = this;
    while (world.nowUs < atUs && !world.isOver && world.step());
    return this;
  }

  /** Steps until the run is over, then lets the oracle have its last word. */
  runToEnd(): this {
    this.runUntil(200_000_000);
    return this.conclude(this.world.jobEnd?.status ?? "stuck");
  }

  conclude(job: RunEnd["job"]): this {
    if (this.world.kernel.crash !== null) throw this.world.kernel.crash.error;
    this.#finish({ job });
    return this;
  }

  engineOf(name: string): EngineProcess {
    const found = this.world.processNamed(name);
    if (found === null) throw new Error(`${name} does not live`);
    return found;
  }

  processOf(name: string): Process {
    return this.engineOf(name).process;
  }

  /** Runs to the end and names the first finding; "nothing" where there is none. */
  verdict(): string {
    return this.runToEnd().findings[0] ?? "nothing";
  }
}

/** A process crash at a virtual time. */
export function crashAt(process: string, atUs: number): Unidentified {
  return { kind: "process-crash", process, at: { on: "time", atUs } };
}

/** Crashes whoever runs that subtask, when it has taken its snapshot of a checkpoint. */
export function crashOf(subtask: string, checkpointId: number): Unidentified {
  return { kind: "process-crash", process: null, at: onEvent("snapshotTaken", subtask, checkpointId) };
}

export function onEvent(event: string, subject: string, x: number | null = null, nth = 1): Fault["at"] {
  return { on: "event", event, subject, x, nth, when: "after" };
}
