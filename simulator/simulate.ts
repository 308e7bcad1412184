import type { StateLibraries } from "../engine/state/backends/state-libraries.ts";
import { NO_LIBRARIES } from "../engine/state/backends/state-libraries.ts";
import type { TimeUs } from "../engine/base/units.ts";
import { checkJob } from "./explore/check-job.ts";
import type { Census } from "./explore/census.ts";
import { censusOptions } from "./explore/census-options.ts";
import { CensusTaker, buildCensus } from "./explore/census.ts";
import type { CensusShare } from "./explore/census-share.ts";
import { smallInput } from "./explore/crash-everywhere.ts";
import { drawOptions } from "./explore/draw-options.ts";
import { refusePlan } from "./faults/check-plan.ts";
import { atWhoeverLeads } from "./faults/leader-events.ts";
import { drawLateBarrier } from "./faults/draw-late-barrier.ts";
import { drawPlan } from "./faults/draw-plan.ts";
import { budgetBeside, drawRecovery } from "./faults/draw-recovery.ts";
import { drawRequests } from "./faults/draw-requests.ts";
import { drawRescale } from "./faults/draw-rescale.ts";
import type { FaultPlan } from "./faults/fault.ts";
import { DATA_ORACLES } from "./oracles/data-oracles.ts";
import type { OracleKind } from "./oracles/oracle.ts";
import { restoreEveryOracle } from "./oracles/restore-every.ts";
import { PROTOCOL_ORACLES } from "./oracles/protocol-oracles.ts";
import type { Preparation, PreparedRun } from "./prepared-run.ts";
import { Run } from "./prepared-run.ts";
import type { Profile, RunRequest, RunResult } from "./run-result.ts";
import { combinationOf } from "./run-result.ts";
import type { InputTopic, RunOptions, Scenario } from "./scenario.ts";
import { RandomStreams } from "./world/random-streams.ts";
import { JOB_ID } from "./world/world.ts";

/** After the calm run would have ended, chaos goes on for so long. */
const CHAOS_MARGIN_US = 4_000_000;
/** One seed in so many runs with calm timing: mean latencies and FIFO order. */
const CALM_TIMING_ONE_IN = 8;
/** One run of the matrix in so many has swarm faults beside its recovery. */
const SWARM_ONE_IN = 4;
const CENSUS_SEED = "0";

/** Those that every run is judged by. */
const ORACLES: readonly OracleKind[] = [...DATA_ORACLES, ...PROTOCOL_ORACLES];

/**
 * Runs one scenario over and over. What it keeps between runs (the census of each combination) depends on
 * the scenario alone, so a result is the same from a fresh Simulator and from a used one.
 */
export class Simulator {
  readonly scenario: Scenario;
  readonly #libraries: StateLibraries;
  readonly #censuses = new Map<string, Census>();
  readonly #share: CensusShare | null;

  /**
   * `libraries`: what the state backends that may be drawn need (see loadStateLibraries). `share`: where censuses
   * are found that other Simulators of this scenario took.
   */
  constructor(scenario: Scenario, libraries: StateLibraries = NO_LIBRARIES, share: CensusShare | null = null) {
    this.scenario = scenario;
    this.#libraries = libraries;
    this.#share = share;
  }

  run(request: RunRequest): RunResult {
    const prepared = this.prepare(request);
    if ("verdict" in prepared) return prepared;
    try {
      prepared.runToEnd();
      return prepared.conclude();
    } finally {
      prepared.world.release();
    }
  }

  /** The World of a request before its first step; or the result, where the plan is refused. */
  prepare(request: RunRequest): PreparedRun | RunResult {
    return this.#prepare(request, oraclesOf(request));
  }

  /** The same run, step by step and to the digest, with nobody who judges it. */
  rehearse(request: RunRequest): PreparedRun | RunResult {
    return this.#prepare(request, []);
  }

  #prepare(request: RunRequest, oracles: readonly OracleKind[]): PreparedRun | RunResult {
    const streams = new RandomStreams(request.seed);
    const options = drawOptions(this.scenario, request.fixed, streams.stream("options"));
    const census = this.#censusOf(options, request.profile);
    const calm = request.profile === "calm" || streams.stream("timing").below(CALM_TIMING_ONE_IN) === 0;
    const plan = request.plan ?? this.#drawPlan(request, options, census, streams);
    const graph = this.scenario.job(options);
    checkJob(graph, options, this.#libraries);
    const preparation: Preparation = {
      options,
      calm,
      plan,
      healAtUs: census.endedAtUs + CHAOS_MARGIN_US,
      inputs: this.#inputs(options, request.seed, request.profile),
      graph,
    };
    const refusal = refusePlan(plan, this.scenario.budget, this.scenario.cluster);
    return refusal === null
      ? new Run(this.scenario, request, preparation, oracles, this.#libraries)
      : refusedResult(this.scenario, request, preparation, refusal);
  }

  #drawPlan({ profile }: RunRequest, options: RunOptions, census: Census, streams: RandomStreams): FaultPlan {
    const { cluster, budget } = this.scenario;
    const random = streams.stream("plan");
    const rescale = drawRescale(options, census, streams.stream("rescale"));
    const requests = drawRequests(this.scenario, census, profile, streams.stream("requests"));
    const subtasks = Math.min(options.parallelism, options.parallelismAfter);
    const source = { census, cluster, jobId: JOB_ID, profile, random, subtasks };
    const settle = (plan: FaultPlan): FaultPlan => plan.map((fault) => atWhoeverLeads(fault, cluster));
    const mixes = profile === "swarm" || profile === "matrix";
    // Not alike in all cells of the matrix that a seed runs in.
    const late = mixes ? drawLateBarrier(options, census, budget, streams.stream(`late-barrier/${combinationOf(options)}`)) : [];
    if (profile !== "matrix") {
      return settle([...late, ...drawPlan({ ...source, budget: budgetBeside(budget, late) }), ...rescale, ...requests]);
    }
    const recovery = drawRecovery({ census, cluster, options, random });
    const besides = budgetBeside(budget, [...late, ...recovery]);
    const others = random.below(SWARM_ONE_IN) === 0 ? drawPlan({ ...source, budget: besides }) : [];
    return settle([...late, ...recovery, ...others, ...rescale, ...requests]);
  }

