import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import type { StateLibraries } from "../engine/state/backends/state-libraries.ts";
import { TRACE } from "../engine/ports/tracer.ts";
import type { TimeUs } from "../engine/base/units.ts";
import type { FaultPlan } from "./faults/fault.ts";
import { rewriteRecords } from "./oracles/data-oracles-observation.ts";
import { livenessDeadlineUs } from "./oracles/liveness.ts";
import type { Oracle, OracleKind, RunEnd } from "./oracles/oracle.ts";
import type { Finding, RunRequest, RunResult, VerdictKind } from "./run-result.ts";
import { combinationOf } from "./run-result.ts";
import type { InputTopic, RunOptions, Scenario } from "./scenario.ts";
import type { KeptServices } from "./world/kept-services.ts";
import { World } from "./world/world.ts";

/** Findings of one oracle that a result keeps. */
const FINDINGS_KEPT = 5;
const STEPS_AT_A_TIME = 64;

/** Everything that a seed and a request decide before the run starts. */
export interface Preparation {
  readonly options: RunOptions;
  readonly calm: boolean;
  readonly plan: FaultPlan;
  readonly healAtUs: TimeUs;
  readonly inputs: readonly InputTopic[];
  readonly graph: StreamGraph;
  /** Absent: it begins at time 0, and nothing is there. */
  readonly beginning?: Beginning;
}

/** Where a run begins that goes on from where another one stood. */
export interface Beginning {
  /** What is outside of the cluster. */
  readonly services: KeptServices;
  readonly atUs: TimeUs;
}

/** A World with its oracles, ready for its first step. Whoever is done with it calls `world.release()`. */
export interface PreparedRun {
  readonly world: World;
  readonly preparation: Preparation;
  /** One step; false once the run is over, stuck, or `maxSteps` were made. */
  advance(): boolean;
  /** After the last step. */
  settle(): void;
  /** Lets the oracles have their last word and sums up. */
  conclude(): RunResult;
  /** Steps until the run is over, stuck, or `maxSteps` were made. */
  runToEnd(): void;
}

/** A World, its oracles, and what they say. */
export class Run implements PreparedRun {
  readonly world: World;
  readonly preparation: Preparation;
  readonly #scenario: Scenario;
  readonly #request: RunRequest;
  readonly #oracles: Oracle[] = [];
  readonly #findings: Finding[] = [];
  readonly #sometimes = new Map<string, number>();
  readonly #deadlineUs: TimeUs;
  #restarts = 0;
  #restoredFrom: number | null = null;

  constructor(scenario: Scenario, request: RunRequest, preparation: Preparation, kinds: readonly OracleKind[], libraries: StateLibraries) {
    this.#scenario = scenario;
    this.#request = request;
    this.preparation = preparation;
    const { options, calm, plan, healAtUs, inputs, graph, beginning } = preparation;
    const begins = beginning === undefined ? {} : { services: beginning.services, beginsAtUs: beginning.atUs };
    this.world = new World({ scenario, options, seed: request.seed, calm, plan, healAtUs, inputs, libraries, ...begins });
    this.#deadlineUs = livenessDeadlineUs(scenario, graph, inputs, healAtUs);
    const values = [options.backend, options.mode, options.restore, options.failover];
    const declared = [...scenario.sometimes, ...values.flatMap((value) => scenario.sometimesWith?.[value] ?? [])];
    for (const name of declared) this.#sometimes.set(name, 0);
    if (request.oracles || request.checked) rewriteRecords(this.world, { checked: request.checked });
    for (const kind of kinds) this.#attach(kind);
    this.#countRestores();
  }

  runToEnd(): void {
    while (this.#stepOn(STEPS_AT_A_TIME));
    this.settle();
  }

  advance(): boolean {
    return this.#stepOn(1);
  }

  settle(): void {
    const { world, preparation } = this;
    if (world.nowUs >= preparation.healAtUs) world.kernel.heal();
  }

  /** False once there is nothing more to step. In portions, so that the loop is compiled once and not for each run. */
  #stepOn(steps: number): boolean {
    const { world } = this;
    const { maxSteps } = this.#request;
    for (let i = 0; i < steps; i += 1) {
      if (world.isOver || world.kernel.stepNumber >= maxSteps || world.nowUs > this.#deadlineUs) return false;
      if (!world.step()) return false;
    }
    return true;
  }

  conclude(): RunResult {
    const { world, preparation } = this;
    const { kernel } = world;
    if (kernel.crash !== null) this.#report("no crash", crashMessage(kernel.crash.error));
    const end: RunEnd = { job: world.jobEnd?.status ?? "stuck" };
    for (const oracle of this.#oracles) oracle.finish(end);
    return Object.freeze({
      scenario: this.#scenario.name,
      combination: combinationOf(preparation.options),
      options: preparation.options,
      seed: this.#request.seed,
      verdict: this.#verdict(end),
      findings: this.#findings,
      digest: kernel.digest.hex(),
      steps: kernel.stepNumber,
      tracePoints: kernel.tracePoints,
      virtualTimeUs: kernel.nowUs,
      plan: preparation.plan,
      faults: kernel.faultOutcomes(),
      sometimes: Object.fromEntries(this.#sometimes),
      restarts: this.#restarts,
      checkpointsCompleted: kernel.counts[TRACE.checkpointCompleted] ?? 0,
      restoredFrom: this.#restoredFrom,
    });
  }

  #verdict({ job }: RunEnd): VerdictKind {
    if (this.world.kernel.crash !== null) return "crashed";
    const isStuck = job === "stuck";
    const other = this.#findings.some((finding) => finding.oracle !== "liveness");
    if (other) return "violation";
    if (isStuck) return "stuck";
    if (this.#findings.length > 0) return "violation";
    if (job === "failed") return this.#scenario.budget.jobMayFail ? "expected-failure" : "violation";
    return "ok";
  }

  #attach(kind: OracleKind): void {
    const { inputs, graph } = this.preparation;
    let kept = 0;
    const oracle = kind.create({
      world: this.world,
      scenario: this.#scenario,
      graph,
      inputs,
      report: (message) => {
        kept += 1;
        if (kept <= FINDINGS_KEPT) this.#report(kind.name, message);
      },
      sometimes: (name) => {
        const count = this.#sometimes.get(name);
        if (count !== undefined) this.#sometimes.set(name, count + 1);
      },
    });
    if (oracle !== null) this.#oracles.push(oracle);
  }

  #report(oracle: string, message: string): void {
    const { kernel } = this.world;
    this.#findings.push({ oracle, message, step: kernel.stepNumber, atUs: kernel.nowUs });
  }

  #countRestores(): void {
    const { kernel } = this.world;
    kernel.on(TRACE.jobRestarting, () => {
      this.#restarts += 1;
    });
    kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, checkpointId) => {
      if (checkpointId >= 0) this.#restoredFrom = checkpointId;
    });
  }
}

/** The error and where it came from; lines, not the whole stack. */
function crashMessage(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  return `${error.name}: ${error.message}`;
}
