import { expect, it } from "vitest";
import type { ByteReader, ByteWriter } from "#whitewater/engine/base/bytes.js";
import { decodeFrom, encodeInto } from "#whitewater/engine/base/codec.js";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import { StateSchemaError } from "#whitewater/engine/state/state-errors.js";
import type { SerializerSchema, StructFieldSchema, TypeSerializer } from "#whitewater/engine/state/type-serializer.js";
import { Host, errorOf, expectBytes, finish, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";

type Fields = Readonly<Record<string, unknown>>;

const STRUCTURAL: SerializerSchema = { type: "structural" };

function fieldOf(name: string, rest: Partial<StructFieldSchema> = {}): StructFieldSchema {
  return { name, renamedFrom: null, schema: STRUCTURAL, hasDefault: false, defaultValue: null, ...rest };
}

/** A struct of such fields, written by hand from what the schema says: one field after the other. */
function structOf(...fields: readonly StructFieldSchema[]): TypeSerializer<Fields> {
  return {
    schema: { type: "struct", fields },
    write(writer: ByteWriter, value: Fields): void {
      for (const { name } of fields) encodeInto(writer, value[name]);
    },
    read(reader: ByteReader): Fields {
      return Object.fromEntries(fields.map(({ name }) => [name, decodeFrom(reader)]));
    },
  };
}

/** A string of the schema "string", whose bytes are those of the structural codec. */
const words: TypeSerializer<string> = {
  schema: { type: "string" },
  write: (writer: ByteWriter, value: string): void => encodeInto(writer, value),
  read: (reader: ByteReader): string => decodeFrom(reader) as string,
};

const before = structOf(fieldOf("name"), fieldOf("visits"), fieldOf("mood"));
/** "visits" renamed, "mood" gone, "vip" new, another order. */
const after = structOf(fieldOf("vip", { hasDefault: true, defaultValue: false }), fieldOf("calls", { renamedFrom: "visits" }), fieldOf("name"));
const OLD = { name: "Ada", visits: 3, mood: "calm" };
const NEW = { vip: false, calls: 3, name: "Ada" };

export function schemaTests(subject: BackendUnderTest): void {
  function written(host: Host): Uint8Array {
    const backend = host.open();
    for (const key of ["k", "other"]) {
      backend.setCurrentKey(key);
      backend.bind(valueState("v", null, { serializer: before })).state.update(OLD);
      backend.bind(listState("l", { serializer: before })).state.addAll([OLD, { ...OLD, name: "Bob" }]);
      backend.bind(mapState("m", { keySerializer: words, serializer: before })).state.put("x", OLD);
      backend.bind(mapState("m", { keySerializer: words, serializer: before })).state.put("a", { ...OLD, visits: 4 });
    }
    return snapshotOf(backend);
  }

  it("come back as they were with serializers of the same schema", () => {
    const host = new Host(subject);
    const section = written(host);
    const restored = host.restored([section]);
    restored.setCurrentKey("k");
    // Another object of the same schema is the same serializer.
    const again = structOf(fieldOf("name"), fieldOf("visits"), fieldOf("mood"));
    expect(restored.bind(valueState("v", null, { serializer: again })).state.value()).toEqual(OLD);
    expect(restored.bind(listState("l", { serializer: again })).state.get()).toEqual([OLD, { ...OLD, name: "Bob" }]);
    const map = restored.bind(mapState("m", { keySerializer: words, serializer: again })).state;
    expect(map.entries()).toEqual([["x", OLD], ["a", { ...OLD, visits: 4 }]]);
    expectBytes(snapshotOf(restored), section);
  });

  it("are migrated: fields added with a default, removed, renamed and reordered, in every kind of state", () => {
    const host = new Host(subject);
    const restored = host.restored([written(host)]);
    const value = restored.bind(valueState("v", null, { serializer: after })).state;
    const list = restored.bind(listState("l", { serializer: after })).state;
    const map = restored.bind(mapState("m", { keySerializer: words, serializer: after })).state;
    for (const key of ["other", "k"]) {
      restored.setCurrentKey(key);
      expect(value.value()).toEqual(NEW);
      expect(list.get()).toEqual([NEW, { ...NEW, name: "Bob" }]);
      expect(map.entries()).toEqual([["x", NEW], ["a", { ...NEW, calls: 4 }]]);
    }
    list.add({ ...NEW, vip: true });
    map.put("x", { ...NEW, vip: true });
    // From then on it is state of the new schema, as if nothing else had ever been written.
    const fresh = host.open();
    for (const key of ["k", "other"]) {
      fresh.setCurrentKey(key);
      fresh.bind(valueState("v", null, { serializer: after })).state.update(NEW);
      fresh.bind(listState("l", { serializer: after })).state.update([NEW, { ...NEW, name: "Bob" }]);
      const entries = fresh.bind(mapState("m", { keySerializer: words, serializer: after })).state;
      entries.put("x", key === "k" ? { ...NEW, vip: true } : NEW);
      entries.put("a", { ...NEW, calls: 4 });
      if (key === "k") fresh.bind(listState("l", { serializer: after })).state.add({ ...NEW, vip: true });
    }
    expectBytes(snapshotOf(restored), snapshotOf(fresh));
  });

  const itFolds = subject.capabilities.folds ? it : null;
  itFolds?.("are migrated in accumulators", () => {
    const host = new Host(subject);
    const backend = host.open();
    backend.setCurrentKey("k");
    backend.bind(reducingState<Fields>("r", (_, right) => right, { serializer: before })).state.add(OLD);
    const aggregation = { createAccumulator: (): Fields => OLD, add: (_: number, all: Fields): Fields => all, getResult: (all: Fields): Fields => all };
    backend.bind(aggregatingState("a", aggregation, { serializer: before })).state.add(1);
    const restored = host.restored([snapshotOf(backend)]);
    restored.setCurrentKey("k");
    expect(restored.bind(reducingState<Fields>("r", (_, right) => right, { serializer: after })).state.get()).toEqual(NEW);
    expect(restored.bind(aggregatingState("a", aggregation, { serializer: after })).state.get()).toEqual(NEW);
  });

  it("are migrated step by step, over generations that did not bind them", () => {
    const host = new Host(subject);
    const first = structOf(fieldOf("a"));
    const second = structOf(fieldOf("a"), fieldOf("b", { hasDefault: true, defaultValue: 1 }));
    const third = structOf(fieldOf("c", { renamedFrom: "b" }), fieldOf("a"));
    let backend = host.open();
    backend.setCurrentKey("k");
    backend.bind(valueState("v", null, { serializer: first })).state.update({ a: "x" });
    backend = host.restored([snapshotOf(host.restored([snapshotOf(backend)]))]);
    backend.bind(valueState("v", null, { serializer: second }));
    backend = host.restored([snapshotOf(host.restored([snapshotOf(backend)]))]);
    backend.setCurrentKey("k");
    expect(backend.bind(valueState("v", null, { serializer: third })).state.value()).toEqual({ c: 1, a: "x" });
  });

  it("that cannot be read are refused, with state, old and new schema in the error, and nothing changes", () => {
    const host = new Host(subject);
    const section = written(host);
    const restored = host.restored([section]);
    const numbers: TypeSerializer<any> = { ...words, schema: { type: "double" } };
    const withoutDefault = structOf(fieldOf("name"), fieldOf("visits"), fieldOf("mood"), fieldOf("age"));
    const refused = [
      () => restored.bind(valueState("v", null, { serializer: numbers })),
      () => restored.bind(valueState("v")),
      () => restored.bind(valueState("v", null, { serializer: withoutDefault })),
      () => restored.bind(listState("l", { serializer: numbers })),
      () => restored.bind(mapState("m", { keySerializer: words, serializer: numbers })),
      () => restored.bind(mapState("m", { keySerializer: numbers, serializer: before })),
      () => restored.bind(mapState("m", { serializer: before })),
    ];
    for (const bind of refused) {
      const error = errorOf(bind);
      expect(error).toBeInstanceOf(StateSchemaError);
      expect(error.message).toMatch(/"[vlm]"/);
      expect(error.message).toContain("struct");
      expect(error.message).toMatch(/double|structural|age/);
    }
    // What the new job wanted is not written under the old bytes (FLINK-12064).
    expectBytes(snapshotOf(restored), section);
    restored.setCurrentKey("k");
    expect(restored.bind(valueState("v", null, { serializer: before })).state.value()).toEqual(OLD);
  });

  it("of a snapshot in flight are those of its moment, whatever is bound meanwhile", () => {
    const host = new Host(subject);
    const section = written(host);
    const restored = host.restored([section]);
    const writer = restored.snapshot();
    writer.step(1);
    restored.bind(valueState("v", null, { serializer: after }));
    restored.bind(listState("l", { serializer: after }));
    restored.setCurrentKey("other");
    restored.bind(mapState("m", { keySerializer: words, serializer: after })).state.put("x", NEW);
    expectBytes(finish(writer, 1), section);
  });

  it("of several subtasks may differ, where one keeps all that the other holds", () => {
    const added = structOf(fieldOf("name"), fieldOf("calls", { renamedFrom: "visits" }), fieldOf("mood"), fieldOf("vip", { hasDefault: true, defaultValue: 0 }));
    for (const bindsNew of [0, 1]) {
      const host = new Host(subject);
      const halves = [0, 8].map((start) => host.restored([written(host)], { range: { start, end: start + 7 } }));
      // One subtask of the old job had bound the new schema already.
      halves[bindsNew]!.bind(valueState("v", null, { serializer: added }));
      const merged = host.restored(halves.map(snapshotOf));
      const value = merged.bind(valueState("v", null, { serializer: added })).state;
      for (const key of ["k", "other"]) {
        merged.setCurrentKey(key);
        expect(value.value()).toEqual({ name: "Ada", calls: 3, mood: "calm", vip: 0 });
      }
    }
  });
}
