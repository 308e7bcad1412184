import { cellOfCombination, cellsWith, optionsOfCell } from "../../simulator/explore/matrix.ts";
import type { RunResult } from "../../simulator/run-result.ts";
import type { RunOptions } from "../../simulator/scenario.ts";
import { UsageError } from "../files/usage-error.ts";
import type { MatrixRequest } from "../sweep/matrix-sweep.ts";
import type { RunCommandOptions } from "./run-options.ts";

/** What `--profile matrix` runs. */
export interface ChosenMatrix {
  readonly names: readonly string[];
  readonly request: MatrixRequest;
}

/** The jobs of the matrix, or those of them that are named, in the combinations that fit what is fixed. */
export async function chooseMatrix(names: readonly string[], { fixed }: RunCommandOptions): Promise<ChosenMatrix> {
  const { JOB_SHAPES, shapeOf } = await import("../../scenarios/matrix/job-shapes.ts");
  const known = JOB_SHAPES.map(({ name }) => name);
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new UsageError(`--profile matrix ${stranger}`, "it is no job of the matrix", `leave it out, or choose from ${known.join(", ")}`);
  }
  const shapes = names.length === 0 ? JOB_SHAPES : JOB_SHAPES.filter(({ name }) => names.includes(name));
  const cells = cellsWith(fixed);
  if (cells.length === 0) {
    const options = Object.entries(fixed).map(([name, value]) => `${name} ${String(value)}`);
    throw new UsageError(
      `--profile matrix with ${options.join(", ")}`,
      "the matrix has no such combination",
      "fix less; its parallelisms are 2 (2to2), 3to2 and 2to3",
    );
  }
  return {
    names: shapes.map(({ name }) => name),
    request: { cells, scenarioOf: (seed, cell) => shapeOf(seed, cell, shapes) },
  };
}

/** What was fixed in a run of the matrix: all that its cell names. */
export function fixedInMatrix({ combination }: RunResult): Partial<RunOptions> {
  const cell = cellOfCombination(combination);
  return cell === null ? {} : optionsOfCell(cell);
}
