import { describe, expect, it } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { OperatorLists } from "#whitewater/engine/state/operator-list-state.js";

describe("OperatorLists", () => {
  it("give back their lists after a restore, and equal lists give equal bytes", () => {
    const lists = new OperatorLists();
    const offsets = [{ partition: 0, offset: 12 }, { partition: 2, offset: 5n }];
    lists.update("offsets", offsets);
    lists.update("commits", ["t1"]);
    lists.update("gone", [1]);
    lists.update("gone", []);
    offsets.pop();
    const other = new OperatorLists();
    other.update("commits", ["t1"]);
    other.update("offsets", [{ offset: 12, partition: 0 }, { offset: 5n, partition: 2 }]);
    expect(other.bytes()).toEqual(lists.bytes());
    const restored = new OperatorLists();
    restored.update("before", [1]);
    restored.restore(lists.bytes());
    expect(restored.names()).toEqual(["commits", "offsets"]);
    expect(restored.get("offsets")).toEqual([{ partition: 0, offset: 12 }, { partition: 2, offset: 5n }]);
    expect(restored.get("before")).toEqual([]);
  });

  it("refuse damaged bytes and keep what they had", () => {
    const lists = new OperatorLists();
    lists.update("a", [1, "two"]);
    const bytes = lists.bytes();
    for (let length = 1; length < bytes.length; length++) {
      expect(() => lists.restore(bytes.subarray(0, length))).toThrow(CorruptBytesError);
    }
    expect(() => lists.restore(Uint8Array.from([...bytes, 0]))).toThrow(CorruptBytesError);
    expect(lists.get("a")).toEqual([1, "two"]);
  });
});
