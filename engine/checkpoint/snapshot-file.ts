import type { CheckpointId } from "../base/units.ts";
import type { VertexId } from "../graph/job-graph.ts";
import type { ChannelState } from "./channel-state.ts";
import type { FileHandle } from "./checksummed-file.ts";
import { FileSealer, openFile } from "./checksummed-file.ts";

const MAGIC = "WWS1";

export interface OperatorSnapshot {
  readonly uid: string;
  /** A section of engine/state/snapshot-format; null without keyed state, and where that lies in shared files. */
  readonly keyed: Uint8Array | null;
  /** Names of the operator's shared files, in the order in which its backend wants them; null where it has none. */
  readonly files: readonly string[] | null;
  /** As written by engine/state/operator-state-section. */
  readonly lists: Uint8Array;
}

/** The value inside a snapshot file (kind "WWS1", see checksummed-file). */
export interface SubtaskSnapshot {
  readonly checkpointId: CheckpointId;
  readonly vertex: VertexId;
  readonly subtask: number;
  readonly operators: readonly OperatorSnapshot[];
  /** In-flight data; null where there is none. */
  readonly channels: ChannelState | null;
}

export function encodeSnapshotFile(snapshot: SubtaskSnapshot, sealer: FileSealer = new FileSealer()): Uint8Array {
  return sealer.seal(MAGIC, snapshot);
}

export type SnapshotFileResult =
  | { readonly ok: true; readonly snapshot: SubtaskSnapshot }
  | { readonly ok: false; readonly reason: string };

export function decodeSnapshotFile(file: Uint8Array, handle: FileHandle): SnapshotFileResult {
  const opened = openFile(MAGIC, file, handle);
  return opened.ok ? { ok: true, snapshot: opened.value as SubtaskSnapshot } : opened;
}
