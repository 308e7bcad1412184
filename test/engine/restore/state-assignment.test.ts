import { describe, expect, it } from "vitest";
import type { SubtaskState } from "#whitewater/engine/checkpoint/subtask-state.js";
import { assignState } from "#whitewater/engine/restore/state-assignment.js";

function state(subtask: number, lists: SubtaskState["lists"] = []): SubtaskState {
  return { file: { key: `s${subtask}`, sizeBytes: 1, checksum: 1 }, lists, inFlight: null, shared: [] };
}

function vertexOf(subtasks: readonly (SubtaskState | null)[]) {
  return [{ isFinished: false, vertex: 3, uids: ["map", "sum"], subtasks }];
}

describe("the state of an operator", () => {
  it("is found by uid, whatever vertex it ran in, and unknown operators start empty", () => {
    const place = { subtask: 0, parallelism: 1, maxParallelism: 10 };
    expect(assignState(vertexOf([state(0)]), "sum", place)?.keyed).toEqual([0]);
    expect(assignState(vertexOf([state(0)]), "other", place)).toBeNull();
  });

  it("goes to the same subtask where the parallelism stays", () => {
    const four = vertexOf([state(0), null, state(2), state(3)]);
    for (let subtask = 0; subtask < 4; subtask += 1) {
      const assigned = assignState(four, "sum", { subtask, parallelism: 4, maxParallelism: 10 });
      expect([assigned?.keyed, assigned?.lists, assigned?.redistributes]).toEqual([[subtask], [subtask], false]);
    }
  });

  it("is cut by key groups: 10/4 [0-2][3-4][5-7][8-9] to 10/3 [0-3][4-6][7-9] and back", () => {
    const keyed = (old: number, parallelism: number): unknown =>
      Array.from({ length: parallelism }, (_, subtask) =>
        assignState(vertexOf(Array.from({ length: old }, (__, i) => state(i))), "sum", { subtask, parallelism, maxParallelism: 10 })?.keyed,
      );
    expect(keyed(4, 3)).toEqual([[0, 1], [1, 2], [2, 3]]);
    expect(keyed(3, 4)).toEqual([[0], [0, 1], [1, 2], [2]]);
    expect(keyed(4, 1)).toEqual([[0, 1, 2, 3]]);
  });

  it("lists are dealt out anew from those who have any when the parallelism changes, or one of them is a union", () => {
    const split = [{ uid: "sum", holdsUnion: false }];
    const union = [{ uid: "sum", holdsUnion: true }];
    const lists = (subtasks: readonly (SubtaskState | null)[], parallelism: number): unknown => {
      const assigned = assignState(vertexOf(subtasks), "sum", { subtask: 1, parallelism, maxParallelism: 10 });
      return [assigned?.lists, assigned?.redistributes];
    };
    expect(lists([state(0, split), null, state(2)], 2)).toEqual([[0], true]);
    expect(lists([state(0, split), state(1, split)], 2)).toEqual([[1], false]);
    expect(lists([state(0, split), state(1)], 3)).toEqual([[0], true]);
    expect(lists([state(0), state(1)], 3)).toEqual([[], false]);
    // A subtask without a file of its own gets the elements of the others.
    expect(lists([state(0, union), null], 2)).toEqual([[0], true]);
  });
});
