import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import type { RunRequest, RunResult } from "../../simulator/run-result.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import { Simulator } from "../../simulator/simulate.ts";
import type { RepeatableRun } from "../../simulator/timetravel/repeatable-run.ts";
import { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { repeatableRun } from "../../simulator/timetravel/simulated-run.ts";
import { TimeMachine } from "../../simulator/timetravel/time-machine.ts";
import type { ScenarioSource } from "../catalog/scenario-source.ts";
import { UsageError } from "../files/usage-error.ts";
import { visible } from "../text/visible.ts";
import type { BranchOrigin } from "./branch.ts";

/** Where a run was named, as far as that is needed to name it again. */
export interface RunOrigin {
  readonly source: ScenarioSource;
  /** The record's file, as it was written. */
  readonly record: string | null;
}

/** A run that can be travelled through. Whoever is done with it calls `machine.release()`. */
export interface Journey {
  readonly scenario: Scenario;
  readonly simulator: Simulator;
  /** What gives this run. */
  readonly request: RunRequest;
  readonly run: RepeatableRun;
  readonly tape: RunTape;
  readonly machine: TimeMachine;
  /** Absent: a scenario of the library, without a record. */
  readonly origin?: RunOrigin;
  /** What it branched off from, and how; absent: it is a run of its own. */
  readonly branch?: BranchOrigin;
}

/** Makes the run of a request once, and gets ready to travel through it. */
export function journeyOf(simulator: Simulator, request: RunRequest): Journey {
  const run = repeatableRun(simulator, request);
  if ("verdict" in run) throw refusedPlan(run);
  const tape = RunTape.of(run);
  return { scenario: simulator.scenario, simulator, request, run, tape, machine: new TimeMachine(run, tape) };
}

/** The first of these requests whose run gives the digest that is expected; where none does, the first one's run. */
export function findJourney(scenario: Scenario, libraries: StateLibraries, requests: readonly RunRequest[], digest: string | null): Journey {
  const simulator = new Simulator(scenario, libraries);
  let first: Journey | null = null;
  for (const request of requests) {
    const journey = journeyOf(simulator, request);
    if (digest === null || journey.tape.result.digest.startsWith(digest)) {
      if (first !== journey) first?.machine.release();
      return journey;
    }
    if (first === null) first = journey;
    else journey.machine.release();
  }
  if (first === null) throw new RangeError("there is a request");
  return first;
}

function refusedPlan({ findings, scenario }: RunResult): UsageError {
  const reason = `has a fault plan that ${scenario} does not promise to survive: ${visible(findings[0]?.message ?? "no reason given")}`;
  return new UsageError("this run", reason, "take the fault out of the plan, or allow it in the scenario's budget");
}
