import { invariant } from "../base/assert.ts";
import { ByteWriter } from "../base/bytes.ts";
import { StructuralEncoder } from "../base/codec.ts";
import type { TimestampMs } from "../base/units.ts";
import type { KeyGroupRange } from "./keyed-backend.ts";
import { KEYED_SECTION_MAGIC, KEYED_SECTION_VERSION, STATE_KINDS, TIMER_DOMAINS } from "./snapshot-format.ts";
import type { SectionState } from "./snapshot-format.ts";
import type { Key, Namespace, TimerDomain } from "./state.ts";

/** Items of one list (the entries of a state or the timers of a domain) of the key group in progress. */
class ItemList {
  readonly bytes: ByteWriter = new ByteWriter(256);
  readonly encoder: StructuralEncoder = new StructuralEncoder(this.bytes);
  readonly starts: number[] = [];
  readonly keyEnds: number[] = [];

  moveTo(target: ByteWriter): void {
    const count = this.starts.length;
    target.varuint(count);
    if (count === 0) return;
    const repeated = this.bytes.sortItems(this.starts, this.keyEnds);
    invariant(repeated < 0, "a key group holds each (key, namespace) of a state once");
    target.copyFrom(this.bytes, 0, this.bytes.position);
    this.clear();
  }

  clear(): void {
    this.bytes.truncate(0);
    this.starts.length = 0;
    this.keyEnds.length = 0;
  }
}

/** The buffers of one section in progress. They keep their size, so that the next section grows none. */
export class SectionBuffers {
  readonly out: ByteWriter = new ByteWriter(1024);
  readonly outEncoder: StructuralEncoder = new StructuralEncoder(this.out);
  readonly group: ByteWriter = new ByteWriter(1024);
  readonly groupEncoder: StructuralEncoder = new StructuralEncoder(this.group);
  readonly key: ByteWriter = new ByteWriter();
  readonly keyEncoder: StructuralEncoder = new StructuralEncoder(this.key);
  readonly lists: ItemList[] = [];

  /** Forgets what a section left behind, and has room for this many lists. */
  reset(lists: number): void {
    this.out.truncate(0);
    this.group.truncate(0);
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
  private readonly group: ByteWriter;
  private readonly groupEncoder: StructuralEncoder;
  private readonly key: ByteWriter;
  private readonly keyEncoder: StructuralEncoder;
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
    this.group = buffers.group;
    this.groupEncoder = buffers.groupEncoder;
    this.key = buffers.key;
    this.keyEncoder = buffers.keyEncoder;
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
    for (const index of order) {
      this.outEncoder.write(states[index]!.name);
      out.u8(STATE_KINDS.indexOf(states[index]!.kind));
    }
    for (let domain = 0; domain < TIMER_DOMAINS; domain++) order.push(states.length + domain);
    this.tableOrder = order;
  }

  /** The key of the entries and timers that follow. */
  beginKey(key: Key): void {
    this.key.truncate(0);
    this.keyEncoder.write(key);
  }

  /** An entry of a value state; `state` is the index in the states given to the constructor. */
  value(state: number, namespace: Namespace, value: unknown): void {
    this.beginEntry(state, namespace).write(value, this.states[state]!.name);
  }

  /** An entry of a list state. */
  list(state: number, namespace: Namespace, elements: readonly unknown[]): void {
    this.beginEntry(state, namespace).writeElements(elements, this.states[state]!.name);
  }

  /** An entry of a map state. */
  map(state: number, namespace: Namespace, pairs: Iterable<readonly [unknown, unknown]>, count: number): void {
    this.beginEntry(state, namespace).writePairs(pairs, count, this.states[state]!.name);
  }

  timer(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    const list = this.lists[this.states.length + domain]!;
    list.starts.push(list.bytes.position);
    list.bytes.copyFrom(this.key, 0, this.key.position);
    list.encoder.write(namespace);
    list.encoder.write(timestampMs);
    list.keyEnds.push(list.bytes.position);
  }

  /** Closes the current key group; the next one is in progress then. */
  endGroup(watermarkMs: TimestampMs): void {
    invariant(this.groupsLeft > 0, "a section holds the key groups of its range");
    this.groupsLeft--;
    this.group.truncate(0);
    this.groupEncoder.write(watermarkMs);
    for (const index of this.tableOrder) this.lists[index]!.moveTo(this.group);
    this.out.varuint(this.group.position);
    this.out.copyFrom(this.group, 0, this.group.position);
  }

  private beginEntry(state: number, namespace: Namespace): StructuralEncoder {
    const list = this.lists[state]!;
    list.starts.push(list.bytes.position);
    list.bytes.copyFrom(this.key, 0, this.key.position);
    list.encoder.write(namespace);
    list.keyEnds.push(list.bytes.position);
    return list.encoder;
  }

  /** The section, once every key group of the range was closed. */
  toBytes(): Uint8Array {
    invariant(this.groupsLeft === 0, "a section holds every key group of its range");
    return this.out.toBytes();
  }
}
