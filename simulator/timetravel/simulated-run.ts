import type { RunRequest, RunResult } from "../run-result.ts";
import type { PreparedRun } from "../prepared-run.ts";
import type { Simulator } from "../simulate.ts";
import type { RepeatableRun } from "./repeatable-run.ts";

/** A request's run; or the result, where its plan is refused. */
export function repeatableRun(simulator: Simulator, request: RunRequest): RepeatableRun | RunResult {
  const first = simulator.rehearse(request);
  if ("verdict" in first) return first;
  first.world.release();
  return {
    judged: () => accepted(simulator.prepare(request)),
    plain: () => accepted(simulator.rehearse(request)),
  };
}

function accepted(run: PreparedRun | RunResult): PreparedRun {
  if ("verdict" in run) throw new Error("a plan that was accepted once is accepted always");
  return run;
}