  /**
   * The digest of an undisturbed run in checked mode. It makes no census, so that in a fresh process it is the
   * first thing that runs.
   */
  calmDigest(fixed: Partial<RunOptions>): string {
    const drawn = drawOptions(this.scenario, fixed, new RandomStreams(CENSUS_SEED).stream("options"));
    // Nobody asks for another parallelism.
    const options: RunOptions = { ...drawn, parallelismAfter: drawn.parallelism };
    const run = this.#calmRun(options, this.#inputs(options, CENSUS_SEED, "calm"), [], { oracles: false, checked: true });
    run.runToEnd();
    run.world.release();
    return run.world.kernel.digest.hex();
  }

  #inputs(options: RunOptions, seed: string, profile: Profile): readonly InputTopic[] {
    const streams = new RandomStreams(seed);
    const inputs = this.scenario.workload({ options, random: (label) => streams.stream(`workload:${label}`) });
    return profile === "crash-everywhere" ? smallInput(inputs) : inputs;
  }

  /**
   * One calm run, and one in which a worker crashes half-way: where events are, and where they recover. The
   * size of buffers hardly matters for that; one stands for all.
   */
  #censusOf(drawn: RunOptions, profile: Profile): Census {
    const options = censusOptions(this.scenario, drawn, profile);
    const key = `${combinationOf(options)}${profile === "crash-everywhere" ? " small" : ""}`;
    const known = this.#censuses.get(key) ?? this.#share?.find(`${this.scenario.name}/${key}`) ?? this.#takeCensus(key, options, profile);
    this.#censuses.set(key, known);
    return known;
  }

  #takeCensus(key: string, options: RunOptions, profile: Profile): Census {
    const inputs = this.#inputs(options, CENSUS_SEED, profile);
    const calm = this.#censusRun(options, inputs, []);
    const atUs = Math.floor(calm.endedAtUs / 2);
    const crash: FaultPlan = [{ id: "census", kind: "process-crash", process: "worker-1", at: { on: "time", atUs } }];
    const disturbed = this.#censusRun(options, inputs, crash);
    const times = { durationUs: calm.endedAtUs, endedAtUs: calm.endedAtUs };
    const census = buildCensus(calm.taker, calm.nameOf, disturbed.taker, disturbed.nameOf, times);
    this.#share?.offer(`${this.scenario.name}/${key}`, census);
    return census;
  }

  #censusRun(
    options: RunOptions,
    inputs: readonly InputTopic[],
    plan: FaultPlan,
  ): { readonly taker: CensusTaker; readonly nameOf: (subject: number) => string; readonly endedAtUs: TimeUs } {
    // With the records that oracles ask for, whose calls are part of the trace, and without oracles.
    const run = this.#calmRun(options, inputs, plan, { oracles: true, checked: false });
    const taker = new CensusTaker();
    run.world.kernel.recorder = taker.record;
    run.runToEnd();
    run.world.release();
    const { kernel, jobEnd } = run.world;
    return { taker, nameOf: (subject) => kernel.nameOf(subject), endedAtUs: jobEnd?.atUs ?? kernel.nowUs };
  }

  #calmRun(
    options: RunOptions,
    inputs: readonly InputTopic[],
    plan: FaultPlan,
    modes: Pick<RunRequest, "oracles" | "checked">,
  ): Run {
    const maxSteps = Number.MAX_SAFE_INTEGER;
    const request: RunRequest = { seed: CENSUS_SEED, profile: "calm", fixed: options, plan, maxSteps, ...modes };
    const graph = this.scenario.job(options);
    const healAtUs = lastArrivalUs(inputs) + 60_000_000;
    return new Run(this.scenario, request, { options, calm: true, plan, healAtUs, inputs, graph }, [], this.#libraries);
  }
}

function oraclesOf({ oracles, restoreEvery }: RunRequest): readonly OracleKind[] {
  if (!oracles) return [];
  return restoreEvery === true ? [...ORACLES, restoreEveryOracle] : ORACLES;
}

/** One run of one scenario, when no further run will follow. */
export function simulate(scenario: Scenario, request: RunRequest, libraries: StateLibraries = NO_LIBRARIES): RunResult {
  return new Simulator(scenario, libraries).run(request);
}

function lastArrivalUs(inputs: readonly InputTopic[]): TimeUs {
  let lastUs = 0;
  for (const { partitions } of inputs) {
    for (const partition of partitions) lastUs = Math.max(lastUs, partition.at(-1)?.arrivesAtUs ?? 0);
  }
  return lastUs;
}

function refusedResult(scenario: Scenario, request: RunRequest, preparation: Preparation, refusal: string): RunResult {
  const { options, plan } = preparation;
  return Object.freeze({
    scenario: scenario.name,
    combination: combinationOf(options),
    options,
    seed: request.seed,
    verdict: "invalid-plan",
    findings: [{ oracle: "fault budget", message: refusal, step: 0, atUs: 0 }],
    digest: "0000000000000000",
    steps: 0,
    tracePoints: 0,
    virtualTimeUs: 0,
    plan,
    faults: [],
    sometimes: {},
    restarts: 0,
    checkpointsCompleted: 0,
    restoredFrom: null,
  });
}
