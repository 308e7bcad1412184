import { committedOutputOracle } from "./committed-output.ts";
import type { OracleKind } from "./oracle.ts";

/** The oracles that watch what a job computes: its state and its output, record by record. */
export const DATA_ORACLES: readonly OracleKind[] = [committedOutputOracle];
