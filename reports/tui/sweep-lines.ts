import { unreachable } from "../../engine/base/assert.ts";
import { counted, grouped, longDuration } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { Line, Span } from "../views/line.ts";
import { line, span } from "../views/line.ts";
import { isOver, reachedPaths, type SweepProgress, type SweptFailure } from "./sweep-progress.ts";

const BAR = 40;
/** Paths that are named, of those that no run took yet. */
const NAMED_PATHS = 3;

/** How far a sweep is, in lines; the failures come after them. */
export function sweepLines(progress: SweepProgress): readonly Line[] {
  const { scenarios, seeds, runs, planned, tracePoints, virtualTimeUs, failing, elapsedMs, current } = progress;
  const tookSeconds = Math.max(0.001, elapsedMs / 1000);
  const what = scenarios.length === 1 ? visible(scenarios[0] ?? "") : counted(scenarios.length, "scenario");
  const { reached, missing } = reachedPaths(progress);
  return [
    line(span("Sweep  ", "strong"), `${what}, seeds ${visible(seeds)}  `, stateSpan(progress)),
    line(bar(runs, planned), `  ${grouped(runs)} of ${grouped(planned)} runs`, isOver(progress) || scenarios.length < 2 ? "" : `, now ${visible(current)}`),
    line("violations     ", failing === 0 ? span("0", "good") : span(`! ${counted(failing, "failing run")}`, "bad")),
    line(`trace points/s ${grouped(tracePoints / tookSeconds)}`, span(`  of ${grouped(tracePoints)} in all`, "dim")),
    line(`virtual time   ${longDuration(virtualTimeUs)}`),
    line(`elapsed        ${tookSeconds.toFixed(1)} s`, span(`  ${grouped(runs / tookSeconds)} runs/s`, "dim")),
    line("sometimes      ", span(`${grouped(reached)} of ${grouped(reached + missing.length)} declared paths reached`, missing.length === 0 ? "plain" : "warn"), missingText(missing)),
  ];
}

/** One failing run in a line. */
export function failureLine({ scenario, seed, verdict, oracle, message }: SweptFailure): Line {
  return line(span(`! ${visible(scenario)}  seed ${visible(seed)}  ${verdict}`, "bad"), `  ${visible(oracle)}: `, span(visible(message), "dim"));
}

function bar(done: number, planned: number): Span {
  const filled = planned === 0 ? 0 : Math.min(BAR, Math.floor((done / planned) * BAR));
  return span(`[${"#".repeat(filled)}${".".repeat(BAR - filled)}]`, "plain");
}

function missingText(missing: readonly string[]): Span {
  if (missing.length === 0) return span("");
  const named = missing.slice(0, NAMED_PATHS).map(visible).join("; ");
  const more = missing.length > NAMED_PATHS ? `; … ${missing.length - NAMED_PATHS} more` : "";
  return span(`  not yet: ${named}${more}`, "dim");
}

function stateSpan({ state, reason }: SweepProgress): Span {
  switch (state) {
    case "running":
      return span("running", "changed");
    case "cancelling":
      return span("ending: what is in hand is finished", "warn");
    case "complete":
      return span("complete", "good");
    case "interrupted":
      return span("cancelled", "warn");
    case "bail":
    case "time":
      return span(`ended (${state})`, "warn");
    case "broken":
      return span(`! broke: ${visible(reason ?? "no reason given")}`, "bad");
    default:
      return unreachable(state, "stateSpan");
  }
}
