import { invariant, present } from "../../../base/assert.ts";
import type { KeyGroup } from "../../../base/units.ts";
import { keyGroupOf } from "../../../stream/key-groups.ts";
import { canonicalKey, tupleIdentity } from "../../key-identity.ts";
import type { KeyGroupRange } from "../../keyed-backend.ts";
import type { SectionBuffers } from "../../keyed-section-writer.ts";
import type { Key } from "../../state.ts";
import { KeyEntry } from "./key-entry.ts";
import { dropUnseen } from "./versioned.ts";
import type { Versioned } from "./versioned.ts";

/** Below every version: no snapshot is in flight. */
const NONE_IN_FLIGHT = -2;

/**
 * The keys of a heap backend and their copy-on-write versions.
 *
 * Taking a snapshot only notes the current version number and begins the next one. A write to something that
 * the newest snapshot in flight still sees first hangs the old value (by reference: values are immutable)
 * beside the new one. What was removed stays attached, without a value, while such an old one is needed.
 * When a snapshot ends, the things touched meanwhile are swept, which takes time in proportion to their
 * number.
 *
 * So a snapshot can walk the table in steps while it changes, one key group after the other: what it sees
 * of a group is attached, and finds no other place, until the snapshot ends.
 */
export class HeapTable {
  readonly range: KeyGroupRange;
  readonly maxParallelism: number;
  /** The entries of key group `range.start + i`. */
  readonly groups: Set<KeyEntry>[] = [];
  /** States registered so far. */
  states = 0;
  /** State entries and timers that exist now. */
  live = 0;
  /** The current key's entry, or null where nothing is kept for it. */
  entry: KeyEntry | null = null;
  /** Stamped on what is written. Grows with each snapshot. */
  version = 0;
  /** Version of the newest snapshot in flight: what is not newer must be preserved before a write. */
  newestInFlight: number = NONE_IN_FLIGHT;

  /** Left by the last snapshot for the next. */
  spareBuffers: SectionBuffers | null = null;

  private readonly keys: Map<Key, KeyEntry> = new Map();
  private readonly tuples: Map<string, KeyEntry> = new Map();
  private key: Key | null = null;
  private inFlight: number[] = [];
  /** Everything that has old versions. */
  private touched: Versioned[] = [];

  constructor(range: KeyGroupRange, maxParallelism: number) {
    invariant(range.start >= 0 && range.end < maxParallelism, "a key-group range lies below the max parallelism");
    this.range = range;
    this.maxParallelism = maxParallelism;
    for (let keyGroup = range.start; keyGroup <= range.end; keyGroup++) this.groups.push(new Set());
  }

  setCurrentKey(key: Key): void {
    if (typeof key === "object") {
      if (key === this.key) return;
      this.entry = this.tuples.get(tupleIdentity(key)) ?? null;
    } else {
      this.entry = this.keys.get(key) ?? null;
    }
    this.key = key;
  }

  currentKey(): Key {
    const key = present(this.key, "a key is set before keyed state is used");
    return typeof key === "number" ? key + 0 : key;
  }

  forgetCurrentKey(): void {
    this.key = null;
    this.entry = null;
  }

  /** The current key's entry, made where there is none. */
  entryForWrite(): KeyEntry {
    return this.entry ?? this.createEntry();
  }

  write(cell: Versioned, value: unknown): void {
    if (cell.version <= this.newestInFlight) this.preserve(cell);
    cell.version = this.version;
    if (cell.value === null) this.live++;
    cell.value = value;
  }

  /** To be called before the value of a cell is changed in place; copy it first if it is `shared` then. */
  touch(cell: Versioned): void {
    if (cell.version <= this.newestInFlight) this.preserve(cell);
    cell.version = this.version;
  }

  clear(cell: Versioned): void {
    if (cell.value === null) return;
    this.touch(cell);
    cell.value = null;
    this.live--;
    if (cell.old === null) cell.detach();
  }

  /** Called by a cell or timer that left its entry. */
  released(entry: KeyEntry): void {
    entry.attached--;
    if (entry.attached > 0) return;
    invariant(entry.attached === 0, "an entry loses what was attached to it, once");
    if (typeof entry.key === "object") this.tuples.delete(tupleIdentity(entry.key));
    else this.keys.delete(entry.key);
    this.groups[entry.keyGroup - this.range.start]!.delete(entry);
    if (this.entry === entry) this.entry = null;
  }

  /** Everything from now on is newer than the version returned. O(1). */
  beginSnapshot(): number {
    const version = this.version++;
    this.inFlight.push(version);
    this.newestInFlight = version;
    return version;
  }

  endSnapshot(version: number): void {
    const index = this.inFlight.indexOf(version);
    invariant(index >= 0, "a snapshot ends once");
    this.inFlight.splice(index, 1);
    this.newestInFlight = this.inFlight.at(-1) ?? NONE_IN_FLIGHT;
    const touched = this.touched;
    this.touched = [];
    for (const cell of touched) {
      dropUnseen(cell, this.inFlight);
      if (cell.old !== null) this.touched.push(cell);
      else if (cell.value === null) cell.detach();
    }
  }

  private preserve(cell: Versioned): void {
    if (cell.old === null) {
      // Never written, as far as any snapshot in flight can tell.
      if (cell.value === null) return;
      this.touched.push(cell);
    }
    cell.old = { value: cell.value, version: cell.version, next: cell.old };
    cell.shared = true;
  }

  private createEntry(): KeyEntry {
    const key = canonicalKey(this.currentKey());
    const keyGroup: KeyGroup = keyGroupOf(key, this.maxParallelism);
    if (keyGroup < this.range.start || keyGroup > this.range.end) {
      invariant(false, `key group ${keyGroup} of key ${String(key)} is in [${this.range.start}, ${this.range.end}]`);
    }
    const entry = new KeyEntry(this, key, keyGroup);
    if (typeof key === "object") this.tuples.set(tupleIdentity(key), entry);
    else this.keys.set(key, entry);
    this.groups[keyGroup - this.range.start]!.add(entry);
    this.entry = entry;
    return entry;
  }
}
