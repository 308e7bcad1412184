import { invariant, present, unreachable } from "../base/assert.ts";
import { ByteReader, ByteWriter } from "../base/bytes.ts";
import type { StateDescriptor } from "./descriptors.ts";
import { listState } from "./descriptors.ts";
import type { OperatorListBackend } from "./keyed-backend.ts";
import { BroadcastMap, OperatorList } from "./operator-state.ts";
import { readOperatorSection, writeOperatorSection } from "./operator-state-section.ts";
import type { OperatorSectionState, OperatorStateMode } from "./operator-state-section.ts";
import { compatibilityOf, keyCompatibilityOf } from "./serializers/schema-compatibility.ts";
import { schemaText } from "./serializers/schema-text.ts";
import { serializerOf } from "./serializers/serializer-schema.ts";
import type { ListState, MapState } from "./state.ts";
import { StateSchemaError } from "./state-errors.ts";
import type { TypeSerializer } from "./type-serializer.ts";

const MODE_TEXTS: Readonly<Record<OperatorStateMode, string>> = {
  split: "a split list",
  union: "a union list",
  broadcast: "broadcast state",
};

interface BoundState {
  readonly mode: OperatorStateMode;
  readonly descriptor: StateDescriptor<any>;
  readonly state: OperatorList | BroadcastMap;
}

/**
 * The state of one operator subtask that belongs to no key, in memory; its section: see
 * operator-state-section. What was restored stays in bytes until it is bound, and goes into the next snapshot
 * as it is if it never is.
 */
export class OperatorStateBackend implements OperatorListBackend {
  #restored: Map<string, OperatorSectionState> = new Map();
  #bound: Map<string, BoundState> = new Map();
  /** Kept from one snapshot to the next, so that it knows how the elements are written. */
  readonly #writer: ByteWriter = new ByteWriter(512);

  get(name: string): readonly unknown[] {
    return this.#plainList(name).get();
  }

  update(name: string, values: readonly unknown[]): void {
    this.#plainList(name).update(values);
  }

  listState<T>(descriptor: StateDescriptor<ListState<T>>): ListState<T> {
    return this.#bind(descriptor, "split") as ListState<T>;
  }

  unionListState<T>(descriptor: StateDescriptor<ListState<T>>): ListState<T> {
    return this.#bind(descriptor, "union") as ListState<T>;
  }

  broadcastState<K, V>(descriptor: StateDescriptor<MapState<K, V>>): MapState<K, V> {
    return this.#bind(descriptor, "broadcast") as MapState<K, V>;
  }

  bytes(): Uint8Array {
    const states: OperatorSectionState[] = [];
    for (const [name, state] of this.#restored) if (!this.#bound.has(name)) states.push(state);
    for (const [name, { mode, descriptor, state }] of this.#bound) {
      const { serializer, keySerializer } = descriptor;
      const elements = state instanceof OperatorList ? this.#encodeList(state, serializer) : this.#encodeMap(state, descriptor);
      states.push({ name, mode, schema: serializer.schema, keySchema: keySerializer?.schema ?? null, elements });
    }
    return writeOperatorSection(states);
  }

  /** Forgets what was bound before. */
  restore(bytes: Uint8Array): void {
    const states = readOperatorSection(bytes);
    this.#restored = new Map(states.map((state) => [state.name, state]));
    this.#bound = new Map();
  }

  #plainList(name: string): OperatorList {
    const bound = this.#bound.get(name);
    if (bound?.mode === "split" && bound.state instanceof OperatorList) return bound.state;
    return this.#bind(listState<unknown>(name), "split") as OperatorList;
  }

  #bind(descriptor: StateDescriptor<any>, mode: OperatorStateMode): OperatorList | BroadcastMap {
    const { name, kind, ttl } = descriptor;
    const wanted = mode === "broadcast" ? "map" : "list";
    if (kind !== wanted) {
      invariant(false, `operator state "${name}" is bound with the descriptor of a ${wanted} state, not of ${kind} state`);
    }
    if (ttl !== null) invariant(false, `operator state "${name}" has no time to live: only keyed state can have one`);
    const bound = this.#bound.get(name);
    const restored = this.#restored.get(name);
    const before = bound?.mode ?? restored?.mode ?? mode;
    if (before !== mode) invariant(false, `operator state "${name}" is ${MODE_TEXTS[before]}, and not ${MODE_TEXTS[mode]}`);
    if (bound !== undefined) return bound.state;
    const state = mode === "broadcast" ? new BroadcastMap() : new OperatorList();
    if (restored !== undefined) load(state, restored, descriptor);
    this.#bound.set(name, { mode, descriptor, state });
    return state;
  }

  #encodeList(list: OperatorList, serializer: TypeSerializer<any>): readonly Uint8Array[] {
    const writer = this.#writer;
    // An error may have left something behind.
    writer.truncate(0);
    return list.get().map((element) => {
      serializer.write(writer, element);
      return writer.take();
    });
  }

  #encodeMap(map: BroadcastMap, { serializer, keySerializer }: StateDescriptor<any>): readonly Uint8Array[] {
    const keys = present(keySerializer, "broadcast state has a serializer for its keys");
    const writer = this.#writer;
    writer.truncate(0);
    return map.entries().map(([key, value]) => {
      keys.write(writer, key);
      serializer.write(writer, value);
      return writer.take();
    });
  }
}

/** Fills `state` with what a snapshot had of it, in the form that the descriptor wants. */
function load(state: OperatorList | BroadcastMap, restored: OperatorSectionState, descriptor: StateDescriptor<any>): void {
  const read = elementReader(restored, descriptor.serializer);
  if (state instanceof OperatorList) {
    state.update(restored.elements.map((element) => whole(element, read)));
    return;
  }
  const keys = keyReader(restored, descriptor);
  for (const element of restored.elements) {
    const [key, value] = whole(element, (reader) => [keys(reader), read(reader)] as const);
    state.put(key, value);
  }
}

function elementReader({ name, schema }: OperatorSectionState, wanted: TypeSerializer<any>): (reader: ByteReader) => unknown {
  const compatibility = compatibilityOf(schema, wanted.schema);
  switch (compatibility.kind) {
    case "as-is":
      return (reader) => wanted.read(reader);
    case "migrate": {
      const written = serializerOf(schema);
      return (reader) => compatibility.convert(written.read(reader));
    }
    case "incompatible":
      return refuseSchema(name, schemaText(schema), schemaText(wanted.schema), compatibility.reason);
    default:
      return unreachable(compatibility, "compatibility of operator state");
  }
}

function keyReader({ name, keySchema }: OperatorSectionState, descriptor: StateDescriptor<any>): (reader: ByteReader) => unknown {
  const wanted = present(descriptor.keySerializer, "broadcast state has a serializer for its keys");
  const written = present(keySchema, "the section of a broadcast state has a key schema");
  const reason = keyCompatibilityOf(written, wanted.schema);
  if (reason !== null) refuseSchema(name, schemaText(written), schemaText(wanted.schema), reason);
  return (reader) => wanted.read(reader);
}

function refuseSchema(name: string, written: string, wanted: string, reason: string): never {
  throw new StateSchemaError(`operator state "${name}" was written as ${written} and is bound as ${wanted}: ${reason}`);
}

/** What `read` makes of all of the bytes. */
function whole<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T {
  const reader = new ByteReader(bytes);
  const value = read(reader);
  if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow an element of operator state`);
  return value;
}
