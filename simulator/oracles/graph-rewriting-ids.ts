import { invariant, present } from "../../engine/base/assert.ts";
import { NO_TIMESTAMP } from "../../engine/base/units.ts";
import type { SourceNode, StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { Emitter } from "../reference/dataflow.ts";
import { partitionsOfSource } from "../reference/source-records.ts";
import type { PartitionRecords } from "../reference/source-records.ts";
import type { InputTopic } from "../scenario.ts";

/** What flows in a rewritten job in place of a record: the record and its id. Immutable. */
export interface Tagged {
  readonly id: number;
  readonly value: unknown;
}

/** Where a record stands in its source. */
export interface RecordPlace {
  /** Of the source. */
  readonly uid: string;
  readonly partition: number;
  readonly offset: number;
}

/** The records of one source, by partition and offset. Those that carry their ids are made when they are asked for. */
export class SourceIds {
  readonly uid: string;
  readonly name: string;
  /** Id of the first record of each partition; offset o of partition p has the id `firstIds[p] + o`. */
  readonly firstIds: readonly number[];
  readonly lengths: readonly number[];
  readonly #node: SourceNode;
  readonly #partitions: readonly PartitionRecords[];

  constructor(node: SourceNode, partitions: readonly PartitionRecords[], firstId: number) {
    this.uid = node.uid;
    this.name = node.name;
    this.lengths = partitions.map((records) => records.length);
    let next = firstId;
    this.firstIds = this.lengths.map((length) => (next += length) - length);
    this.#node = node;
    this.#partitions = partitions;
  }

  /**
   * Emits the records from `start` to before `end`, with the timestamps with which they enter the job. In one
   * loop: the oracles do this once for every record.
   */
  emit(partition: number, start: number, end: number, to: Emitter): void {
    const { source, watermarks } = this.#node;
    const { timestampOf } = watermarks;
    const withoutMs = source.defaultTimestampMs ?? NO_TIMESTAMP;
    const records = present(this.#partitions[partition], "a source has the partition");
    const firstId = this.firstIds[partition] as number;
    for (let offset = start; offset < end; offset += 1) {
      const value = records.value(offset);
      const ownMs = records.timestampMs(offset);
      const recordMs = ownMs === NO_TIMESTAMP ? withoutMs : ownMs;
      to.collect({ id: firstId + offset, value }, timestampOf === null ? recordMs : timestampOf(value, recordMs));
    }
  }
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
  /** By id: a number for its source and partition. */
  readonly partitionOf: Int32Array;

  constructor(graph: StreamGraph, inputs: readonly InputTopic[]) {
    const sources: SourceIds[] = [];
    let total = 0;
    for (const node of graph.nodes) {
      if (node.kind !== "source") continue;
      const partitions = partitionsOfSource(node, inputs);
      sources.push(new SourceIds(node, partitions, total));
      for (const { length } of partitions) total += length;
    }
    invariant(total < 1 << 29, "ids of records are small integers");
    this.sources = sources;
    this.total = total;
    this.partitionOf = new Int32Array(total);
    const lengths = sources.flatMap((source) => source.lengths);
    let first = 0;
    lengths.forEach((length, partition) => this.partitionOf.fill(partition, first, (first += length)));
  }

  ofSource(uid: string): SourceIds {
    return present(
      this.sources.find((source) => source.uid === uid),
      `the job has a source "${uid}"`,
    );
  }

  /** Where a record of a source stands; null for a derived one. */
  placeOf(id: number): RecordPlace | null {
    for (const { uid, firstIds, lengths } of this.sources) {
      for (let partition = 0; partition < firstIds.length; partition++) {
        const offset = id - (firstIds[partition] as number);
        if (offset >= 0 && offset < (lengths[partition] as number)) return { uid, partition, offset };
      }
    }
    return null;
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
