import { invariant } from "../../engine/base/assert.ts";
import type { TransactionStatus } from "../../engine/ports/external-log.ts";

/** What a partition needs to know of a transaction. */
export interface Decidable {
  readonly transactionId: string;
  readonly status: TransactionStatus;
}

/** A record as a read-committed consumer sees it. */
export interface VisibleRecord {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly transactionId: string;
}

/** A partition as it was: it goes on in another World. */
export interface KeptPartition {
  readonly segments: readonly Segment[];
  readonly stable: number;
}

/** Records that one call appended. */
export interface Segment {
  readonly firstOffset: number;
  readonly records: readonly Uint8Array[];
  readonly transaction: Decidable;
}

/**
 * One partition of an output topic: an append-only sequence of segments. Everything before the last stable
 * offset is decided: committed records there are visible, aborted ones are not and never will be.
 */
export class LogPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #segments: Segment[] = [];
  #endOffset = 0;
  /** Segments before this one are decided. */
  #stable = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get endOffset(): number {
    return this.#endOffset;
  }

  get lastStableOffset(): number {
    return this.#segments[this.#stable]?.firstOffset ?? this.#endOffset;
  }

  /** Returns the offset of the first record. */
  append(transaction: Decidable, records: readonly Uint8Array[]): number {
    invariant(transaction.status === "open", "records are appended to open transactions");
    const firstOffset = this.#endOffset;
    this.#segments.push({ firstOffset, records, transaction });
    this.#endOffset += records.length;
    return firstOffset;
  }

  /** Moves the last stable offset over everything decided by now; `visible` gets what became so, in order. */
  advance(visible: (firstOffset: number, records: readonly Uint8Array[], transactionId: string) => void): void {
    for (;;) {
      const segment = this.#segments[this.#stable];
      if (segment === undefined) return;
      const { status, transactionId } = segment.transaction;
      if (status === "open" || status === "prepared") return;
      this.#stable += 1;
      if (status === "committed") visible(segment.firstOffset, segment.records, transactionId);
    }
  }

  /** For inspection: every call's records, in offset order. */
  segments(): readonly Segment[] {
    return this.#segments;
  }

  /** What it holds now, for a partition that goes on from there. */
  keep(): KeptPartition {
    return { segments: [...this.#segments], stable: this.#stable };
  }

  /** Before anything was appended. `of`: the transaction that takes the place of another one. */
  load({ segments, stable }: KeptPartition, of: (transaction: Decidable) => Decidable): void {
    for (const { firstOffset, records, transaction } of segments) {
      this.#segments.push({ firstOffset, records, transaction: of(transaction) });
      this.#endOffset = firstOffset + records.length;
    }
    this.#stable = stable;
  }

  /** All that a read-committed consumer sees, in offset order. */
  readCommitted(): readonly VisibleRecord[] {
    const found: VisibleRecord[] = [];
    for (const { firstOffset, records, transaction } of this.#segments.slice(0, this.#stable)) {
      if (transaction.status !== "committed") continue;
      records.forEach((bytes, i) => {
        found.push({ offset: firstOffset + i, bytes, transactionId: transaction.transactionId });
      });
    }
    return found;
  }
}
