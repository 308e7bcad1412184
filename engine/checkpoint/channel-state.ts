import type { TimestampMs } from "../base/units.ts";

/** Records in flight, in order, and the watermark behind them. */
export interface InFlightBuffer {
  readonly values: readonly unknown[];
  /** One a record. */
  readonly timestamps: readonly TimestampMs[];
  /** Null where no watermark follows the records. */
  readonly watermarkMs: TimestampMs | null;
}

/** Names a channel in a way that survives a change of the job's parallelism elsewhere. */
export interface ChannelName {
  /** Key of the job edge. */
  readonly edge: string;
  readonly fromSubtask: number;
  readonly toSubtask: number;
}

/** What was in flight in one channel, oldest first. */
export interface ChannelContents extends ChannelName {
  readonly buffers: readonly InFlightBuffer[];
}

/**
 * The in-flight data of one subtask in an unaligned checkpoint, part of the subtask's own file (a plain value
 * for the structural codec): what lay at its input channels, sent by others and not yet processed here, and what
 * waited at its outputs, not yet sent. Of one channel, the receiver's input state is older than the sender's
 * output state. Channels with nothing in flight are left out.
 *
 * Of events, watermarks are kept. Barriers and cancellations belong to the checkpoint itself. That a channel is
 * idle, or that its input ended, is said again by its sender after a restore: every subtask begins as active, and
 * a source whose partitions ended finds that out anew. Kept as well, they would be said twice, or last longer
 * than they hold.
 */
export interface ChannelState {
  readonly inputs: readonly ChannelContents[];
  readonly outputs: readonly ChannelContents[];
}

export function recordsInFlight(channels: readonly ChannelContents[]): number {
  let records = 0;
  for (const { buffers } of channels) for (const { values } of buffers) records += values.length;
  return records;
}
