import { cellName, INVALID_CELLS } from "../../simulator/explore/matrix.ts";
import type { CellCounts } from "../sweep/matrix-sweep.ts";
import type { SweepOutcome } from "../sweep/sweep.ts";
import { counted } from "../text/format.ts";
import type { MatrixReport } from "./report-document.ts";

export function matrixReport({ cells }: SweepOutcome): MatrixReport {
  return {
    cells: [...cells].map(([combination, counts]) => ({ combination, ...counts })),
    invalid: INVALID_CELLS.map((cell) => ({ combination: cellName(cell), reason: cell.invalid.reason })),
  };
}

/** Combinations that no run reached, in one sentence; empty if there are none. */
export function uncoveredReasons(cells: ReadonlyMap<string, CellCounts>): string[] {
  const never = [...cells].filter(([, { covered }]) => covered === 0).map(([name]) => name);
  if (never.length === 0) return [];
  return [`no run was restored as they say in ${counted(never.length, "combination")} of ${cells.size}: ${never.join(", ")}`];
}
