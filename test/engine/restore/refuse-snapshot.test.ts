import type { CheckpointMetadata } from "#whitewater/engine/checkpoint/checkpoint-metadata.js";
import type { SubtaskState } from "#whitewater/engine/checkpoint/subtask-state.js";
import type { JobGraph } from "#whitewater/engine/graph/job-graph.js";
import { refuseSnapshot } from "#whitewater/engine/restore/refuse-snapshot.js";
import { describe, expect, test } from "vitest";

const KEYED: SubtaskState = { file: { key: "f", sizeBytes: 1, checksum: 1 }, lists: [], keyed: ["sum"], inFlight: null, shared: [] };

/** A savepoint of the chain "sum" and "map", of which only "sum" has state. */
function savepoint(state: SubtaskState, isFinished = false): CheckpointMetadata {
  return {
    kind: "savepoint",
    checkpointId: 7,
    attempt: 1,
    triggeredAtUs: 0,
    maxParallelism: 32,
    inputEnded: false,
    vertices: [{ vertex: 0, uids: ["sum", "map"], isFinished, subtasks: [null, state] }],
  };
}

/** A job of one chain with these uids. */
function job(uids: readonly string[], maxParallelism = 32): JobGraph {
  return { vertices: [{ chain: uids.map((uid) => ({ uid })) }], config: { maxParallelism } } as unknown as JobGraph;
}

describe("a job that starts from a savepoint", () => {
  test("takes one of which it knows every operator, in whatever chain", () => {
    expect(refuseSnapshot(savepoint(KEYED), job(["new", "map", "sum"]), false)).toBeNull();
  });

  test("refuses to leave keyed state behind, and names the uid and the way out", () => {
    const refusal = refuseSnapshot(savepoint(KEYED), job(["map", "total"]), false);
    expect(refusal).toBe(
      'savepoint 7 holds state of the operator with the uid "sum", which the job does not have. ' +
        "Give the operator that takes it over this uid, or allow state that is not restored",
    );
    expect(refuseSnapshot(savepoint(KEYED), job(["map", "total"]), true)).toBeNull();
  });

  test("lets an operator without state go", () => {
    expect(refuseSnapshot(savepoint(KEYED), job(["sum"]), false)).toBeNull();
  });

  test("refuses to leave lists and shared files behind too, and what is not known to be without state", () => {
    const listed: SubtaskState = { ...KEYED, keyed: [], lists: [{ uid: "map", holdsUnion: false }] };
    expect(refuseSnapshot(savepoint(listed), job(["sum"]), false)).toContain('"map"');
    const file = { key: "s", sizeBytes: 1, checksum: 1 };
    const shared: SubtaskState = { ...KEYED, keyed: [], shared: [{ uid: "map", name: "t", file, isPlaceholder: false }] };
    expect(refuseSnapshot(savepoint(shared), job(["sum"]), false)).toContain('"map"');
    const { keyed: _keyed, ...unknown } = KEYED;
    expect(refuseSnapshot(savepoint(unknown), job(["sum"]), false)).toContain('"map"');
  });

  test("keeps the number of key groups", () => {
    expect(refuseSnapshot(savepoint(KEYED), job(["sum", "map"], 64), true)).toContain("Set the maximum parallelism to 32");
  });

  test("keeps the chain of operators that have finished together", () => {
    expect(refuseSnapshot(savepoint(KEYED, true), job(["sum"]), true)).toContain("Keep the chain as it was");
  });
});
