import { cellOfCombination, cellName, type MatrixCell, optionsOfCell, RESTORE_OF_COMBINATION } from "../../simulator/explore/matrix.ts";
import type { Chunk } from "./chunk.ts";
import { isFailing, type SeedRow } from "./run-seed.ts";
import type { SeedRange } from "./seed.ts";

/** Runs handed to a worker at once. */
const CHUNK_CELLS = 8;

/** A sweep in which every seed runs in every combination. */
export interface MatrixRequest {
  readonly cells: readonly MatrixCell[];
  /** Index of the scenario that a seed runs in a cell. */
  readonly scenarioOf: (seed: bigint, cell: MatrixCell) => number;
}

/** What is counted of one cell. */
export interface CellCounts {
  readonly runs: number;
  /** Runs that were restored as the combination says. */
  readonly covered: number;
  readonly failed: number;
}

/** The runs of one scenario, seed by seed. */
export function* matrixChunks(
  { cells, scenarioOf }: MatrixRequest,
  seeds: SeedRange,
  scenario: number,
  deadlineMs: number | null,
): Generator<Chunk, undefined> {
  for (let first = seeds.first; first <= seeds.last; first += 1n) {
    const own = cells.filter((cell) => scenarioOf(first, cell) === scenario).map((cell) => ({ fixed: optionsOfCell(cell), plan: null }));
    for (let from = 0; from < own.length; from += CHUNK_CELLS) {
      yield { scenario, first, count: 1, variants: own.slice(from, from + CHUNK_CELLS), deadlineMs };
    }
  }
}

/** Adds a run to the counts of its cell. */
export function countInCell(cells: Map<string, CellCounts>, row: SeedRow): void {
  const cell = cellOfCombination(row.combination);
  const name = cell === null ? null : cellName(cell);
  const counts = name === null ? undefined : cells.get(name);
  if (name === null || counts === undefined) return;
  cells.set(name, {
    runs: counts.runs + 1,
    covered: counts.covered + ((row.sometimes[RESTORE_OF_COMBINATION] ?? 0) > 0 ? 1 : 0),
    failed: counts.failed + (isFailing(row.verdict) ? 1 : 0),
  });
}
