import { invariant } from "../../../base/assert.ts";
import { ByteWriter } from "../../../base/bytes.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { KeyedSectionWriter } from "../../keyed-section-writer.ts";
import { expiryOf, isExpiredItem, varuintEnd, varuintAt } from "./row-expiry.ts";
import { readStateId, startsWith, stateIdEnd, suffixStart } from "./row-format.ts";
import type { StoredState } from "./stored-states.ts";

const NO_BYTES = new Uint8Array(0);

/** Counts rows that sections left out because they were expired; for people. */
export interface LeftOutRows {
  leftOut: number;
}

/**
 * Puts rows, which come in ascending order, together to the entries of a section. Nothing is decoded: the
 * bytes of keys and items are the same in both, and the order is.
 */
export class SectionRows {
  private readonly section: KeyedSectionWriter;
  /** By id, which is the section's number too. */
  private readonly states: readonly StoredState[];
  private readonly keyGroupBytes: number;
  /** By id: how old an item may be; Infinity: of any age. */
  private readonly expiries: readonly number[];
  private readonly nowMs: TimestampMs;
  private readonly expired: LeftOutRows;
  /** The list or map at hand: what its row keys begin with; null: none is. */
  private state: StoredState | null = null;
  private prefix: Uint8Array = NO_BYTES;
  private prefixBytes = 0;
  private keyStart = 0;
  private count = 0;
  /** The items so far, one after the other, item i from `starts[i]` on. */
  private readonly items: ByteWriter = new ByteWriter(256);
  private readonly starts: number[] = [];
  private readonly sequences: number[] = [];

  /** Expired as of `nowMs` are left out where the state's time to live says so. */
  constructor(
    section: KeyedSectionWriter,
    states: readonly StoredState[],
    keyGroupBytes: number,
    nowMs: TimestampMs,
    expired: LeftOutRows,
  ) {
    this.expired = expired;
    this.section = section;
    this.states = states;
    this.keyGroupBytes = keyGroupBytes;
    this.expiries = states.map(({ ttl }) => expiryOf(ttl, ttl !== null && ttl.cleanupInFullSnapshot));
    this.nowMs = nowMs;
  }

  row(key: Uint8Array, value: Uint8Array): void {
    if (this.state === null || !startsWith(key, this.prefix, this.prefixBytes)) {
      this.endEntry();
      const state = this.states[readStateId(key, this.keyGroupBytes)];
      invariant(state !== undefined, "every row is one of a state");
      const keyStart = stateIdEnd(key, this.keyGroupBytes);
      if (state.kind !== "list" && state.kind !== "map") {
        if (this.isExpired(state, value, 0)) return;
        this.section.rawEntry(state.id, key.subarray(keyStart)).bytes(value);
        return;
      }
      this.state = state;
      this.keyStart = keyStart;
      this.prefixBytes = suffixStart(key, keyStart);
      this.prefix = key.slice(0, this.prefixBytes);
    }
    if (this.state.kind === "list") this.element(this.state, value);
    else this.mapEntry(this.state, key, value);
  }

  /** Closes the list or map at hand; to be called after the last row of a key group. */
  endEntry(): void {
    const { state, count } = this;
    this.state = null;
    if (count === 0) return;
    invariant(state !== null, "items are of a state");
    const out = this.section.rawEntry(state.id, this.prefix.subarray(this.keyStart, this.prefixBytes));
    out.varuint(count);
    if (state.kind === "list") out.copyFrom(this.items, 0, this.items.position);
    else this.copyBySequence(out, count);
    this.items.truncate(0);
    this.count = 0;
  }

  private element(state: StoredState, value: Uint8Array): void {
    if (this.isExpired(state, value, 0)) return;
    this.items.bytes(value);
    this.count++;
  }

  private mapEntry(state: StoredState, key: Uint8Array, value: Uint8Array): void {
    const itemStart = varuintEnd(value, 0);
    if (this.isExpired(state, value, itemStart)) return;
    this.sequences[this.count] = varuintAt(value, 0);
    this.starts[this.count++] = this.items.position;
    this.items.bytes(key.subarray(this.prefixBytes));
    this.items.bytes(value.subarray(itemStart));
  }

  private copyBySequence(out: ByteWriter, count: number): void {
    const { items, starts, sequences } = this;
    starts[count] = items.position;
    const order: number[] = [];
    for (let i = 0; i < count; i++) order.push(i);
    order.sort((left, right) => sequences[left]! - sequences[right]!);
    for (const item of order) out.copyFrom(items, starts[item]!, starts[item + 1]!);
  }

  private isExpired(state: StoredState, value: Uint8Array, itemStart: number): boolean {
    if (!isExpiredItem(value, itemStart, this.expiries[state.id]!, this.nowMs)) return false;
    this.expired.leftOut += 1;
    return true;
  }
}
