import { invariant } from "../base/assert.ts";
import { ByteWriter, varuintLength } from "../base/bytes.ts";
import { StructuralEncoder, UnencodableValueError } from "../base/codec.ts";
import type { TimestampMs } from "../base/units.ts";
import type { KeyGroupRange } from "./keyed-backend.ts";
import { KEYED_SECTION_MAGIC, KEYED_SECTION_VERSION, STATE_KINDS, TIMER_DOMAINS } from "./snapshot-format.ts";
import { STRUCTURAL_SCHEMA_BYTES, structuralSerializer } from "./serializers/structural.ts";
import type { SectionState } from "./snapshot-format.ts";
import type { Key, Namespace, TimerDomain } from "./state.ts";
import type { TypeSerializer } from "./type-serializer.ts";

/** Items of one list (the entries of a state or the timers of a domain) of the key group in progress. */
class ItemList {
  readonly bytes: ByteWriter = new ByteWriter(512);
  readonly encoder: StructuralEncoder = new StructuralEncoder(this.bytes);
  /** Of these the first `count` places are in use: setting a length is slow. */
  private readonly starts: number[] = [];
  private readonly keyEnds: number[] = [];
  private readonly order: number[] = [];
  private count = 0;

  constructor() {
    this.bytes.encoder = this.encoder;
  }

  /** Begins an item with a key and namespace that were written elsewhere. */
  begin(key: ByteWriter): void {
    this.starts[this.count] = this.bytes.position;
    this.bytes.copyFrom(key, 0, key.position);
    this.keyEnds[this.count++] = this.bytes.position;
  }

  /** Likewise, from their bytes. */
  beginRaw(key: Uint8Array): void {
    this.starts[this.count] = this.bytes.position;
    this.bytes.bytes(key);
    this.keyEnds[this.count++] = this.bytes.position;
  }

  /** What was written since `begin` belongs to the bytes that decide the order. */
  extendKey(): void {
    this.keyEnds[this.count - 1] = this.bytes.position;
  }

  moveTo(target: ByteWriter): void {
    const { bytes, starts, order, count } = this;
    target.varuint(count);
    if (count === 0) return;
    const repeated = bytes.orderItems(starts, this.keyEnds, count, order);
    invariant(repeated < 0, "a key group holds each (key, namespace) of a state once");
    starts[count] = bytes.position;
    // Neighbours that stay neighbours are copied together.
    for (let i = 0; i < count; ) {
      const first = order[i]!;
      let next = first + 1;
      for (i++; i < count && order[i] === next; i++) next++;
      target.copyFrom(bytes, starts[first]!, starts[next]!);
    }
    this.clear();
  }

  /** Bytes that `moveTo` will write. */
  get size(): number {
    return varuintLength(this.count) + this.bytes.position;
  }

  clear(): void {
    this.bytes.truncate(0);
    this.count = 0;
  }
}

/** The buffers of one section in progress. They keep their size, so that the next section grows none. */
export class SectionBuffers {
  readonly out: ByteWriter = new ByteWriter(1024);
  readonly outEncoder: StructuralEncoder = new StructuralEncoder(this.out);
  readonly key: ByteWriter = new ByteWriter();
  readonly keyEncoder: StructuralEncoder = new StructuralEncoder(this.key);
  readonly watermark: ByteWriter = new ByteWriter();
  readonly watermarkEncoder: StructuralEncoder = new StructuralEncoder(this.watermark);
  readonly lists: ItemList[] = [];

  /** Forgets what a section left behind, and has room for this many lists. */
  reset(lists: number): void {
    this.out.truncate(0);
    this.key.truncate(0);
    for (const list of this.lists) list.clear();
    while (this.lists.length < lists) this.lists.push(new ItemList());
  }
}

/**
 * Writes one keyed-state section (see snapshot-format), key group by key group. Within a group, keys and
 * their entries may come in any order: for each key `beginKey`, then its entries and timers.
 */
export class KeyedSectionWriter {
  private readonly out: ByteWriter;
  private readonly outEncoder: StructuralEncoder;
  /** The key at hand and, behind it, a namespace: an entry and its timer mostly share both. */
  private readonly key: ByteWriter;
  private readonly keyEncoder: StructuralEncoder;
  private keyEnd = 0;
  private namespace: Namespace | null = null;
  /** The watermark of the group closed last: mostly that of the next one too. */
  private readonly watermark: ByteWriter;
  private readonly watermarkEncoder: StructuralEncoder;
  private watermarkMs: TimestampMs | null = null;
  private readonly states: readonly SectionState[];
  /** As the caller numbers the states; the last ones are the timers. */
  private readonly lists: readonly ItemList[];
  /** Caller's numbers in the order of the state table, the timers' lists after them. */
  private readonly tableOrder: readonly number[];
  private groupsLeft: number;

  /** `buffers` belong to this writer until its bytes were taken. */
  constructor(
    maxParallelism: number,
    range: KeyGroupRange,
    states: readonly SectionState[],
    buffers: SectionBuffers = new SectionBuffers(),
  ) {
    buffers.reset(states.length + TIMER_DOMAINS);
    this.out = buffers.out;
    this.outEncoder = buffers.outEncoder;
    this.key = buffers.key;
    this.keyEncoder = buffers.keyEncoder;
    this.watermark = buffers.watermark;
    this.watermarkEncoder = buffers.watermarkEncoder;
    this.lists = buffers.lists;
    this.states = states;
    this.groupsLeft = Math.max(0, range.end - range.start + 1);
    const order = states.map((_, index) => index);
    order.sort((left, right) => (states[left]!.name < states[right]!.name ? -1 : 1));
    const out = this.out;
    out.u32(KEYED_SECTION_MAGIC);
    out.u8(KEYED_SECTION_VERSION);
    out.varuint(maxParallelism);
    out.varuint(range.start);
    out.varuint(this.groupsLeft);
    out.varuint(states.length);
    for (const index of order) this.writeState(states[index]!);
    for (let domain = 0; domain < TIMER_DOMAINS; domain++) order.push(states.length + domain);
    this.tableOrder = order;
  }

