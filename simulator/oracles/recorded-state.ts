import type { CheckpointId, KeyGroup, TimestampMs } from "../../engine/base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";
import type { VertexCheckpoint } from "../../engine/checkpoint/checkpoint-metadata.ts";
import type { OperatorSnapshot } from "../../engine/checkpoint/snapshot-file.ts";
import type { SubtaskState } from "../../engine/checkpoint/subtask-state.ts";
import type { KeyGroupRange } from "../../engine/state/keyed-backend.ts";
import { KeyedStateReader } from "../reference/changelog-reader.ts";
import type { NativeFile } from "../reference/native-rows.ts";
import { NativeSnapshotReader } from "../reference/native-snapshot-reader.ts";
import { readOperatorSection } from "../reference/operator-section-reader.ts";
import type { OperatorLists } from "../reference/operator-lists.ts";
import type { KeyedSection, SectionEntry, SectionTimer } from "../reference/snapshot-reader.ts";
import type { CheckpointRecord, CheckpointRecords } from "./checkpoint-records.ts";

/** What one old subtask of an operator has in a completed checkpoint. */
export interface RecordedPart {
  /** Null: it keeps no keyed state. */
  readonly keyed: KeyedSection | null;
  readonly lists: OperatorLists;
}

/** An operator as a completed checkpoint has it. */
export interface RecordedOperator {
  readonly uid: string;
  readonly vertex: VertexCheckpoint;
  /** By old subtask: as many as there were. Null: it had nothing to keep. */
  readonly parts: readonly (RecordedPart | null)[];
}

/** The keyed state that belongs to a range of key groups. */
export interface RecordedCut {
  readonly entries: readonly SectionEntry[];
  readonly eventTimers: readonly SectionTimer[];
  readonly processingTimers: readonly SectionTimer[];
  /** The least of its key groups; before any where nothing was recorded of them. */
  readonly watermarkMs: TimestampMs;
}

/** Reads one operator subtask from checkpoint to checkpoint, in whichever form its state lies there. */
interface PartReaders {
  readonly keyed: KeyedStateReader;
  readonly native: NativeSnapshotReader;
}

/**
 * The state of operators in completed checkpoints, found as a restore must find it: by the uid of the operator,
 * whatever chain and parallelism it ran with, and read by the independent readers, be it in the subtask's own file
 * or in files that it shares.
 */
export class RecordedStates {
  readonly #records: CheckpointRecords;
  /** By uid of the operator, then subtask. */
  readonly #readers: Map<string, PartReaders[]> = new Map();

  constructor(records: CheckpointRecords) {
    this.#records = records;
  }

  /** Null: the checkpoint does not know the operator. Undefined: its bytes are not known any more. */
  operatorIn(record: CheckpointRecord, uid: string): RecordedOperator | null | undefined {
    const vertex = vertexOf(record, uid);
    if (vertex === null) return null;
    const parts: (RecordedPart | null)[] = [];
    for (let subtask = 0; subtask < vertex.subtasks.length; subtask += 1) {
      const part = this.#partIn(record, vertex, subtask, uid);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return { uid, vertex, parts };
  }

  /** Of one old subtask alone; null: it had nothing to keep; undefined: its bytes are not known any more. */
  #partIn(record: CheckpointRecord, { subtasks }: VertexCheckpoint, subtask: number, uid: string): RecordedPart | null | undefined {
    const state = subtasks[subtask] ?? null;
    if (state === null || state.file === null) return null;
    const snapshot = this.#records.snapshotOf(record, state.file.key);
    if (snapshot === null) return undefined;
    const operator = snapshot.operators.find((one) => one.uid === uid);
    if (operator === undefined) return null;
    const keyed = this.#migrated(this.#keyedIn(record, state, operator, subtask), uid);
    return keyed === undefined ? undefined : { keyed, lists: readOperatorSection(operator.lists) };
  }

  /** What another version of the job wrote is looked at as the scenario's job reads it. */
  #migrated(section: KeyedSection | null | undefined, uid: string): KeyedSection | null | undefined {
    const { migrated } = this.#records;
    if (section === null || section === undefined || migrated === null) return section;
    return { ...section, entries: section.entries.map((entry) => ({ ...entry, value: migrated(uid, entry.state, entry.value) })) };
  }

  #keyedIn(record: CheckpointRecord, state: SubtaskState, operator: OperatorSnapshot, subtask: number): KeyedSection | null | undefined {
    const { uid, keyed, files } = operator;
    if (keyed !== null) return this.#readersOf(uid, subtask).keyed.read(keyed);
    if (files === null) return null;
    const named: NativeFile[] = [];
    for (const name of files) {
      const shared = state.shared.find((one) => one.uid === uid && one.name === name);
      const bytes = shared === undefined ? null : this.#records.bytesOf(record, shared.file.key);
      if (bytes === null) return undefined;
      named.push({ name, bytes });
    }
    return this.#readersOf(uid, subtask).native.read(named);
  }

  #readersOf(uid: string, subtask: number): PartReaders {
    let readers = this.#readers.get(uid);
    if (readers === undefined) {
      readers = [];
      this.#readers.set(uid, readers);
    }
    return (readers[subtask] ??= { keyed: new KeyedStateReader(), native: new NativeSnapshotReader() });
  }
}

/** The vertex whose chain held the operator. */
export function vertexOf({ metadata }: CheckpointRecord, uid: string): VertexCheckpoint | null {
  return metadata?.vertices.find(({ uids }) => uids.includes(uid)) ?? null;
}

/** Keyed state of all old subtasks. */
export function sectionsOf({ parts }: RecordedOperator): readonly KeyedSection[] {
  return parts.flatMap((part) => part?.keyed ?? []);
}

/** What a subtask that owns the range must get of it. */
export function cutTo(operator: RecordedOperator, range: KeyGroupRange): RecordedCut {
  const sections = sectionsOf(operator).filter(({ firstKeyGroup, watermarks }) => {
    return firstKeyGroup <= range.end && firstKeyGroup + watermarks.length > range.start;
  });
  const [only] = sections;
  if (only === undefined) return { entries: [], eventTimers: [], processingTimers: [], watermarkMs: MIN_WATERMARK };
  if (sections.length === 1 && only.firstKeyGroup === range.start && only.watermarks.length === range.end - range.start + 1) return only;
  const isOwned = ({ keyGroup }: { readonly keyGroup: KeyGroup }): boolean => keyGroup >= range.start && keyGroup <= range.end;
  let watermarkMs = MAX_WATERMARK;
  for (const { firstKeyGroup, watermarks } of sections) {
    watermarks.forEach((ofGroup, at) => {
      if (isOwned({ keyGroup: firstKeyGroup + at })) watermarkMs = Math.min(watermarkMs, ofGroup);
    });
  }
  return {
    entries: sections.flatMap(({ entries }) => entries.filter(isOwned)),
    eventTimers: sections.flatMap(({ eventTimers }) => eventTimers.filter(isOwned)),
    processingTimers: sections.flatMap(({ processingTimers }) => processingTimers.filter(isOwned)),
    watermarkMs,
  };
}

export function nameOfCheckpoint(checkpointId: CheckpointId): string {
  return checkpointId < 0 ? "no checkpoint" : `checkpoint ${checkpointId}`;
}
