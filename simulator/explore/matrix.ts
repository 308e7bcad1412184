import type { InvalidCombination } from "../../engine/graph/job-modes.ts";
import type { CheckpointMode, FailoverScope, RestoreStrategyName } from "../../engine/graph/job-modes.ts";
import { CHECKPOINT_MODES, FAILOVER_SCOPES, invalidCombination, RESTORE_STRATEGIES } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import type { StateBackendName } from "../../engine/state/state-backend.ts";
import type { RunOptions } from "../scenario.ts";

/**
 * The declared path of runs that got their state back in the way that their combination stands for: such a run
 * covers its cell of the matrix (`CombinationPath` says what counts).
 */
export const RESTORE_OF_COMBINATION = "a restore as its combination says";

/** What becomes of the parallelism with the restore. */
export type Rescaling = "same" | "fewer" | "more";
export const RESCALINGS: readonly Rescaling[] = ["same", "fewer", "more"];

/** One combination: a cell of the matrix. */
export interface MatrixCell {
  readonly backend: StateBackendName;
  readonly mode: CheckpointMode;
  readonly restore: RestoreStrategyName;
  readonly rescaling: Rescaling;
  readonly failover: FailoverScope;
}

export interface InvalidCell extends MatrixCell {
  readonly invalid: InvalidCombination;
}

/** Small, so that a run is short, and with more than one subtask on both sides. */
const PARALLELISMS: Readonly<Record<Rescaling, readonly [before: number, after: number]>> = {
  same: [2, 2],
  fewer: [3, 2],
  more: [2, 3],
};

/** Every combination of backend, mode, restore strategy, rescaling and failover scope, in this order. */
const ALL: readonly MatrixCell[] = STATE_BACKENDS.flatMap((backend) =>
  CHECKPOINT_MODES.flatMap((mode) =>
    RESTORE_STRATEGIES.flatMap((restore) =>
      RESCALINGS.flatMap((rescaling) =>
        FAILOVER_SCOPES.map((failover): MatrixCell => ({ backend, mode, restore, rescaling, failover })),
      ),
    ),
  ),
);

function whyInvalid({ backend, restore, rescaling, failover }: MatrixCell): InvalidCombination | null {
  return invalidCombination({ backend, restore, failover, rescales: rescaling !== "same" });
}

/** The combinations that a job can run in. */
export const MATRIX: readonly MatrixCell[] = ALL.filter((cell) => whyInvalid(cell) === null);

/** Those that are refused when a job is built or a run prepared, each with the reason that is given then. */
export const INVALID_CELLS: readonly InvalidCell[] = ALL.flatMap((cell): readonly InvalidCell[] => {
  const invalid = whyInvalid(cell);
  return invalid === null ? [] : [{ ...cell, invalid }];
});

/** "lsm/unaligned/local/fewer/job". */
export function cellName({ backend, mode, restore, rescaling, failover }: MatrixCell): string {
  return `${backend}/${mode}/${restore}/${rescaling}/${failover}`;
}

/** The options that a run in a cell has; what is left is drawn. */
export function optionsOfCell({ backend, mode, restore, rescaling, failover }: MatrixCell): Partial<RunOptions> {
  const [parallelism, parallelismAfter] = PARALLELISMS[rescaling];
  return { backend, mode, restore, failover, parallelism, parallelismAfter };
}

/** The cell of a run, by the name of its combination ("lsm/unaligned/local/3to2/job"); null where it is in none. */
export function cellOfCombination(combination: string): MatrixCell | null {
  return BY_COMBINATION.get(combination) ?? null;
}

/** The cells that fit what is fixed already. */
export function cellsWith(fixed: Partial<RunOptions>): readonly MatrixCell[] {
  const keys = ["backend", "mode", "restore", "failover", "parallelism", "parallelismAfter"] as const;
  return MATRIX.filter((cell) => {
    const options = optionsOfCell(cell);
    return keys.every((key) => fixed[key] === undefined || fixed[key] === options[key]);
  });
}

const BY_COMBINATION: ReadonlyMap<string, MatrixCell> = new Map(
  MATRIX.map((cell) => {
    const [before, after] = PARALLELISMS[cell.rescaling];
    return [`${cell.backend}/${cell.mode}/${cell.restore}/${before}to${after}/${cell.failover}`, cell];
  }),
);
