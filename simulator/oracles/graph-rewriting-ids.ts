import { invariant, present } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { NO_TIMESTAMP } from "../../engine/base/units.ts";
import type { SourceNode, StreamGraph } from "../../engine/graph/stream-graph.ts";
import { recordsOfSource } from "../reference/source-records.ts";
import type { InputTopic } from "../scenario.ts";

/** What flows in a rewritten job in place of a record: the record and its id. Immutable. */
export interface Tagged {
  readonly id: number;
  readonly value: unknown;
}

/** The records of one source. */
export interface SourceIds {
  readonly uid: string;
  readonly name: string;
  /** Id of the first record of each partition; offset o of partition p has the id `firstIds[p] + o`. */
  readonly firstIds: readonly number[];
  readonly lengths: readonly number[];
}

/**
 * Gives every record of every source an id of its own: 0, 1, 2 … by source, partition and offset, so that
 * arrays can be indexed by them and small integers hold them. What keyed operators emit gets ids from
 * `total` on.
 */
export class RecordIds {
  readonly sources: readonly SourceIds[];
  /** Number of records of all sources. */
  readonly total: number;
  /** By id. */
  readonly records: readonly Tagged[];
  /** By id: the timestamp with which the record enters the job. */
  readonly timestamps: readonly TimestampMs[];
  /** By id: a number for its source and partition. */
  readonly partitionOf: readonly number[];

  constructor(graph: StreamGraph, inputs: readonly InputTopic[]) {
    const sources: SourceIds[] = [];
    const records: Tagged[] = [];
    const timestamps: TimestampMs[] = [];
    const partitionOf: number[] = [];
    let partitions = 0;
    for (const node of graph.nodes) {
      if (node.kind !== "source") continue;
      const firstIds: number[] = [];
      const lengths: number[] = [];
      for (const partition of recordsOfSource(node, inputs)) {
        firstIds.push(records.length);
        lengths.push(partition.length);
        for (const { value, timestampMs } of partition) {
          records.push({ id: records.length, value });
          timestamps.push(timestampIn(node, value, timestampMs));
          partitionOf.push(partitions);
        }
        partitions += 1;
      }
      sources.push({ uid: node.uid, name: node.name, firstIds, lengths });
    }
    this.sources = sources;
    this.records = records;
    this.timestamps = timestamps;
    this.partitionOf = partitionOf;
    this.total = records.length;
    invariant(this.total < 1 << 29, "ids of records are small integers");
  }

  ofSource(uid: string): SourceIds {
    return present(
      this.sources.find((source) => source.uid === uid),
      `the job has a source "${uid}"`,
    );
  }

  /** "record 31 of flights/2". */
  describe(id: number): string {
    for (const { name, firstIds, lengths } of this.sources) {
      for (let partition = 0; partition < firstIds.length; partition++) {
        const offset = id - (firstIds[partition] as number);
        if (offset >= 0 && offset < (lengths[partition] as number)) return `record ${offset} of ${name}/${partition}`;
      }
    }
    return `derived record ${id}`;
  }
}

function timestampIn({ source, watermarks }: SourceNode, value: unknown, carriedMs: TimestampMs): TimestampMs {
  const recordMs = carriedMs === NO_TIMESTAMP ? (source.defaultTimestampMs ?? NO_TIMESTAMP) : carriedMs;
  return watermarks.timestampOf === null ? recordMs : watermarks.timestampOf(value, recordMs);
}
