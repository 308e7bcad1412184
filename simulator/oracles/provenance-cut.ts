import type { CheckpointId } from "../../engine/base/units.ts";
import type { SubtaskSnapshot } from "../../engine/checkpoint/snapshot-file.ts";
import { OFFSETS_STATE } from "../../engine/operators/source-operator.ts";
import type { PartitionOffset } from "../../engine/operators/source-operator.ts";
import type { KeyedSection } from "../reference/snapshot-reader.ts";
import { readListSection } from "../reference/operator-section-reader.ts";
import type { CheckpointRecord, CheckpointRecords, RecordedFile } from "./checkpoint-records.ts";
import type { RecordIds } from "./graph-rewriting-ids.ts";

/** Keyed state of one operator subtask, as bytes. */
interface SubtaskSection {
  readonly subtask: number;
  readonly bytes: Uint8Array;
}

/**
 * A completed checkpoint as a cut through the job: where the sources stood, and what each keyed operator
 * held. Read from its files by the independent reader, each section once and only when somebody asks.
 */
export class CompletedCut {
  readonly checkpointId: CheckpointId;
  readonly attempt: number;
  /** By uid of the source: for each partition, the offset of the first record after the cut. */
  readonly offsets: ReadonlyMap<string, readonly number[]>;
  readonly #records: CheckpointRecords;
  /** By uid of the operator, subtask by subtask. */
  readonly #keyed: ReadonlyMap<string, readonly SubtaskSection[]>;
  readonly #sections: Map<string, readonly KeyedSection[]> = new Map();

  private constructor(
    checkpointId: CheckpointId,
    attempt: number,
    offsets: ReadonlyMap<string, readonly number[]>,
    records: CheckpointRecords,
    keyed: ReadonlyMap<string, readonly SubtaskSection[]>,
  ) {
    this.#records = records;
    this.checkpointId = checkpointId;
    this.attempt = attempt;
    this.offsets = offsets;
    this.#keyed = keyed;
  }

  /** Null where files are missing or damaged: other oracles speak of that. */
  static of(record: CheckpointRecord, records: CheckpointRecords, ids: RecordIds): CompletedCut | null {
    const { metadata, problem } = record;
    if (metadata === null || problem !== null) return null;
    const offsets = new Map<string, number[]>();
    for (const { uid, lengths } of ids.sources) offsets.set(uid, lengths.map(() => 0));
    const keyed = new Map<string, SubtaskSection[]>();
    const fileOf = new Map(record.files.map((file): readonly [string, RecordedFile] => [file.handle.key, file]));
    for (const { subtasks } of metadata.vertices) {
      subtasks.forEach((state, subtask) => {
        const file = fileOf.get(state?.file?.key ?? "");
        const snapshot = file === undefined ? null : records.snapshotIn(file);
        if (snapshot !== null) collect(snapshot, subtask, offsets, keyed);
      });
    }
    return new CompletedCut(record.checkpointId, metadata.attempt, offsets, records, keyed);
  }

  /** The state of a keyed operator; empty where the checkpoint holds none. */
  sections(uid: string): readonly KeyedSection[] {
    let sections = this.#sections.get(uid);
    if (sections === undefined) {
      sections = (this.#keyed.get(uid) ?? []).map(({ subtask, bytes }) => this.#records.sectionOf(uid, subtask, bytes));
      this.#sections.set(uid, sections);
    }
    return sections;
  }
}

function collect(
  snapshot: SubtaskSnapshot,
  subtask: number,
  offsets: Map<string, number[]>,
  keyed: Map<string, SubtaskSection[]>,
): void {
  for (const operator of snapshot.operators) {
    const ofSource = offsets.get(operator.uid);
    if (ofSource !== undefined) {
      const stored = readListSection(operator.lists).get(OFFSETS_STATE) ?? [];
      for (const { partition, offset } of stored as readonly PartitionOffset[]) ofSource[partition] = offset;
    }
    if (operator.keyed === null) continue;
    const sections = keyed.get(operator.uid);
    const section = { subtask, bytes: operator.keyed };
    if (sections === undefined) keyed.set(operator.uid, [section]);
    else sections.push(section);
  }
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
