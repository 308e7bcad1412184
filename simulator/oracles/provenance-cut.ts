import { present } from "../../engine/base/assert.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { OFFSETS_STATE } from "../../engine/operators/source-operator.ts";
import type { PartitionOffset } from "../../engine/operators/source-operator.ts";
import type { KeyedSection } from "../reference/snapshot-reader.ts";
import type { CheckpointRecord, CheckpointRecords } from "./checkpoint-records.ts";
import type { RecordIds } from "./graph-rewriting-ids.ts";
import { inFlightIn } from "./in-flight.ts";
import type { InFlight } from "./in-flight.ts";
import { sectionsOf, vertexOf } from "./recorded-state.ts";
import type { RecordedOperator } from "./recorded-state.ts";

/**
 * A completed checkpoint as a cut through the job: where the sources stood, and what each keyed operator
 * held. Read from its files by the independent readers, each section once and only when somebody asks.
 */
export class CompletedCut {
  readonly checkpointId: CheckpointId;
  readonly attempt: number;
  /** By uid of the source: for each partition, the offset of the first record after the cut. */
  readonly offsets: ReadonlyMap<string, readonly number[]>;
  /** What was on its way at the cut. */
  readonly inFlight: InFlight;
  readonly #record: CheckpointRecord;
  readonly #records: CheckpointRecords;
  readonly #sections: Map<string, readonly KeyedSection[]> = new Map();

  private constructor(record: CheckpointRecord, records: CheckpointRecords, attempt: number, ids: RecordIds) {
    this.#record = record;
    this.#records = records;
    this.checkpointId = record.checkpointId;
    this.attempt = attempt;
    this.inFlight = inFlightIn(record, records);
    this.offsets = new Map(ids.sources.map(({ uid, lengths }) => [uid, offsetsIn(this.#operator(uid), lengths)]));
  }

  /** Null where files are missing or damaged: other oracles speak of that. */
  static of(record: CheckpointRecord, records: CheckpointRecords, ids: RecordIds): CompletedCut | null {
    const { metadata, problem } = record;
    return metadata === null || problem !== null ? null : new CompletedCut(record, records, metadata.attempt, ids);
  }

  /** The state of a keyed operator; empty where the checkpoint holds none. */
  sections(uid: string): readonly KeyedSection[] {
    let sections = this.#sections.get(uid);
    if (sections === undefined) {
      const operator = this.#operator(uid);
      sections = operator === null ? [] : sectionsOf(operator);
      this.#sections.set(uid, sections);
    }
    return sections;
  }

  /** How many subtasks an operator had; none where the checkpoint does not know it. */
  parallelismOf(uid: string): number {
    return vertexOf(this.#record, uid)?.subtasks.length ?? 0;
  }

  /** All its subtasks had finished before the checkpoint, which holds what they left. */
  isFinished(uid: string): boolean {
    return vertexOf(this.#record, uid)?.isFinished ?? false;
  }

  /** True where every operator had as many subtasks as in another cut. */
  hasParallelismOf(other: CompletedCut): boolean {
    const vertices = this.#record.metadata?.vertices ?? [];
    return vertices.every(({ uids, subtasks }) => uids.every((uid) => other.parallelismOf(uid) === subtasks.length));
  }

  #operator(uid: string): RecordedOperator | null {
    const operator = this.#records.states.operatorIn(this.#record, uid);
    return operator === null ? null : present(operator, "a cut is looked at while its files are known");
  }
}

function offsetsIn(source: RecordedOperator | null, lengths: readonly number[]): readonly number[] {
  const offsets = lengths.map(() => 0);
  for (const part of source?.parts ?? []) {
    const stored = part?.lists.get(OFFSETS_STATE)?.elements ?? [];
    for (const { partition, offset } of stored as readonly PartitionOffset[]) offsets[partition] = offset;
  }
  return offsets;
}

/** Null if the offsets of `next` are nowhere before those of `before`, else the partition that went back. */
export function partitionThatWentBack(before: CompletedCut | null, next: CompletedCut): string | null {
  for (const [uid, offsets] of next.offsets) {
    const earlier = before?.offsets.get(uid);
    for (let partition = 0; partition < offsets.length; partition++) {
      const from = earlier?.[partition] ?? 0;
      const to = offsets[partition] ?? 0;
      if (to < from) return `${uid}/${partition} is at offset ${to}, but was at ${from} before`;
    }
  }
  return null;
}
