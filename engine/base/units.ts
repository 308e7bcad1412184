/**
 * Flavoured numbers: a plain number may be used as one, but one flavour is never accepted for another.
 * Virtual time is whole microseconds since the start of the simulation; event time and processing time
 * are whole milliseconds, as in Flink.
 */
declare const flavour: unique symbol;
type Flavour<Name extends string> = number & { readonly [flavour]?: Name };

/** Virtual time, whole microseconds since the simulation started. */
export type TimeUs = Flavour<"TimeUs">;
/** Event or processing time, whole milliseconds. */
export type TimestampMs = Flavour<"TimestampMs">;
/** Index of a key group, 0 up to (excluding) the maximum parallelism. */
export type KeyGroup = Flavour<"KeyGroup">;
/** Number of a checkpoint of a job: 1, 2, 3 … across attempts and leaders. */
export type CheckpointId = Flavour<"CheckpointId">;

/** The watermark before any (Flink: Long.MIN_VALUE; here the least safe integer). */
export const MIN_WATERMARK: TimestampMs = Number.MIN_SAFE_INTEGER;
/** The watermark of an ended input (Flink: Long.MAX_VALUE; here the greatest safe integer). */
export const MAX_WATERMARK: TimestampMs = Number.MAX_SAFE_INTEGER;
/** The timestamp of a record that has none (Flink: Long.MIN_VALUE too). */
export const NO_TIMESTAMP: TimestampMs = Number.MIN_SAFE_INTEGER;
/** Stands where a message or frame belongs to no checkpoint. */
export const NO_CHECKPOINT: CheckpointId = -1;

export const US_PER_MS = 1000;