  /** The key of the entries and timers that follow. */
  beginKey(key: Key): void {
    this.key.truncate(0);
    this.keyEncoder.write(key);
    this.keyEnd = this.key.position;
    this.namespace = null;
  }

  /** An entry of a value, reducing or aggregating state; `state` is the index in the states given to the constructor. */
  value(state: number, namespace: Namespace, value: unknown): void {
    const { name, serializer } = this.states[state]!;
    const list = this.beginEntry(state, namespace);
    if (serializer === structuralSerializer) list.encoder.write(value, name);
    else writeItem(list.bytes, serializer, value, name);
  }

  /** An entry of a list state, which is not empty. */
  list(state: number, namespace: Namespace, elements: readonly unknown[]): void {
    const { name, serializer } = this.states[state]!;
    const list = this.beginEntry(state, namespace);
    if (serializer === structuralSerializer) return list.encoder.writeItems(elements, name);
    list.bytes.varuint(elements.length);
    for (let i = 0; i < elements.length; i++) writeItem(list.bytes, serializer, elements[i], name, "", i);
  }

  /** An entry of a map state, which is not empty. */
  map(state: number, namespace: Namespace, pairs: Iterable<readonly [unknown, unknown]>, count: number): void {
    const { name, serializer, keySerializer } = this.states[state]!;
    const list = this.beginEntry(state, namespace);
    if (serializer === structuralSerializer && keySerializer === structuralSerializer) {
      return list.encoder.writePairs(pairs, count, name);
    }
    list.bytes.varuint(count);
    let index = 0;
    for (const [key, value] of pairs) {
      writeItem(list.bytes, keySerializer!, key, name, "key ", index);
      writeItem(list.bytes, serializer, value, name, "value ", index++);
    }
  }

  /**
   * Begins an entry of the current key group, of whatever key: `keyAndNamespace` are the bytes of its key and
   * its namespace, one after the other, as the format says. The content is for the caller to append to the
   * writer returned, before anything else is called.
   */
  rawEntry(state: number, keyAndNamespace: Uint8Array): ByteWriter {
    const list = this.lists[state]!;
    list.beginRaw(keyAndNamespace);
    return list.bytes;
  }

  timer(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    const list = this.lists[this.states.length + domain]!;
    this.setNamespace(namespace);
    list.begin(this.key);
    list.encoder.write(timestampMs);
    list.extendKey();
  }

  /** Closes the current key group; the next one is in progress then. */
  endGroup(watermarkMs: TimestampMs): void {
    invariant(this.groupsLeft > 0, "a section holds the key groups of its range");
    this.groupsLeft--;
    const { out, watermark, lists, tableOrder } = this;
    if (!Object.is(watermarkMs, this.watermarkMs)) {
      watermark.truncate(0);
      this.watermarkEncoder.write(watermarkMs);
      this.watermarkMs = watermarkMs;
    }
    let length = watermark.position;
    for (let i = 0; i < tableOrder.length; i++) length += lists[tableOrder[i]!]!.size;
    out.varuint(length);
    out.copyFrom(watermark, 0, watermark.position);
    for (let i = 0; i < tableOrder.length; i++) lists[tableOrder[i]!]!.moveTo(out);
  }

  private writeState({ name, kind, serializer, keySerializer }: SectionState): void {
    invariant((kind === "map") === (keySerializer !== null), "a map state, and no other, has a serializer of its keys");
    this.outEncoder.write(name);
    this.out.u8(STATE_KINDS.indexOf(kind));
    this.writeSchema(serializer);
    this.writeSchema(keySerializer);
  }

  private writeSchema(serializer: TypeSerializer<any> | null): void {
    if (serializer === structuralSerializer) this.out.bytes(STRUCTURAL_SCHEMA_BYTES);
    else this.outEncoder.write(serializer === null ? null : serializer.schema);
  }

  private beginEntry(state: number, namespace: Namespace): ItemList {
    const list = this.lists[state]!;
    this.setNamespace(namespace);
    list.begin(this.key);
    return list;
  }

  private setNamespace(namespace: Namespace): void {
    if (Object.is(namespace, this.namespace)) return;
    this.key.truncate(this.keyEnd);
    this.keyEncoder.write(namespace);
    this.namespace = namespace;
  }

  /** The section, once every key group of the range was closed. */
  toBytes(): Uint8Array {
    invariant(this.groupsLeft === 0, "a section holds every key group of its range");
    return this.out.take();
  }
}

/** Appends an item; an error tells the state and which part of its content (-1: all of it). */
function writeItem(
  bytes: ByteWriter,
  serializer: TypeSerializer<any>,
  value: unknown,
  state: string,
  part: string = "",
  index: number = -1,
): void {
  try {
    serializer.write(bytes, value);
  } catch (error) {
    if (!(error instanceof UnencodableValueError)) throw error;
    const step = index < 0 ? "" : `[${part}${index}]`;
    throw new UnencodableValueError(`${state}${step}${error.path.slice(1)}`, error.what);
  }
}
