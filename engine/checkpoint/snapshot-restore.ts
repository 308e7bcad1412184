import type { CheckpointId } from "../base/units.ts";
import type { SnapshotKind } from "./checkpoint-properties.ts";
import type { FileHandle } from "./checksummed-file.ts";
import type { SavepointRecord } from "./savepoint-record.ts";

/**
 * Whose the files of a snapshot are once a job was started from it (Flink: RecoveryClaimMode). "claim": the job's, and
 * deleted when later checkpoints take its place and use none of them. "no-claim": somebody else's. They are never
 * touched, nor is the record, and no checkpoint of the job names any of them: its owner may take them away.
 */
export type ClaimMode = "claim" | "no-claim";

/** A savepoint, or a checkpoint that a job left behind. */
export type StartingSnapshot =
  | ({ readonly kind: "savepoint" } & SavepointRecord)
  | {
      readonly kind: "checkpoint";
      readonly checkpointId: CheckpointId;
      /** The metadata file. */
      readonly file: FileHandle;
    };

/** What a job starts from, and how. */
export interface SnapshotRestore {
  readonly snapshot: StartingSnapshot;
  readonly claim: ClaimMode;
  /** State of operators that the job does not have any more is left behind. */
  readonly allowNonRestoredState: boolean;
  /** What the job runs with; null: as it says itself. */
  readonly parallelism: number | null;
}

/** What ownership depends on. */
export interface OwnedSnapshot {
  readonly kind: SnapshotKind;
  readonly checkpointId: CheckpointId;
}

/**
 * True for a snapshot that is the job's to delete. A savepoint is where the job claimed it. A checkpoint is not where
 * the job was started from it without a claim, or from a later one that may stand on its files.
 */
export function isOwned(restoreFrom: SnapshotRestore | null, { kind, checkpointId }: OwnedSnapshot): boolean {
  const { snapshot, claim } = restoreFrom ?? { snapshot: null, claim: null };
  if (kind === "savepoint") return claim === "claim" && snapshot?.kind === "savepoint" && snapshot.checkpointId === checkpointId;
  return claim !== "no-claim" || snapshot?.kind !== "checkpoint" || checkpointId > snapshot.checkpointId;
}
