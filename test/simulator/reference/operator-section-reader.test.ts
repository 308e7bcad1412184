import { expect, test } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { listState, mapState } from "#whitewater/engine/state/descriptors.js";
import { KeyedSectionWriter } from "#whitewater/engine/state/keyed-section-writer.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { int32Serializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { readListSection, readOperatorSection } from "#whitewater/simulator/reference/operator-section-reader.js";

test("operator state reads back as the engine wrote it", () => {
  const backend = new OperatorStateBackend();
  backend.update("offsets", [[0, 5], [1, 7]]);
  backend.update("committables", [{ id: "t-1" }]);
  backend.update("empty", []);
  expect([...readListSection(backend.bytes())]).toEqual([["committables", [{ id: "t-1" }]], ["offsets", [[0, 5], [1, 7]]]]);
  backend.unionListState(listState<number>("union", { serializer: int32Serializer })).addAll([3, -1]);
  backend.unionListState(listState<number>("union-empty"));
  const rules = mapState<string, number>("rules", { serializer: int32Serializer, keySerializer: stringSerializer });
  backend.broadcastState(rules).put("b", 2);
  backend.broadcastState(rules).put("a", 1);
  expect([...readOperatorSection(backend.bytes()).values()]).toEqual([
    { name: "committables", mode: "split", elements: [{ id: "t-1" }] },
    { name: "offsets", mode: "split", elements: [[0, 5], [1, 7]] },
    { name: "rules", mode: "broadcast", elements: [["b", 2], ["a", 1]] },
    { name: "union", mode: "union", elements: [3, -1] },
    { name: "union-empty", mode: "union", elements: [] },
  ]);
  expect(readOperatorSection(new OperatorStateBackend().bytes()).size).toBe(0);
});

test("keyed state, a cut, and what follows the end are refused", () => {
  const backend = new OperatorStateBackend();
  backend.update("a", [1]);
  const bytes = backend.bytes();
  const keyed = new KeyedSectionWriter(1, { start: 0, end: -1 }, []).toBytes();
  expect(() => readListSection(keyed)).toThrow(/not those of operator state/);
  for (let length = 1; length < bytes.length; length++) {
    expect(() => readListSection(bytes.slice(0, length))).toThrow(CorruptBytesError);
  }
  expect(() => readListSection(Uint8Array.from([...bytes, 1]))).toThrow(/follows the last operator state/);
});
