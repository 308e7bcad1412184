import { livenessOracle } from "./liveness.ts";
import type { OracleKind } from "./oracle.ts";

/** The oracles that watch how the system works, whatever its jobs compute. */
export const PROTOCOL_ORACLES: readonly OracleKind[] = [livenessOracle];
