import type { Scenario } from "../../simulator/scenario.ts";
import { matrixBetween } from "./between.ts";
import { matrixChain } from "./chain.ts";
import { matrixEarlyEnd } from "./early-end.ts";
import { matrixPipelines } from "./pipelines.ts";
import { matrixShuffledSink } from "./shuffled-sink.ts";
import { matrixTwoInputs } from "./two-inputs.ts";
import { matrixUnion } from "./union.ts";

/** The jobs of the matrix, one for each shape that a job can have. Which of them a seed runs depends on its position. */
export const JOB_SHAPES: readonly Scenario[] = [
  matrixChain,
  matrixPipelines,
  matrixBetween,
  matrixTwoInputs,
  matrixUnion,
  matrixEarlyEnd,
  matrixShuffledSink,
];
