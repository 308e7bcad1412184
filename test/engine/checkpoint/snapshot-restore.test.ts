import { describe, expect, test } from "vitest";
import type { ClaimMode, StartingSnapshot } from "#whitewater/engine/checkpoint/snapshot-restore.js";
import { isOwned } from "#whitewater/engine/checkpoint/snapshot-restore.js";

const FILE = { key: "metadata", sizeBytes: 1, checksum: 1 };
const CHECKPOINT: StartingSnapshot = { kind: "checkpoint", checkpointId: 5, file: FILE };
const SAVEPOINT: StartingSnapshot = { kind: "savepoint", checkpointId: 5, requestId: "s", stop: "suspend", file: FILE };

/** Of the snapshots 4 to 6 of a kind, those that are the job's. */
function owned(snapshot: StartingSnapshot | null, claim: ClaimMode, kind: "checkpoint" | "savepoint"): readonly number[] {
  const restoreFrom = snapshot === null ? null : { snapshot, claim, allowNonRestoredState: false, parallelism: null };
  return [4, 5, 6].filter((checkpointId) => isOwned(restoreFrom, { kind, checkpointId }));
}

describe("whose a snapshot is", () => {
  test.each([
    ["from nothing", null, "no-claim", [4, 5, 6], []],
    ["from a checkpoint, claimed", CHECKPOINT, "claim", [4, 5, 6], []],
    ["from a checkpoint of somebody else's", CHECKPOINT, "no-claim", [6], []],
    ["from a savepoint, claimed", SAVEPOINT, "claim", [4, 5, 6], [5]],
    ["from a savepoint of somebody else's", SAVEPOINT, "no-claim", [4, 5, 6], []],
  ] as const)("of a job that starts %s", (_title, snapshot, claim, checkpoints, savepoints) => {
    expect(owned(snapshot, claim, "checkpoint")).toEqual(checkpoints);
    expect(owned(snapshot, claim, "savepoint")).toEqual(savepoints);
  });
});
