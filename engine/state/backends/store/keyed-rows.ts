import { invariant, present } from "../../../base/assert.ts";
import { ByteReader, ByteWriter } from "../../../base/bytes.ts";
import { StructuralEncoder } from "../../../base/codec.ts";
import type { KeyGroup } from "../../../base/units.ts";
import { keyGroupOf } from "../../../stream/key-groups.ts";
import { canonicalKey } from "../../key-identity.ts";
import type { KeyGroupRange } from "../../keyed-backend.ts";
import type { SectionBuffers } from "../../keyed-section-writer.ts";
import type { OrderedStore } from "../../ordered-store.ts";
import type { Key } from "../../state.ts";
import { SEQUENCE_LIMIT, keyGroupBytes, writeKeyGroup, writeStateId } from "./row-format.ts";

const NO_BYTES = new Uint8Array(0);

/** What the state primitives of one backend share: the store, the current key, and room to write and read in. */
export class KeyedRows {
  readonly store: OrderedStore;
  readonly range: KeyGroupRange;
  readonly maxParallelism: number;
  readonly keyGroupBytes: number;
  /** Counts the changes of the current key. */
  stamp = 0;
  /** The sequence number drawn next. */
  nextSequence = 0;
  /** For the value of a row that is about to be written. */
  readonly value: ByteWriter = new ByteWriter(256);
  readonly valueEncoder: StructuralEncoder = new StructuralEncoder(this.value);
  readonly reader: ByteReader = new ByteReader(NO_BYTES);
  /** Left by the last section for the next. */
  spareBuffers: SectionBuffers | null = null;
  private key: Key | null = null;
  /** The current key, encoded; up to date while `encodedStamp` is `stamp`. */
  private readonly encoded: ByteWriter = new ByteWriter();
  private readonly encoder: StructuralEncoder = new StructuralEncoder(this.encoded);
  private encodedStamp = -1;
  private keyGroup: KeyGroup = 0;

  constructor(store: OrderedStore, range: KeyGroupRange, maxParallelism: number) {
    invariant(range.start >= 0 && range.end < maxParallelism, "a key-group range lies below the max parallelism");
    this.store = store;
    this.range = range;
    this.maxParallelism = maxParallelism;
    this.keyGroupBytes = keyGroupBytes(maxParallelism);
  }

  setCurrentKey(key: Key): void {
    // Another tuple of the same content is encoded again, no more.
    if (key === this.key) return;
    this.key = key;
    this.stamp++;
  }

  currentKey(): Key {
    const key = present(this.key, "a key is set before keyed state is used");
    return typeof key === "number" ? key + 0 : key;
  }

  forgetCurrentKey(): void {
    this.key = null;
    this.stamp++;
  }

  /** Begins a row of a state and the current key in an empty writer. */
  beginRow(row: ByteWriter, stateId: number): void {
    if (this.encodedStamp !== this.stamp) this.encodeKey();
    writeKeyGroup(row, this.keyGroup, this.keyGroupBytes);
    writeStateId(row, stateId);
    row.copyFrom(this.encoded, 0, this.encoded.position);
  }

  drawSequence(): number {
    invariant(this.nextSequence < SEQUENCE_LIMIT, "a backend writes fewer than 2^48 list elements and map entries");
    return this.nextSequence++;
  }

  private encodeKey(): void {
    const key = canonicalKey(this.currentKey());
    const keyGroup = keyGroupOf(key, this.maxParallelism);
    if (keyGroup < this.range.start || keyGroup > this.range.end) {
      invariant(false, `key group ${keyGroup} of key ${String(key)} is in [${this.range.start}, ${this.range.end}]`);
    }
    this.encoded.truncate(0);
    this.encoder.write(key);
    this.keyGroup = keyGroup;
    this.encodedStamp = this.stamp;
  }
}
