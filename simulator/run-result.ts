import type { FaultOutcome, FaultPlan } from "./faults/fault.ts";
import type { RunOptions } from "./scenario.ts";

export type VerdictKind =
  | "ok"
  | "violation"
  | "stuck"
  | "expected-failure"
  | "invalid-plan"
  | "diverged"
  | "crashed";

/** One thing an oracle found wrong. */
export interface Finding {
  /** Name of the oracle ("exactly-once state"). */
  readonly oracle: string;
  /** What is wrong, in one line: which key, expected and got. */
  readonly message: string;
  /** Step and virtual time at which the oracle saw it. */
  readonly step: number;
  readonly atUs: number;
}

/** Everything one run of a scenario gives. Frozen; plain data; the same for the same inputs. */
export interface RunResult {
  readonly scenario: string;
  /** "heap/aligned/full/4/job". */
  readonly combination: string;
  readonly options: RunOptions;
  /** Decimal u64. */
  readonly seed: string;
  readonly verdict: VerdictKind;
  /** The findings of the oracles, or what went wrong for other verdicts; empty for ok. */
  readonly findings: readonly Finding[];
  /** 16 hexadecimal digits. */
  readonly digest: string;
  readonly steps: number;
  readonly tracePoints: number;
  readonly virtualTimeUs: number;
  readonly plan: FaultPlan;
  readonly faults: readonly FaultOutcome[];
  /** How often each declared path was reached in this run. */
  readonly sometimes: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly checkpointsCompleted: number;
  /** Checkpoint of the last restore, or null. */
  readonly restoredFrom: number | null;
}

/**
 * "matrix": a recovery at a good moment, and swarm faults in a part of the runs. "crash-everywhere": a small input;
 * what goes wrong is in the plans that `CrashEverywhere` makes.
 */
export type Profile = "swarm" | "calm" | "network" | "disk" | "matrix" | "crash-everywhere";
export const PROFILES: readonly Profile[] = ["swarm", "calm", "network", "disk", "matrix", "crash-everywhere"];

/** Name of the oracle that restores the checkpoints of a run, where a request asks for it. */
export const RESTORE_EVERY = "restore from every checkpoint";

/** How to run. */
export interface RunRequest {
  /** Decimal u64. */
  readonly seed: string;
  readonly profile: Profile;
  /** Fixes options that the seed would draw. */
  readonly fixed: Partial<RunOptions>;
  /** Replaces the plan that the seed would draw. */
  readonly plan: FaultPlan | null;
  /** Off: only the digest is made (for benchmarks of the bare engine). */
  readonly oracles: boolean;
  /** Also folds every emitted buffer into the digest, and freezes records. */
  readonly checked: boolean;
  /** Also restores the checkpoints of the run, each in a fresh cluster (see restore-every); absent: no. */
  readonly restoreEvery?: boolean;
  readonly maxSteps: number;
}

/** "heap/aligned/full/4to2/job". */
export function combinationOf({ backend, mode, restore, parallelism, parallelismAfter, failover }: RunOptions): string {
  return `${backend}/${mode}/${restore}/${parallelism}to${parallelismAfter}/${failover}`;
}
