import { describe, expect, it } from "vitest";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyGroupRange, SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import { KeyedSectionReader } from "#whitewater/engine/state/keyed-section-reader.js";
import { KeyedSectionWriter } from "#whitewater/engine/state/keyed-section-writer.js";
import { int32Serializer, longSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { schemaText } from "#whitewater/engine/state/serializers/schema-text.js";
import { field, struct } from "#whitewater/engine/state/serializers/struct-serializer.js";
import { ttlSerializer } from "#whitewater/engine/state/serializers/ttl-serializer.js";
import type { SectionState } from "#whitewater/engine/state/snapshot-format.js";
import type { TypeSerializer } from "#whitewater/engine/state/type-serializer.js";
import { StateSchemaError } from "#whitewater/engine/state/state-errors.js";
import { keyGroupOf, keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { randomStream } from "./random-stream.js";

const MAX_PARALLELISM = 8;
const ALL: KeyGroupRange = { start: 0, end: MAX_PARALLELISM - 1 };
const KEYS = ["a", "b", "c", "d"];

const oldUser = struct({ name: field(stringSerializer), city: field(stringSerializer) });
const newUser = struct({
  label: field(stringSerializer, { renamedFrom: "name" }),
  visits: field(longSerializer, { default: 0 }),
  city: field(stringSerializer),
});

function backend(range: KeyGroupRange = ALL): HeapKeyedBackend {
  return new HeapKeyedBackend({ range, maxParallelism: MAX_PARALLELISM, tieBreak: randomStream(1) });
}

function restored(...sections: readonly Uint8Array[]): HeapKeyedBackend {
  const state = backend();
  state.restore(sections);
  return state;
}

function finish(writer: SnapshotWriter): Uint8Array {
  while (writer.step(2) > 0);
  return writer.bytes();
}

function snapshotOf(state: HeapKeyedBackend): Uint8Array {
  return finish(state.snapshot());
}

/** The schemas of a section, by state. */
function schemasOf(bytes: Uint8Array): Readonly<Record<string, string>> {
  const { states } = new KeyedSectionReader(bytes);
  return Object.fromEntries(states.map(({ name, serializer }) => [name, schemaText(serializer.schema)]));
}

const OLD_TEXT = "struct{name: string, city: string}";
const NEW_TEXT = "struct{label: string (was name), visits: long = default, city: string}";

/** Users of the old job as value state, list state and map state. */
function oldJob(range: KeyGroupRange = ALL): HeapKeyedBackend {
  const state = backend(range);
  const value = state.bind(valueState("v", null, { serializer: oldUser })).state;
  const list = state.bind(listState("l", { serializer: oldUser }));
  const map = state.bind(mapState("m", { serializer: oldUser, keySerializer: int32Serializer })).state;
  for (const key of KEYS) {
    const keyGroup = keyGroupOf(key, MAX_PARALLELISM);
    if (keyGroup < range.start || keyGroup > range.end) continue;
    state.setCurrentKey(key);
    value.update({ name: key, city: "x" });
    list.setNamespace(5);
    list.state.addAll([{ name: key, city: "1" }, { name: key, city: "2" }]);
    map.put(2, { name: `${key}2`, city: "y" });
    map.put(1, { name: `${key}1`, city: "z" });
  }
  return state;
}

function bindNew(state: HeapKeyedBackend): (key: string) => unknown {
  const value = state.bind(valueState("v", null, { serializer: newUser })).state;
  const list = state.bind(listState("l", { serializer: newUser }));
  const map = state.bind(mapState("m", { serializer: newUser, keySerializer: int32Serializer })).state;
  list.setNamespace(5);
  return (key) => {
    state.setCurrentKey(key);
    return [value.value(), list.state.get(), map.entries()];
  };
}

function newContents(key: string): unknown {
  const user = (label: string, city: string): unknown => ({ label, visits: 0, city });
  return [
    user(key, "x"),
    [user(key, "1"), user(key, "2")],
    [[2, user(`${key}2`, "y")], [1, user(`${key}1`, "z")]],
  ];
}

describe("restored state that is bound with another schema", () => {
  it("is what the new job wants, whatever its kind, and is written with the new schema from then on", () => {
    const state = restored(snapshotOf(oldJob()));
    const contents = bindNew(state);
    for (const key of KEYS) expect(contents(key)).toEqual(newContents(key));
    expect(schemasOf(snapshotOf(state))).toEqual({ v: NEW_TEXT, l: NEW_TEXT, m: NEW_TEXT });
  });

  it("survives restore, bind, snapshot and restore (FLINK-12064)", () => {
    const first = restored(snapshotOf(oldJob()));
    bindNew(first);
    const bytes = snapshotOf(first);
    const second = restored(bytes);
    const contents = bindNew(second);
    for (const key of KEYS) expect(contents(key)).toEqual(newContents(key));
    expect(snapshotOf(second)).toEqual(bytes);
  });

  it("is written with the old schema and the old values by a snapshot that began before", () => {
    const old = snapshotOf(oldJob());
    const state = restored(old);
    const before = state.snapshot();
    const begun = state.snapshot();
    begun.step(3);
    bindNew(state);
    const after = state.snapshot();
    const other = state.bind(valueState<number>("later")).state;
    state.setCurrentKey("a");
    other.update(1);
    expect(finish(begun)).toEqual(old);
    expect(finish(before)).toEqual(old);
    expect(schemasOf(finish(after))).toEqual({ v: NEW_TEXT, l: NEW_TEXT, m: NEW_TEXT });
  });

  it("can be changed after the migration without a change to snapshots in flight or to what was handed out", () => {
    const state = restored(snapshotOf(oldJob()));
    const list = state.bind(listState("l", { serializer: newUser }));
    const writer = state.snapshot();
    list.setNamespace(5);
    state.setCurrentKey("a");
    const before = list.state.get();
    list.state.add({ label: "new", visits: 1, city: "3" });
    expect([before.length, list.state.get().length]).toEqual([2, 3]);
    const again = restored(finish(writer));
    const seen = again.bind(listState("l", { serializer: newUser }));
    seen.setNamespace(5);
    again.setCurrentKey("a");
    expect(seen.state.get()).toEqual(before);
  });

  it("is converted when it is bound, not with every access", () => {
    const state = restored(snapshotOf(oldJob()));
    const value = state.bind(valueState("v", null, { serializer: newUser })).state;
    state.setCurrentKey("a");
    expect(value.value()).toBe(value.value());
    expect(schemasOf(snapshotOf(state))).toEqual({ v: NEW_TEXT, l: OLD_TEXT, m: OLD_TEXT });
  });

  it("may be an accumulator, or a value with the time of its last update", () => {
    const ttl = ttlSerializer(oldUser);
    const states: readonly SectionState[] = [
      { name: "r", kind: "reducing", serializer: oldUser, keySerializer: null },
      { name: "t", kind: "aggregating", serializer: ttl, keySerializer: null },
    ];
    const keyGroup = keyGroupOf("k", MAX_PARALLELISM);
    const writer = new KeyedSectionWriter(MAX_PARALLELISM, { start: keyGroup, end: keyGroup }, states);
    writer.beginKey("k");
    writer.value(0, "", { name: "a", city: "x" });
    writer.value(1, "", { lastUpdateMs: 9, value: { name: "b", city: "y" } });
    writer.endGroup(0);
    const state = restored(writer.toBytes());
    const kept = restored(snapshotOf(state));
    expect(kept.entries()).toEqual(state.entries());
    kept.bind(reducingState("r", (left) => left, { serializer: newUser }));
    const add = { createAccumulator: () => null, add: () => null, getResult: () => null };
    kept.bind(aggregatingState("t", add, { serializer: ttlSerializer(newUser) as TypeSerializer<any> }));
    const contents = kept.entries().map(({ state: name, value }) => [name, value]);
    expect(contents).toEqual([
      ["r", { label: "a", visits: 0, city: "x" }],
      ["t", { lastUpdateMs: 9, value: { label: "b", visits: 0, city: "y" } }],
    ]);
    expect(schemasOf(snapshotOf(kept))).toEqual({ r: NEW_TEXT, t: `ttl<${NEW_TEXT}>` });
  });

  it("stays as it is where the schemas are equal, and where nobody binds it", () => {
    const bytes = snapshotOf(oldJob());
    expect(snapshotOf(restored(bytes))).toEqual(bytes);
    const state = restored(bytes);
    const same = struct({ name: field(stringSerializer), city: field(stringSerializer) });
    state.bind(valueState("v", null, { serializer: same }));
    expect(snapshotOf(state)).toEqual(bytes);
  });

  it("is migrated as it is loaded where it was bound before", () => {
    const state = backend();
    const contents = bindNew(state);
    state.restore([snapshotOf(oldJob())]);
    for (const key of KEYS) expect(contents(key)).toEqual(newContents(key));
    expect(schemasOf(snapshotOf(state))).toEqual({ v: NEW_TEXT, l: NEW_TEXT, m: NEW_TEXT });
  });
});

describe("state that cannot be read with the schema it is bound with", () => {
  const withSize = struct({ name: field(stringSerializer), size: field(int32Serializer) });

  it.each<[string, (state: HeapKeyedBackend) => unknown, string]>([
    [
      "a field without a default",
      (state) => state.bind(valueState("v", null, { serializer: withSize })),
      `state "v" was written as ${OLD_TEXT} and is bound as struct{name: string, size: int32}: the new field "size" has no default`,
    ],
    [
      "the default serializer",
      (state) => state.bind(listState("l")),
      `state "l" was written as ${OLD_TEXT} and is bound as structural: ${OLD_TEXT} cannot become structural`,
    ],
    [
      "other map keys",
      (state) => state.bind(mapState("m", { serializer: oldUser, keySerializer: longSerializer })),
      `state "m" was written as int32 -> ${OLD_TEXT} and is bound as long -> ${OLD_TEXT}: keys of a map are not migrated, but int32 shall become long`,
    ],
    [
      "a time to live",
      (state) => state.bind(valueState("v", null, { serializer: ttlSerializer(oldUser) as TypeSerializer<any> })),
      `state "v" was written as ${OLD_TEXT} and is bound as ttl<${OLD_TEXT}>: what was written has no time to live and shall have one`,
    ],
  ])("is refused for %s with its name, both schemas and the reason, and nothing changes", (_what, bind, message) => {
    const bytes = snapshotOf(oldJob());
    const state = restored(bytes);
    expect(() => bind(state)).toThrow(StateSchemaError);
    expect(() => bind(state)).toThrow(message);
    expect(snapshotOf(state)).toEqual(bytes);
    const contents = bindNew(state);
    for (const key of KEYS) expect(contents(key)).toEqual(newContents(key));
  });

  it("is refused at the restore where it was bound before", () => {
    const state = backend();
    state.bind(valueState("v", null, { serializer: withSize }));
    expect(() => state.restore([snapshotOf(oldJob())])).toThrow(StateSchemaError);
  });

  it("is refused where it is bound already, and the first binding goes on", () => {
    const state = restored(snapshotOf(oldJob()));
    const value = state.bind(valueState("v", null, { serializer: oldUser })).state;
    expect(() => state.bind(valueState("v", null, { serializer: newUser }))).toThrow("it is bound already");
    state.setCurrentKey("a");
    expect(value.value()).toEqual({ name: "a", city: "x" });
  });
});

describe("sections of one checkpoint with different schemas of a state", () => {
  const parts = [0, 1].map((index) => keyGroupRange(MAX_PARALLELISM, 2, index));

  it("are merged, in whatever order they come, with the schema that loses nothing", () => {
    const migratedPart = (range: KeyGroupRange): Uint8Array => {
      const state = backend(range);
      state.restore([snapshotOf(oldJob())]);
      bindNew(state);
      return snapshotOf(state);
    };
    const old = snapshotOf(oldJob(parts[0]!));
    const migrated = migratedPart(parts[1]!);
    const keyGroups = KEYS.map((key) => keyGroupOf(key, MAX_PARALLELISM));
    expect(keyGroups.some((one) => one <= parts[0]!.end) && keyGroups.some((one) => one >= parts[1]!.start)).toBe(true);
    for (const sections of [[old, migrated], [migrated, old]]) {
      const state = restored(...sections);
      expect(schemasOf(snapshotOf(state))["v"]).toBe(NEW_TEXT);
      const contents = bindNew(state);
      for (const key of KEYS) expect(contents(key)).toEqual(newContents(key));
    }
  });

  it("are refused where each would lose something of the other", () => {
    const part = (range: KeyGroupRange, name: string): Uint8Array => {
      const state = backend(range);
      const serializer = struct({ [name]: field(int32Serializer, { default: 0 }) });
      state.bind(valueState("v", null, { serializer }));
      return snapshotOf(state);
    };
    const sections = [part(parts[0]!, "x"), part(parts[1]!, "y")];
    expect(() => backend().restore(sections)).toThrow(StateSchemaError);
    expect(() => backend().restore(sections)).toThrow("neither schema keeps what both hold");
  });
});
