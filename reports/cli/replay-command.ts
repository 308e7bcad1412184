import type { RunRequest, RunResult, VerdictKind } from "../../simulator/run-result.ts";
import { unreachable } from "../../engine/base/assert.ts";
import type { LoadedScenario } from "../catalog/load-scenario.ts";
import type { RecordContext } from "../record/run-record.ts";
import { judgePair, runOnce, type FailedRun, type Simulate } from "../sweep/run-seed.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import type { RawReplayOptions } from "./replay-options.ts";
import { printReplay } from "./replay-report.ts";
import type { ReplayExpectation, ReplayTarget } from "./replay-target.ts";
import { findTarget, loadTarget, staleness } from "./replay-target.ts";
import { toolVersion } from "./version.ts";

export interface Replayed {
  readonly run: FailedRun;
  readonly expected: ReplayExpectation | null;
  /** Why the expectation does not apply any more, or null. */
  readonly stale: string | null;
  readonly context: RecordContext;
}

/** `whitewater replay`. */
export async function replayCommand(text: string, raw: RawReplayOptions, host: Host): Promise<ExitCode> {
  const target = await findTarget(text, raw, host);
  const loaded = await loadTarget(target, host);
  if (loaded === null) return EXIT.stale;
  if (raw.show !== undefined || raw.at !== undefined) {
    const { showCommand } = await import("./show-command.ts");
    return await showCommand(target, loaded, raw, host);
  }
  const replayed = replay(target, loaded, await host.simulate());
  printReplay(replayed, { json: raw.json === true, color: raw.color }, host);
  if (replayed.run.result.verdict === "diverged") return EXIT.notDeterministic;
  return replayed.stale === null ? exitCodeOfVerdict(replayed.run.result.verdict) : EXIT.stale;
}

function replay(target: ReplayTarget, loaded: LoadedScenario, simulate: Simulate): Replayed {
  const { expected } = target;
  const tried: { readonly request: RunRequest; readonly result: RunResult }[] = [];
  for (const request of target.requests) {
    tried.push({ request, result: runOnce(loaded.scenario, request, simulate) });
    if (expected === null || tried.at(-1)?.result.digest.startsWith(expected.digest) === true) break;
  }
  const last = tried.at(-1);
  const matches = expected === null || last?.result.digest.startsWith(expected.digest) === true;
  // Where nothing gives the digest, what the seed draws today is shown.
  const { request, result } = (matches ? last : tried[0]) as (typeof tried)[number];
  const run = judgePair(result, runOnce(loaded.scenario, request, simulate), request.checked);
  return {
    run,
    expected,
    stale: expected === null ? null : staleness(run.result, expected),
    context: {
      tool: toolVersion(),
      source: loaded.source,
      profile: request.profile,
      fixed: request.fixed,
      maxSteps: request.maxSteps,
    },
  };
}

function exitCodeOfVerdict(verdict: VerdictKind): ExitCode {
  switch (verdict) {
    case "ok":
    case "expected-failure":
      return EXIT.ok;
    case "violation":
    case "crashed":
    case "invalid-plan":
      return EXIT.violation;
    case "stuck":
      return EXIT.stuck;
    case "diverged":
      return EXIT.notDeterministic;
    default:
      return unreachable(verdict, "exitCodeOfVerdict");
  }
}
