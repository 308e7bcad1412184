import { consistentCutOracle } from "./consistent-cut.ts";
import { deadAttemptsOracle } from "./dead-attempts.ts";
import { durabilityOracle } from "./durability.ts";
import { fencingOracle } from "./fencing.ts";
import { livenessOracle } from "./liveness.ts";
import { localCopiesOracle } from "./local-copies.ts";
import { notificationsOracle } from "./notifications.ts";
import type { OracleKind } from "./oracle.ts";
import { referentialIntegrityOracle } from "./referential-integrity.ts";
import { restoreFidelityOracle } from "./restore-fidelity.ts";
import { sharedFilesOracle } from "./shared-files.ts";
import { sometimesOracle } from "./sometimes.ts";
import { watermarksAndTimersOracle } from "./watermarks-and-timers.ts";

/** The oracles that watch how the system works, whatever its jobs compute. */
export const PROTOCOL_ORACLES: readonly OracleKind[] = [
  durabilityOracle,
  referentialIntegrityOracle,
  consistentCutOracle,
  restoreFidelityOracle,
  localCopiesOracle,
  sharedFilesOracle,
  notificationsOracle,
  fencingOracle,
  deadAttemptsOracle,
  watermarksAndTimersOracle,
  livenessOracle,
  sometimesOracle,
];
