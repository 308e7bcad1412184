import { failureBlock } from "../document/failure-block.ts";
import { grouped, longDuration } from "../text/format.ts";
import { visible, visibleJson } from "../text/visible.ts";
import { isFailing } from "../sweep/run-seed.ts";
import { paintFor } from "./colours.ts";
import { failureReport } from "./failures.ts";
import type { Host } from "./host.ts";
import type { Replayed } from "./replay-command.ts";

/** Prints what a replay gave: what it is, whether that was expected, and the failure if it is one. */
export function printReplay(
  replayed: Replayed,
  how: { readonly json: boolean; readonly color: boolean },
  host: Host,
): void {
  if (how.json) {
    host.stdout.write(`${visibleJson(JSON.stringify(asJson(replayed), null, 2))}\n`);
    return;
  }
  const { run, expected, stale } = replayed;
  const { result } = run;
  const paint = paintFor(host, how.color);
  const lines = [
    `${visible(`${result.scenario}/${result.combination}`)}  seed ${result.seed}  verdict ${result.verdict}  digest ${result.digest}`,
    `${grouped(result.steps)} steps, ${grouped(result.tracePoints)} trace points, ` +
      `${longDuration(result.virtualTimeUs)} of virtual time, ${grouped(result.restarts)} restarts, ` +
      `${grouped(result.checkpointsCompleted)} checkpoints; ${run.agreeing} of ${run.runs} runs agree`,
  ];
  if (stale !== null) lines.push(`${paint("yellow", "stale:")} ${visible(stale)}`);
  else if (expected !== null) lines.push(`the same as the ${visible(expected.from)}`);
  if (isFailing(result.verdict)) lines.push("", ...failureBlock(failureReport(run, replayed.context, expected?.record ?? null), paint));
  host.stdout.write(`${lines.join("\n")}\n`);
}

function asJson({ run, expected, stale }: Replayed): object {
  const { scenario, combination, seed, verdict, digest, steps, tracePoints, virtualTimeUs, findings } = run.result;
  return {
    run: { scenario, combination, seed, verdict, digest, steps, tracePoints, virtualTimeUs },
    findings,
    plan: run.result.plan,
    faults: run.result.faults,
    determinism: { runs: run.runs, agreeing: run.agreeing },
    expected: expected === null ? null : { digest: expected.digest, verdict: expected.verdict },
    stale,
  };
}
