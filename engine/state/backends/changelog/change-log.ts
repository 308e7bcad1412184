import { invariant, present } from "../../../base/assert.ts";
import { ByteWriter } from "../../../base/bytes.ts";
import { StructuralEncoder } from "../../../base/codec.ts";
import type { TimestampMs } from "../../../base/units.ts";
import { keyGroupOf } from "../../../stream/key-groups.ts";
import { canonicalKey } from "../../key-identity.ts";
import type { Key, Namespace, TimerDomain } from "../../state.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import { OPERATION } from "./changelog-format.ts";
import type { LogSegment } from "./changelog-format.ts";

/** The places from `first` up to (excluding) `end` of `all`, which only ever grows behind them. */
export interface SegmentSpan {
  readonly all: readonly LogSegment[];
  readonly first: number;
  readonly end: number;
}

/** A boundary between two operations at which a segment begins. */
export interface LogPosition {
  readonly sqn: number;
  /** Number of the segment that begins here; the first of the attempt is 0. */
  readonly segment: number;
  /** Bytes logged before it. */
  readonly bytes: number;
}

export const LOG_START: LogPosition = { sqn: 0, segment: 0, bytes: 0 };

/**
 * The log of one attempt of one subtask (bytes: changelog-format). Operations are numbered from 0 (SQN), and
 * each is appended to the open segment; `seal` closes that and begins the next one.
 *
 * An operation that a serializer refuses leaves no trace: the error goes through, and nothing was appended.
 */
export class ChangeLog {
  /** The SQN of the next operation. */
  sqn = 0;
  /** The key of the operations to come, timers apart that fire. */
  currentKey: Key | null = null;
  private readonly maxParallelism: number;
  private readonly open: ByteWriter = new ByteWriter(512);
  private readonly encoder: StructuralEncoder = new StructuralEncoder(this.open);
  /** Bytes of the whole operations in the open segment: behind them is only what a refused one left. */
  private openBytes = 0;
  private openSqn = 0;
  private sealed: LogSegment[] = [];
  private sealedBytes = 0;
  /** Segments that were dropped, which are the first. */
  private dropped = 0;
  /** The key of the last operation, and as it is written. */
  private readonly keyBytes: ByteWriter = new ByteWriter();
  private readonly keyEncoder: StructuralEncoder = new StructuralEncoder(this.keyBytes);
  private key: Key | null = null;
  private keyGroup = 0;

  constructor(maxParallelism: number) {
    this.maxParallelism = maxParallelism;
    this.open.encoder = this.encoder;
  }

  /** Bytes ever logged, dropped ones too. */
  get loggedBytes(): number {
    return this.sealedBytes + this.openBytes;
  }

  /** Sealed segments that are still there. */
  get segments(): readonly LogSegment[] {
    return this.sealed;
  }

  clear(state: number, namespace: Namespace): void {
    this.begin(OPERATION.clear, this.currentKey, state, namespace);
    this.end();
  }

  set(state: number, namespace: Namespace, value: unknown, serializer: TypeSerializer<unknown>): void {
    this.begin(OPERATION.set, this.currentKey, state, namespace);
    serializer.write(this.open, value);
    this.end();
  }

  /** The new list, at least one element. */
  replace(state: number, namespace: Namespace, list: readonly unknown[], serializer: TypeSerializer<unknown>): void {
    this.begin(OPERATION.replace, this.currentKey, state, namespace);
    this.elements(list, serializer);
    this.end();
  }

  /** What is appended to a list, at least one element. */
  append(state: number, namespace: Namespace, list: readonly unknown[], serializer: TypeSerializer<unknown>): void {
    this.begin(OPERATION.append, this.currentKey, state, namespace);
    this.elements(list, serializer);
    this.end();
  }

  put(
    state: number,
    namespace: Namespace,
    mapKey: unknown,
    value: unknown,
    keySerializer: TypeSerializer<unknown>,
    serializer: TypeSerializer<unknown>,
  ): void {
    this.begin(OPERATION.put, this.currentKey, state, namespace);
    keySerializer.write(this.open, mapKey);
    serializer.write(this.open, value);
    this.end();
  }

  remove(state: number, namespace: Namespace, mapKey: unknown, keySerializer: TypeSerializer<unknown>): void {
    this.begin(OPERATION.remove, this.currentKey, state, namespace);
    keySerializer.write(this.open, mapKey);
    this.end();
  }

  registerTimer(domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    this.timer(OPERATION.registerTimer, this.currentKey, domain, namespace, timestampMs);
  }

  /** `key` is the timer's: not the current key where a timer fires (FLINK-26063). */
  deregisterTimer(key: Key | null, domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    this.timer(OPERATION.deregisterTimer, key, domain, namespace, timestampMs);
  }

  /** Closes the open segment, if there is anything in it; returns where the next one begins. O(1). */
  seal(): LogPosition {
    if (this.sqn !== this.openSqn) {
      this.open.truncate(this.openBytes);
      this.sealed.push({ fromSqn: this.openSqn, toSqn: this.sqn, bytes: this.open.take() });
      this.sealedBytes += this.openBytes;
      this.openBytes = 0;
      this.openSqn = this.sqn;
    }
    return { sqn: this.sqn, segment: this.dropped + this.sealed.length, bytes: this.sealedBytes };
  }

  /** The sealed segments from a position on. O(1). */
  sealedFrom(from: LogPosition): SegmentSpan {
    const { sealed } = this;
    const first = from.segment - this.dropped;
    const sqn = first < sealed.length ? sealed[first]?.fromSqn : this.openSqn;
    invariant(sqn === from.sqn, "the log still has every operation that its base does not hold");
    return { all: sealed, first, end: sealed.length };
  }

  /** Forgets the segments before a position. Spans that were given out stay as they are. */
  truncate(to: LogPosition): void {
    const count = to.segment - this.dropped;
    if (count <= 0) return;
    invariant(count <= this.sealed.length, "only sealed segments are dropped");
    this.sealed = this.sealed.slice(count);
    this.dropped = to.segment;
  }

  private elements(list: readonly unknown[], serializer: TypeSerializer<unknown>): void {
    this.open.varuint(list.length);
    for (let i = 0; i < list.length; i++) serializer.write(this.open, list[i]);
  }

  private timer(code: number, key: Key | null, domain: TimerDomain, namespace: Namespace, timestampMs: TimestampMs): void {
    this.begin(code, key, -1, namespace);
    this.open.u8(domain);
    this.encoder.write(timestampMs + 0);
    this.end();
  }

  /** What all operations begin with. `state` is negative for timers. */
  private begin(code: number, key: Key | null, state: number, namespace: Namespace): void {
    if (key !== this.key) this.setKey(present(key, "a key is set before keyed state is used"));
    else invariant(key !== null, "a key is set before keyed state is used");
    const { open } = this;
    if (open.position !== this.openBytes) open.truncate(this.openBytes);
    open.u8(code);
    open.varuint(this.keyGroup);
    if (state >= 0) open.varuint(state);
    open.copyFrom(this.keyBytes, 0, this.keyBytes.position);
    this.encoder.write(typeof namespace === "number" ? namespace + 0 : namespace);
  }

  private end(): void {
    this.openBytes = this.open.position;
    this.sqn++;
  }

  private setKey(key: Key): void {
    const canonical = canonicalKey(key);
    this.keyGroup = keyGroupOf(canonical, this.maxParallelism);
    this.keyBytes.truncate(0);
    this.keyEncoder.write(canonical);
    this.key = key;
  }
}
