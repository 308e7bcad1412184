import { describe, expect, it } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { StateDescriptor } from "#whitewater/engine/state/descriptors.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { int32Serializer, longSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { StateSchemaError } from "#whitewater/engine/state/state-errors.js";
import { ttlConfig } from "#whitewater/engine/state/ttl-config.js";

const numbers = listState<number>("numbers", { serializer: int32Serializer });
const rules = mapState<string, number>("rules", { serializer: int32Serializer, keySerializer: stringSerializer });

function restored(bytes: Uint8Array): OperatorStateBackend {
  const backend = new OperatorStateBackend();
  backend.restore(bytes);
  return backend;
}

describe("operator state", () => {
  it("gives back its lists after a restore, and equal lists give equal bytes", () => {
    const lists = new OperatorStateBackend();
    const offsets = [{ partition: 0, offset: 12 }, { partition: 2, offset: 5n }];
    lists.update("offsets", offsets);
    lists.update("commits", ["t1"]);
    lists.update("gone", [1]);
    lists.update("gone", []);
    offsets.pop();
    const other = new OperatorStateBackend();
    other.update("commits", ["t1"]);
    other.update("offsets", [{ offset: 12, partition: 0 }, { offset: 5n, partition: 2 }]);
    expect(other.bytes()).toEqual(lists.bytes());
    const again = new OperatorStateBackend();
    again.update("before", [1]);
    again.restore(lists.bytes());
    expect(again.get("offsets")).toEqual([{ partition: 0, offset: 12 }, { partition: 2, offset: 5n }]);
    expect(again.get("before")).toEqual([]);
    expect(again.bytes()).toEqual(lists.bytes());
  });

  it("without any content has no bytes, except that a union list is remembered", () => {
    const backend = new OperatorStateBackend();
    backend.update("split", []);
    backend.broadcastState(rules).put("a", 1);
    backend.broadcastState(rules).clear();
    expect(backend.bytes()).toHaveLength(0);
    backend.unionListState(numbers);
    expect(backend.bytes().length).toBeGreaterThan(0);
    expect(restored(backend.bytes()).unionListState(numbers).get()).toEqual([]);
  });

  it("keeps split list, union list and broadcast state, each with its serializer", () => {
    const backend = new OperatorStateBackend();
    const split = backend.listState(listState<string>("split", { serializer: stringSerializer }));
    split.add("a");
    split.addAll(["b", "c"]);
    const union = backend.unionListState(numbers);
    union.update([1, 2]);
    const broadcast = backend.broadcastState(rules);
    broadcast.put("z", 26);
    broadcast.put("a", 1);
    broadcast.put("gone", 0);
    broadcast.remove("gone");
    broadcast.put("z", 27);
    const again = restored(backend.bytes());
    expect(again.listState(listState<string>("split", { serializer: stringSerializer })).get()).toEqual(["a", "b", "c"]);
    expect(again.unionListState(numbers).get()).toEqual([1, 2]);
    const map = again.broadcastState(rules);
    expect(map.entries()).toEqual([["z", 27], ["a", 1]]);
    expect([map.get("z"), map.get("gone"), map.contains("a"), map.contains("gone"), map.isEmpty()]).toEqual([27, null, true, false, false]);
    expect(again.bytes()).toEqual(backend.bytes());
  });

  it("bound twice is one state, and bound as another kind it throws, also after a restore", () => {
    const backend = new OperatorStateBackend();
    const union = backend.unionListState(numbers);
    expect(backend.unionListState(numbers)).toBe(union);
    union.add(1);
    for (const one of [backend, restored(backend.bytes())]) {
      expect(() => one.listState(numbers)).toThrow(/operator state "numbers" is a union list, and not a split list/);
      expect(() => one.get("numbers")).toThrow(/is a union list/);
      expect(() => one.broadcastState(mapState("numbers"))).toThrow(/is a union list, and not broadcast state/);
    }
  });

  it("is bound with the descriptor of a list or of a map, without a time to live", () => {
    const backend = new OperatorStateBackend();
    const value = valueState("v") as unknown as StateDescriptor<any>;
    expect(() => backend.listState(value)).toThrow(/"v" is bound with the descriptor of a list state, not of value state/);
    expect(() => backend.broadcastState(numbers as unknown as StateDescriptor<any>)).toThrow(/descriptor of a map state/);
    const ttl = ttlConfig({ ttlMs: 1 });
    expect(() => backend.listState(listState("l", { ttl }))).toThrow(/operator state "l" has no time to live/);
  });

  it("goes into the next snapshot as it is while nobody binds it", () => {
    const backend = new OperatorStateBackend();
    backend.unionListState(numbers).add(7);
    backend.listState(listState<string>("kept")).add("x");
    const again = restored(backend.bytes());
    again.listState(listState<string>("kept")).add("y");
    const last = restored(again.bytes());
    expect(last.unionListState(numbers).get()).toEqual([7]);
    expect(last.get("kept")).toEqual(["x", "y"]);
  });

  it("does not change what it gave out", () => {
    const list = new OperatorStateBackend().listState(numbers);
    const given = [1, 2];
    list.update(given);
    given.push(3);
    const read = list.get();
    list.add(4);
    list.addAll([5]);
    expect(read).toEqual([1, 2]);
    expect(list.get()).toEqual([1, 2, 4, 5]);
    list.clear();
    expect(list.get()).toEqual([]);
  });

  it("takes keys of equal content for one in broadcast state", () => {
    const map = new OperatorStateBackend().broadcastState(mapState<readonly number[] | number, string>("m"));
    map.put([1, 2], "a");
    map.put([1, 2], "b");
    map.put(-0, "zero");
    expect(map.entries()).toEqual([[[1, 2], "b"], [0, "zero"]]);
    expect(map.get([1, 2])).toBe("b");
  });

  it("is migrated where the schema allows it, and refused where not, with both schemas", () => {
    const backend = new OperatorStateBackend();
    backend.listState(numbers).update([1, -2]);
    backend.broadcastState(rules).put("a", 1);
    const longs = listState<number>("numbers", { serializer: longSerializer });
    const again = restored(backend.bytes());
    expect(again.listState(longs).get()).toEqual([1, -2]);
    again.listState(longs).add(5_000_000_000);
    expect(restored(again.bytes()).listState(longs).get()).toEqual([1, -2, 5_000_000_000]);
    const texts = listState<string>("numbers", { serializer: stringSerializer });
    const refused = restored(backend.bytes());
    expect(() => refused.listState(texts)).toThrow(StateSchemaError);
    expect(() => refused.listState(texts)).toThrow(/"numbers" was written as int32 and is bound as string/);
    const otherKeys = mapState<number, number>("rules", { serializer: int32Serializer, keySerializer: int32Serializer });
    expect(() => refused.broadcastState(otherKeys)).toThrow(/"rules" was written as .* and is bound as/);
  });

  it("refuses damaged bytes and keeps what it had", () => {
    const backend = new OperatorStateBackend();
    backend.update("a", [1, "two"]);
    backend.broadcastState(rules).put("a", 1);
    const bytes = backend.bytes();
    for (let length = 1; length < bytes.length; length++) {
      expect(() => backend.restore(bytes.subarray(0, length))).toThrow(CorruptBytesError);
    }
    expect(() => backend.restore(Uint8Array.from([...bytes, 0]))).toThrow(CorruptBytesError);
    expect(backend.get("a")).toEqual([1, "two"]);
  });
});
