import { invariant, present, unreachable } from "../base/assert.ts";
import { ByteReader, ByteWriter } from "../base/bytes.ts";
import type { StateDescriptor } from "./descriptors.ts";
import { listState } from "./descriptors.ts";
import type { OperatorListBackend } from "./keyed-backend.ts";
import { BroadcastMap, OperatorList } from "./operator-state.ts";
import { readOperatorSection, sectionHead, writeOperatorSection, writtenState } from "./operator-state-section.ts";
import type { OperatorSectionState, OperatorStateMode, WrittenState } from "./operator-state-section.ts";
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

/** A state with its serializers, as `bytes` writes it. */
class BoundState implements WrittenState {
  readonly name: string;
  readonly mode: OperatorStateMode;
  readonly state: OperatorList | BroadcastMap;
  readonly head: Uint8Array;
  readonly #serializer: TypeSerializer<any>;
  readonly #keySerializer: TypeSerializer<any> | null;
  /** For one element at a time, whose length stands before it. */
  readonly #element: ByteWriter = new ByteWriter();

  constructor({ name, serializer, keySerializer }: StateDescriptor<any>, mode: OperatorStateMode) {
    this.name = name;
    this.mode = mode;
    this.state = mode === "broadcast" ? new BroadcastMap(keysOf(keySerializer)) : new OperatorList();
    this.head = sectionHead(name, mode, serializer.schema, keySerializer?.schema ?? null);
    this.#serializer = serializer;
    this.#keySerializer = keySerializer;
  }

  get count(): number {
    return this.state.size;
  }

  write(writer: ByteWriter): void {
    const { state } = this;
    const serializer = this.#serializer;
    if (state instanceof OperatorList) {
      for (const element of state.elements) {
        serializer.write(this.#begin(), element);
        this.#end(writer);
      }
      return;
    }
    const keys = keysOf(this.#keySerializer);
    for (const [key, value] of state.entries()) {
      keys.write(this.#begin(), key);
      serializer.write(this.#element, value);
      this.#end(writer);
    }
  }

  #begin(): ByteWriter {
    this.#element.truncate(0);
    return this.#element;
  }

  #end(writer: ByteWriter): void {
    const { position } = this.#element;
    writer.varuint(position);
    writer.copyFrom(this.#element, 0, position);
  }
}

/**
 * The state of one operator subtask that belongs to no key, in memory; its section: see
 * operator-state-section. What was restored stays in bytes until it is bound, and goes into the next snapshot
 * as it is if it never is.
 */
export class OperatorStateBackend implements OperatorListBackend {
  #restored: Map<string, OperatorSectionState> = new Map();
  #bound: Map<string, BoundState> = new Map();
  /** Kept from one snapshot to the next: it is large enough then. */
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
    const states: WrittenState[] = [...this.#bound.values()];
    for (const [name, state] of this.#restored) if (!this.#bound.has(name)) states.push(writtenState(state));
    return writeOperatorSection(states, this.#writer);
  }

  /** Forgets what was bound before. */
  restore(bytes: Uint8Array): void {
    const states = readOperatorSection(bytes);
    this.#restored = new Map(states.map((state) => [state.name, state]));
    this.#bound = new Map();
  }

  restoredBytes(): Uint8Array {
    return writeOperatorSection([...this.#restored.values()].map(writtenState));
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
    const made = new BoundState(descriptor, mode);
    if (restored !== undefined) load(made.state, restored, descriptor);
    this.#bound.set(name, made);
    return made.state;
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
  const wanted = keysOf(descriptor.keySerializer);
  const written = present(keySchema, "the section of a broadcast state has a key schema");
  const reason = keyCompatibilityOf(written, wanted.schema);
  if (reason !== null) refuseSchema(name, schemaText(written), schemaText(wanted.schema), reason);
  return (reader) => wanted.read(reader);
}

function keysOf(keySerializer: TypeSerializer<any> | null): TypeSerializer<any> {
  return present(keySerializer, "broadcast state has a serializer for its keys");
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
