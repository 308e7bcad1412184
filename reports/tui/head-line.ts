import { grouped } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { Line } from "../views/line.ts";
import { line, span } from "../views/line.ts";
import type { Explorer } from "./explorer.ts";
import type { UiState } from "./ui-state.ts";

/** The first line: which run, and where in it. */
export function headLine(explorer: Explorer, { step }: UiState): Line {
  const { scenario, combination, seed, verdict } = explorer.journey.tape.result;
  const isGood = verdict === "ok" || verdict === "expected-failure";
  return line(
    span(`step ${grouped(step)}`, "strong"),
    ` of ${grouped(explorer.steps)}  `,
    span(explorer.timeText(step), "strong"),
    "  ",
    span(isGood ? verdict : `! ${verdict}`, isGood ? "good" : "bad"),
    "  ",
    ...(explorer.branch === null ? [] : [span(`branch: ${visible(explorer.branch)}  `, "warn")]),
    span(visible(`${scenario}/${combination}  seed ${seed}`), "dim"),
  );
}
