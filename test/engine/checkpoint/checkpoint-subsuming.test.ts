import { CHECKPOINT, DRAIN, SAVEPOINT, SUSPEND } from "#whitewater/engine/checkpoint/checkpoint-properties.js";
import { lowestRetainedCheckpoint, subsumed, type Subsumable } from "#whitewater/engine/checkpoint/checkpoint-subsuming.js";
import { retainsCheckpoints, type CheckpointRetention, type JobEnd } from "#whitewater/engine/graph/checkpoint-retention.js";
import { describe, expect, test } from "vitest";

/** "c": checkpoint, "s": savepoint, "t": stopped with it, "d": drained; numbered from 1. */
function retained(kinds: string): Subsumable[] {
  const properties = { c: CHECKPOINT, s: SAVEPOINT, t: SUSPEND, d: DRAIN } as const;
  return [...kinds].map((kind, index) => ({ checkpointId: index + 1, properties: properties[kind as "c"] }));
}

const leaving = (kinds: string, most: number) => subsumed(retained(kinds), most).map(({ checkpointId }) => checkpointId);

describe("subsumption", () => {
  test.each([
    ["", 1, []],
    ["c", 1, []],
    ["cc", 2, []],
    ["cc", 1, [1]],
    ["cccc", 2, [1, 2]],
    // Never the latest that is no savepoint (FLINK-21351), however many are to stay.
    ["cs", 1, []],
    ["css", 1, [2]],
    ["csc", 1, [1, 2]],
    ["ccs", 1, [1]],
    ["ccs", 2, [1]],
    ["scs", 1, [1]],
    // A job that ended with a savepoint builds no increment on anything.
    ["ct", 1, [1]],
    ["cct", 1, [1, 2]],
    ["csd", 1, [1, 2]],
  ])("of %s with %i to stay, %j leave", (kinds, most, expected) => {
    expect(leaving(kinds, most)).toEqual(expected);
  });

  test("shared files are kept from the first retained checkpoint that is no savepoint", () => {
    expect(lowestRetainedCheckpoint(retained("sscc"))).toBe(3);
    expect(lowestRetainedCheckpoint(retained("ss"))).toBeNull();
  });
});

describe("retention when a job ends", () => {
  const table: readonly [CheckpointRetention, Readonly<Record<JobEnd, boolean>>][] = [
    ["never", { finished: false, failed: false, cancelled: false }],
    ["on-failure", { finished: false, failed: true, cancelled: false }],
    ["on-cancellation", { finished: false, failed: true, cancelled: true }],
    ["always", { finished: true, failed: true, cancelled: true }],
  ];
  test.each(table)("%s", (retention, expected) => {
    for (const end of ["finished", "failed", "cancelled"] as const) expect(retainsCheckpoints(retention, end)).toBe(expected[end]);
  });
});
