import type { CheckpointId, TimestampMs } from "../base/units.ts";
import { NO_CHECKPOINT } from "../base/units.ts";
import type { Barrier } from "../checkpoint/barrier-handler.ts";
import type { InFlightBuffer } from "../checkpoint/channel-state.ts";
import type { Frame } from "../ports/network.ts";

/** What travels between records, in order with them. Each closes the buffer it ends. */
export type ChannelEvent =
  | ({ readonly kind: "barrier" } & Barrier)
  /** The checkpoint was given up upstream: do not wait for its barrier. */
  | { readonly kind: "cancel-barrier"; readonly checkpointId: CheckpointId }
  | { readonly kind: "watermark"; readonly watermarkMs: TimestampMs }
  | { readonly kind: "idle"; readonly idle: boolean }
  /** No record follows (barriers may, until the sender has finished). */
  | { readonly kind: "end-of-input" }
  /** The sender has finished: nothing at all follows. */
  | { readonly kind: "end-of-partition" };

/** Up to 64 records, then at most one event. Immutable once sent. */
export interface Buffer extends Frame {
  readonly kind: "buffer";
  readonly values: readonly unknown[];
  readonly timestamps: readonly TimestampMs[];
  readonly event: ChannelEvent | null;
}

/** The receiver has room for so many more buffers. */
export interface Credit extends Frame {
  readonly kind: "credit";
  readonly buffers: number;
}

/** A barrier ahead of everything that waits in its channel; it needs no credit. */
export interface OvertakingBarrier extends Frame {
  readonly kind: "barrier";
  readonly barrier: Barrier;
}

export type StreamFrame = Buffer | Credit | OvertakingBarrier;

const NO_VALUES: readonly unknown[] = [];
const NO_TIMESTAMPS: readonly TimestampMs[] = [];

export function recordsBuffer(values: readonly unknown[], timestamps: readonly TimestampMs[]): Buffer {
  return { kind: "buffer", recordCount: values.length, checkpointId: NO_CHECKPOINT, values, timestamps, event: null };
}

/** A buffer that ends in an event; with records before it where there are any. */
export function eventBuffer(
  event: ChannelEvent,
  values: readonly unknown[] = NO_VALUES,
  timestamps: readonly TimestampMs[] = NO_TIMESTAMPS,
): Buffer {
  const checkpointId = event.kind === "barrier" ? event.checkpointId : NO_CHECKPOINT;
  return { kind: "buffer", recordCount: values.length, checkpointId, values, timestamps, event };
}

export function overtakingBarrier(barrier: Barrier): OvertakingBarrier {
  return { kind: "barrier", recordCount: 0, checkpointId: barrier.checkpointId, barrier };
}

/** The buffer without the barrier that ends it. */
export function withoutEvent({ values, timestamps }: Buffer): Buffer {
  return recordsBuffer(values, timestamps);
}

/** What a checkpoint keeps of a buffer in flight, or null where that is nothing (see channel-state). */
export function inFlightOf({ values, timestamps, event }: Buffer): InFlightBuffer | null {
  const watermarkMs = event !== null && event.kind === "watermark" ? event.watermarkMs : null;
  return values.length === 0 && watermarkMs === null ? null : { values, timestamps, watermarkMs };
}

export function restoredBuffer({ values, timestamps, watermarkMs }: InFlightBuffer): Buffer {
  if (watermarkMs === null) return recordsBuffer(values, timestamps);
  return eventBuffer({ kind: "watermark", watermarkMs }, values, timestamps);
}

export function creditFrame(buffers: number): Credit {
  return { kind: "credit", recordCount: 0, checkpointId: NO_CHECKPOINT, buffers };
}
