import type { CheckpointId, TimeUs } from "../base/units.ts";
import type { FileHandle } from "./checksummed-file.ts";
import { FileSealer, openFile } from "./checksummed-file.ts";
import type { SnapshotKind, StopMode } from "./checkpoint-properties.ts";
import type { SubtaskState } from "./subtask-state.ts";
import { filesOfSubtask, ownFilesOf } from "./subtask-state.ts";

const MAGIC = "WWM1";

/** What one vertex contributed. */
export interface VertexCheckpoint {
  readonly vertex: number;
  /** The uids of the chain, head first. */
  readonly uids: readonly string[];
  /** Every subtask had finished before the checkpoint: a restart runs none of them again. */
  readonly isFinished: boolean;
  /** One entry a subtask, null where it had no state: as many as the vertex had subtasks. */
  readonly subtasks: readonly (SubtaskState | null)[];
}

/** The value inside a metadata file (kind "WWM1", see checksummed-file): everything a restore needs. */
export interface CheckpointMetadata {
  readonly kind: SnapshotKind;
  readonly checkpointId: CheckpointId;
  readonly attempt: number;
  readonly triggeredAtUs: TimeUs;
  readonly maxParallelism: number;
  readonly vertices: readonly VertexCheckpoint[];
  /** Every subtask's input had ended before its barrier: nothing remains but to commit. */
  readonly inputEnded: boolean;
}

/** A checkpoint whose record is in Coordination. */
export interface CompletedCheckpoint {
  readonly metadata: CheckpointMetadata;
  readonly file: FileHandle;
  /** Its record, for removing it. */
  readonly record: { readonly key: string; readonly version: number };
  /** A savepoint that the job stopped with. */
  readonly stop: StopMode | null;
  /** False: somebody else deletes its files, so that no later checkpoint may name any of them. */
  readonly isOwned: boolean;
}

/** Folder of the files of one checkpoint or savepoint. */
export function snapshotFolder(storagePrefix: string, kind: SnapshotKind, checkpointId: CheckpointId): string {
  return `${storagePrefix}/${kind === "checkpoint" ? "" : "savepoints/"}chk-${checkpointId}`;
}

export function metadataKey(storagePrefix: string, kind: SnapshotKind, checkpointId: CheckpointId, attempt: number): string {
  return `${snapshotFolder(storagePrefix, kind, checkpointId)}/metadata-a${attempt}`;
}

export function encodeMetadata(metadata: CheckpointMetadata, sealer: FileSealer = new FileSealer()): Uint8Array {
  return sealer.seal(MAGIC, metadata);
}

export type MetadataResult =
  | { readonly ok: true; readonly metadata: CheckpointMetadata }
  | { readonly ok: false; readonly reason: string };

export function decodeMetadata(bytes: Uint8Array, file: FileHandle): MetadataResult {
  const opened = openFile(MAGIC, bytes, file);
  return opened.ok ? { ok: true, metadata: opened.value as CheckpointMetadata } : opened;
}

/** Keys of the files that no other checkpoint shares: when its record is gone, they are to be deleted. */
export function ownFilesOfCheckpoint({ metadata, file }: Pick<CompletedCheckpoint, "metadata" | "file">): readonly string[] {
  const keys = [file.key];
  for (const { subtasks } of metadata.vertices) {
    for (const state of subtasks) if (state !== null) keys.push(...ownFilesOf(state));
  }
  return keys;
}

/** Those that others may share. */
export function sharedFilesOfCheckpoint({ vertices }: CheckpointMetadata): readonly FileHandle[] {
  const files: FileHandle[] = [];
  for (const { subtasks } of vertices) {
    for (const state of subtasks) for (const shared of state?.shared ?? []) files.push(shared.file);
  }
  return files;
}

/** Keys of all files that a checkpoint consists of. */
export function filesOf(checkpoint: { readonly metadata: CheckpointMetadata; readonly file: FileHandle }): readonly string[] {
  const keys = [checkpoint.file.key];
  for (const vertex of checkpoint.metadata.vertices) {
    for (const state of vertex.subtasks) if (state !== null) keys.push(...filesOfSubtask(state));
  }
  return keys;
}
