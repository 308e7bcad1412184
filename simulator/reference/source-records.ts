import { invariant, present } from "../../engine/base/assert.ts";
import { NO_TIMESTAMP, US_PER_MS } from "../../engine/base/units.ts";
import type { SourceNode } from "../../engine/graph/stream-graph.ts";
import type { LogRecord } from "../../engine/ports/external-log.ts";
import type { ProcessPorts } from "../../engine/ports/process-ports.ts";
import type { ArrivingRecord, InputTopic } from "../scenario.ts";

/** More than any source of a scenario holds. */
const RECORDS_LIMIT = 10_000_000;

/** Everything a source will ever emit, by partition, with its time of arrival and the timestamp it came with. */
export function recordsOfSource(
  node: SourceNode,
  inputs: readonly InputTopic[],
): readonly (readonly ArrivingRecord[])[] {
  const { topic } = node.source as { readonly topic?: unknown };
  if (typeof topic === "string") {
    const input = inputs.find((candidate) => candidate.topic === topic);
    return present(input, `the workload has the topic "${topic}" that source "${node.uid}" reads`).partitions;
  }
  return recordsHeldBy(node);
}

/**
 * A source without a topic holds its own records. They are read by the contract of sources (replayable from
 * any offset), at the end of time, when all of them are available. A timestamp is its time of arrival.
 */
function recordsHeldBy(node: SourceNode): readonly (readonly ArrivingRecord[])[] {
  invariant(node.source.bounded, `source "${node.uid}" ends`);
  const ports = endOfTime(node.uid);
  const partitions: ArrivingRecord[][] = [];
  for (let partition = 0; partition < node.source.partitionCount(ports); partition++) {
    const reader = node.source.createReader({
      ports,
      subtaskIndex: 0,
      subject: 0,
      onAvailable: () => undefined,
      onError: (message) => invariant(false, `source "${node.uid}" can be read: ${message}`),
    });
    reader.start(partition, 0);
    const records: ArrivingRecord[] = [];
    while (!reader.ended() && records.length < RECORDS_LIMIT) {
      const batch = present(reader.poll(1024), `source "${node.uid}" needs nothing but time`);
      for (const record of batch.records) records.push(arriving(record));
    }
    reader.close();
    partitions.push(records);
  }
  return partitions;
}

function arriving({ value, timestampMs }: LogRecord): ArrivingRecord {
  const arrivesAtUs = timestampMs === NO_TIMESTAMP ? 0 : Math.max(0, timestampMs) * US_PER_MS;
  return { arrivesAtUs, timestampMs, value };
}

/** Ports of a world in which it is late and nothing else exists. */
function endOfTime(uid: string): ProcessPorts {
  const nowUs = Number.MAX_SAFE_INTEGER;
  const none = new Proxy({}, { get: (_, port) => invariant(false, `source "${uid}" reads a topic (it asked for ${String(port)})`) });
  const clock = { nowUs: () => nowUs, processingTimeMs: () => Math.floor(nowUs / US_PER_MS) };
  return new Proxy({ clock } as unknown as ProcessPorts, {
    get: (ports, name) => (name === "clock" ? ports.clock : none),
  });
}
