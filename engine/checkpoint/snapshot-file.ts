import type { CheckpointId } from "../base/units.ts";
import type { VertexId } from "../graph/job-graph.ts";
import type { FileHandle } from "./checksummed-file.ts";
import { FileSealer, openFile } from "./checksummed-file.ts";

/** What one subtask wrote for one checkpoint. */
export type SnapshotHandle = FileHandle;

const MAGIC = "WWS1";

export interface OperatorSnapshot {
  readonly uid: string;
  /** A section of engine/state/snapshot-format; null for operators without keyed state. */
  readonly keyed: Uint8Array | null;
  /** As written by engine/state/operator-state-section. */
  readonly lists: Uint8Array;
}

/** The value inside a snapshot file (kind "WWS1", see checksummed-file). */
export interface SubtaskSnapshot {
  readonly checkpointId: CheckpointId;
  readonly vertex: VertexId;
  readonly subtask: number;
  readonly operators: readonly OperatorSnapshot[];
}

export function encodeSnapshotFile(snapshot: SubtaskSnapshot, sealer: FileSealer = new FileSealer()): Uint8Array {
  return sealer.seal(MAGIC, snapshot);
}

export type SnapshotFileResult =
  | { readonly ok: true; readonly snapshot: SubtaskSnapshot }
  | { readonly ok: false; readonly reason: string };

export function decodeSnapshotFile(file: Uint8Array, handle: SnapshotHandle): SnapshotFileResult {
  const opened = openFile(MAGIC, file, handle);
  return opened.ok ? { ok: true, snapshot: opened.value as SubtaskSnapshot } : opened;
}
