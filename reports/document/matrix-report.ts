import { cellName, INVALID_CELLS } from "../../simulator/explore/matrix.ts";
import { APPLIED_TWICE } from "../../simulator/oracles/surviving-history.ts";
import type { CellCounts } from "../sweep/matrix-sweep.ts";
import type { SweepOutcome } from "../sweep/sweep.ts";
import type { Tally } from "../sweep/tally.ts";
import { SOMETIMES_RUNS } from "../sweep/vacuity.ts";
import { counted } from "../text/format.ts";
import type { MatrixReport } from "./report-document.ts";

export function matrixReport({ cells }: SweepOutcome): MatrixReport {
  return {
    cells: [...cells].map(([combination, counts]) => ({ combination, ...counts })),
    invalid: INVALID_CELLS.map((cell) => ({ combination: cellName(cell), reason: cell.invalid.reason })),
  };
}

/** Of a matrix sweep: that its at-least-once runs, once they are many, never saw a record come again, in one sentence. */
export function neverTwiceReasons(tallies: readonly Tally[]): string[] {
  let runs = 0;
  let seen = 0;
  for (const { groups, sometimes } of tallies) {
    for (const [group, totals] of groups) if (group.split("/")[1] === "at-least-once") runs += totals.runs;
    seen += sometimes.get(APPLIED_TWICE) ?? 0;
  }
  return runs < SOMETIMES_RUNS || seen > 0 ? [] : [`never reached in ${runs} at-least-once runs: ${APPLIED_TWICE}`];
}

/** Combinations that no run reached, in one sentence; empty if there are none. */
export function uncoveredReasons(cells: ReadonlyMap<string, CellCounts>): string[] {
  const never = [...cells].filter(([, { covered }]) => covered === 0).map(([name]) => name);
  if (never.length === 0) return [];
  return [`no run was restored as they say in ${counted(never.length, "combination")} of ${cells.size}: ${never.join(", ")}`];
}
