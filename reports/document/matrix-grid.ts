import { CHECKPOINT_MODES, FAILOVER_SCOPES, RESTORE_STRATEGIES } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import { cellName, RESCALINGS } from "../../simulator/explore/matrix.ts";
import { counted, grouped, table } from "../text/format.ts";
import type { CellReport, MatrixReport } from "./report-document.ts";

/**
 * The matrix as tables, one a checkpoint mode: for each backend and restore strategy, and each change of the
 * parallelism in each failover scope, the runs that count and all runs; failing ones behind a "!". A combination
 * that cannot be has the letter of its reason; one that was not asked for is empty.
 */
export function matrixGrid({ cells, invalid }: MatrixReport): string[] {
  const byName = new Map(cells.map((cell) => [cell.combination, cell]));
  const reasons = [...new Set(invalid.map(({ reason }) => reason))];
  const letters = new Map(invalid.map(({ combination, reason }) => [combination, letterOf(reasons.indexOf(reason))]));
  const lines: string[] = [];
  for (const mode of CHECKPOINT_MODES) {
    const rows = [["", "", ...columns().map(([rescaling]) => rescaling)], [mode, "", ...columns().map(([, failover]) => failover)]];
    for (const backend of STATE_BACKENDS) {
      for (const restore of RESTORE_STRATEGIES) {
        const texts = columns().map(([rescaling, failover]) => {
          const name = cellName({ backend, mode, restore, rescaling, failover });
          return letters.get(name) ?? cellText(byName.get(name));
        });
        if (texts.some((text) => /\d/.test(text))) rows.push([backend, restore, ...texts]);
      }
    }
    if (rows.length > 2) lines.push("", ...table(rows, 2));
  }
  return [...lines, "", ...legend({ cells, invalid }, reasons)];
}

function columns(): readonly (readonly [(typeof RESCALINGS)[number], (typeof FAILOVER_SCOPES)[number]])[] {
  return RESCALINGS.flatMap((rescaling) => FAILOVER_SCOPES.map((failover) => [rescaling, failover] as const));
}

function letterOf(index: number): string {
  return String.fromCharCode(97 + index);
}

function cellText(cell: CellReport | undefined): string {
  if (cell === undefined) return "";
  const { covered, runs, failed } = cell;
  return `${grouped(covered)}/${grouped(runs)}${failed > 0 ? ` !${grouped(failed)}` : ""}`;
}

function legend({ cells, invalid }: MatrixReport, reasons: readonly string[]): string[] {
  const covered = cells.filter((cell) => cell.covered > 0).length;
  const failing = cells.filter((cell) => cell.failed > 0).length;
  const lines = [
    `matrix: ${covered} of ${counted(cells.length, "combination")} covered, ${grouped(failing)} with failing runs`,
    "  each as covered/runs: covered are those restored as the combination says, from a later checkpoint than the first,",
    "  with input still to come",
  ];
  reasons.forEach((reason, index) => {
    const count = invalid.filter((one) => one.reason === reason).length;
    lines.push(`  ${letterOf(index)}  ${counted(count, "combination")} cannot be: ${reason}`);
  });
  return lines;
}
