import type { TimestampMs } from "../../engine/base/units.ts";
import type { ChannelContents } from "../../engine/checkpoint/channel-state.ts";
import type { StreamEdge, StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { CheckpointRecord, CheckpointRecords } from "./checkpoint-records.ts";
import type { Tagged } from "./graph-rewriting-ids.ts";

/** A record that a checkpoint keeps because it was on its way: sent, and not yet processed. */
export interface InFlightRecord {
  readonly record: Tagged;
  readonly timestampMs: TimestampMs;
}

/** By key of the edge: what was on its way in all of its channels, channel by channel, the oldest first. */
export type InFlight = ReadonlyMap<string, readonly InFlightRecord[]>;

/** In-flight data of a subtask's own file. */
export interface RecordedChannels {
  readonly inputs: readonly ChannelContents[];
  readonly outputs: readonly ChannelContents[];
}

const NO_CHANNELS: RecordedChannels = { inputs: [], outputs: [] };

/** Of each subtask that a checkpoint holds a file of. */
export function channelsIn(record: CheckpointRecord, records: CheckpointRecords): readonly RecordedChannels[] {
  const found: RecordedChannels[] = [];
  for (const { subtasks } of record.metadata?.vertices ?? []) {
    for (const state of subtasks) {
      const key = state?.file?.key;
      if (key !== undefined) found.push(records.snapshotOf(record, key)?.channels ?? NO_CHANNELS);
    }
  }
  return found;
}

/** What was on its way at a checkpoint of a job whose records carry their ids. */
export function inFlightIn(record: CheckpointRecord, records: CheckpointRecords): InFlight {
  const byEdge = new Map<string, InFlightRecord[]>();
  const channels = channelsIn(record, records);
  // What lies at a receiver is older than what its sender still has.
  for (const { inputs } of channels) for (const one of inputs) gather(byEdge, one);
  for (const { outputs } of channels) for (const one of outputs) gather(byEdge, one);
  return byEdge;
}

function gather(byEdge: Map<string, InFlightRecord[]>, { edge, buffers }: ChannelContents): void {
  let found = byEdge.get(edge);
  if (found === undefined) {
    found = [];
    byEdge.set(edge, found);
  }
  for (const { values, timestamps } of buffers) {
    values.forEach((value, i) => found.push({ record: value as Tagged, timestampMs: timestamps[i] as TimestampMs }));
  }
}

/** The key under which in-flight data of each edge is kept: the uids of both ends, and a number from the second on. */
export function edgeKeysOf(graph: StreamGraph): Map<StreamEdge, string> {
  const keys = new Map<StreamEdge, string>();
  const taken = new Map<string, number>();
  for (const node of graph.nodes) {
    for (const edge of node.inputs) {
      const side = edge.sideOutput === null ? "" : `/${edge.sideOutput}`;
      const name = `${graph.nodes[edge.from]?.uid ?? ""}${side}->${node.uid}`;
      const ordinal = (taken.get(name) ?? 0) + 1;
      taken.set(name, ordinal);
      keys.set(edge, ordinal === 1 ? name : `${name}-${ordinal}`);
    }
  }
  return keys;
}
