import type { MatrixCell } from "../../simulator/explore/matrix.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import { matrixBetween } from "./between.ts";
import { matrixChain } from "./chain.ts";
import { matrixEarlyEnd } from "./early-end.ts";
import { matrixPipelines } from "./pipelines.ts";
import { matrixShuffledSink } from "./shuffled-sink.ts";
import { matrixTwoInputs } from "./two-inputs.ts";
import { matrixUnion } from "./union.ts";

/** The jobs of the matrix, one for each shape that a job can have. */
export const JOB_SHAPES: readonly Scenario[] = [
  matrixChain,
  matrixPipelines,
  matrixBetween,
  matrixTwoInputs,
  matrixUnion,
  matrixEarlyEnd,
  matrixShuffledSink,
];

/**
 * Which of these jobs a seed runs in a cell: one after the other. Where regions fail over alone, every other seed
 * runs the one that has several.
 */
export function shapeOf(seed: bigint, { failover }: MatrixCell, shapes: readonly Scenario[]): number {
  const several = shapes.indexOf(matrixPipelines);
  if (failover === "region" && several >= 0 && seed % 2n === 1n) return several;
  return Number(seed % BigInt(shapes.length));
}
