import { committedOutputOracle } from "./committed-output.ts";
import type { OracleKind } from "./oracle.ts";
import { provenanceOracle } from "./provenance.ts";
import { referenceStateOracle } from "./reference-state.ts";
import { survivingHistoryOracle } from "./surviving-history.ts";

/** The oracles that watch what a job computes: its state and its output, record by record. */
export const DATA_ORACLES: readonly OracleKind[] = [
  provenanceOracle,
  referenceStateOracle,
  survivingHistoryOracle,
  committedOutputOracle,
];
