import { invariant } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import type { StoreFile } from "./ordered-store.ts";

/** Files of a snapshot, by what they hold. */
export type FilesByContent<K> = ReadonlyMap<K, StoreFile>;

/**
 * What a store or backend knows of the files of its snapshots, so that a later snapshot names them and does not
 * write them again.
 *
 * Only files of the last confirmed snapshot are named again (FLINK-25395: an unconfirmed one may be aborted, and
 * its files deleted); and of those only what every snapshot since, as long as it is neither confirmed nor
 * aborted, names by the same file. Such a snapshot may complete before its confirmation arrives here: then the
 * files of the confirmed one that it does not name are deleted at once. An id that no snapshot was taken for (of a
 * savepoint, of another attempt) changes nothing (FLINK-23949).
 */
export class UploadedFiles<K> {
  private base: FilesByContent<K> = new Map();
  private baseCheckpointId: CheckpointId = -1;
  /** By checkpoint: neither confirmed nor aborted. First what it reuses, from `complete` on all of its files. */
  private readonly open: Map<CheckpointId, FilesByContent<K>> = new Map();
  private readonly completed: Set<CheckpointId> = new Set();

  /** Files of a checkpoint that is kept at least until one of this attempt completes. Before the first snapshot. */
  restored(files: FilesByContent<K>): void {
    invariant(this.base.size === 0 && this.open.size === 0, "files are restored before the first snapshot");
    this.base = files;
  }

  /** A snapshot is taken; returns the files that it may name without bytes. */
  begin(checkpointId: CheckpointId): FilesByContent<K> {
    const reusable = new Map<K, StoreFile>();
    for (const [content, file] of this.base) {
      let isReusable = true;
      for (const files of this.open.values()) if (files.get(content)?.name !== file.name) isReusable = false;
      if (isReusable) reusable.set(content, file);
    }
    this.open.set(checkpointId, reusable);
    this.completed.delete(checkpointId);
    return reusable;
  }

  /** Its files are all named. From now on it can be confirmed. */
  complete(checkpointId: CheckpointId, files: FilesByContent<K>): void {
    if (!this.open.has(checkpointId)) return;
    this.open.set(checkpointId, files);
    this.completed.add(checkpointId);
  }

  /** The checkpoint completed: its files become the base. True if they did. */
  confirm(checkpointId: CheckpointId): boolean {
    const files = this.completed.has(checkpointId) ? this.open.get(checkpointId) : undefined;
    if (files === undefined) return false;
    // The base only moves forward: an older checkpoint may be gone by the time it is confirmed.
    const isNewer = checkpointId > this.baseCheckpointId;
    if (isNewer) {
      this.base = files;
      this.baseCheckpointId = checkpointId;
    }
    for (const id of Array.from(this.open.keys())) if (id <= checkpointId) this.forget(id);
    return isNewer;
  }

  /** Aborted, or given up before it was complete. */
  forget(checkpointId: CheckpointId): void {
    this.open.delete(checkpointId);
    this.completed.delete(checkpointId);
  }
}
