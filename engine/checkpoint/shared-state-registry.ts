import type { CheckpointId } from "../base/units.ts";
import type { FileHandle } from "./checksummed-file.ts";

/** What a registry knows of one file in shared storage. */
export interface SharedEntry {
  readonly file: FileHandle;
  /** The checkpoint that it was uploaded for. */
  readonly createdBy: CheckpointId;
  /** The latest checkpoint that a task named it for, complete or not. */
  readonly lastUsed: CheckpointId;
}

/**
 * Why a file was not registered. "unknown": a placeholder for what nobody has, so the checkpoint that names it
 * could not be restored. "other-file": its key stands for other bytes.
 */
export type SharedFileRefusal = "unknown" | "other-file";

/** Null: registered. */
export type RegistrationResult = SharedFileRefusal | null;

/** Restored without a claim: nothing that this checkpoint or an earlier one created is ours to delete. */
const NOTHING_UNCLAIMED: CheckpointId = -1;

/**
 * Which files several checkpoints may share, and who used each last (Flink: SharedStateRegistryImpl since 1.15,
 * which counts no references). The key of an entry is the key of the object in storage: a name that a task chose
 * may come again with other bytes, after a restart or for a checkpoint beside this one (FLINK-29913).
 *
 * A registry holds what one leader knows. A file is in it from the first acknowledgement that names it, whatever
 * becomes of that checkpoint, until `unregisterUnused`: nobody else may delete it. The rules that make this safe
 * are the tasks' (see UploadedFiles): a placeholder is only ever a file of a completed checkpoint, and only one
 * that every later snapshot of the same subtask names too.
 */
export class SharedStateRegistry {
  /** In the order in which they were registered. */
  readonly #entries: Map<string, SharedEntry> = new Map();
  #highestNotClaimedCheckpointId: CheckpointId = NOTHING_UNCLAIMED;

  /**
   * A task names `file` for a checkpoint: it uploaded it, or (a placeholder) it knows that it is there. Registering
   * the same again changes nothing. A refusal changes nothing either.
   */
  register(file: FileHandle, isPlaceholder: boolean, checkpointId: CheckpointId): RegistrationResult {
    const known = this.#entries.get(file.key);
    if (known === undefined) {
      if (isPlaceholder) return "unknown";
      this.#entries.set(file.key, { file, createdBy: checkpointId, lastUsed: checkpointId });
      return null;
    }
    if (known.file.sizeBytes !== file.sizeBytes || known.file.checksum !== file.checksum) return "other-file";
    if (checkpointId > known.lastUsed) this.#entries.set(file.key, { ...known, lastUsed: checkpointId });
    return null;
  }

  /**
   * The files of a checkpoint that this leader found in the store, or that the job was started from: their bytes
   * are there. Checkpoints come in ascending order, before any acknowledgement is registered and before anything
   * is deleted (FLINK-6964, FLINK-7268). Not claimed: somebody else owns it and what it stands on.
   */
  registerAllAfterRestored(checkpointId: CheckpointId, files: Iterable<FileHandle>, isClaimed: boolean): RegistrationResult {
    if (!isClaimed && checkpointId > this.#highestNotClaimedCheckpointId) this.#highestNotClaimedCheckpointId = checkpointId;
    for (const file of files) {
      const refusal = this.register(file, false, checkpointId);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  /**
   * The oldest checkpoint that is retained (savepoints apart) has this id: forgets every file that none since
   * used. Returns those that are to be deleted, in the order of their registration.
   */
  unregisterUnused(lowestRetained: CheckpointId): readonly SharedEntry[] {
    return this.#forget((entry) => entry.lastUsed < lowestRetained);
  }

  /**
   * No acknowledgement will come any more: forgets every file that is not one of these keys. As above otherwise.
   * What an aborted checkpoint brought goes here at the latest.
   */
  unregisterAllBut(referenced: ReadonlySet<string>): readonly SharedEntry[] {
    return this.#forget((entry) => !referenced.has(entry.file.key));
  }

  /** True for a file that nobody but this registry may have deleted. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** In the order of their registration: for people and tests. */
  entries(): readonly SharedEntry[] {
    return [...this.#entries.values()];
  }

  #forget(isUnused: (entry: SharedEntry) => boolean): readonly SharedEntry[] {
    const unneeded: SharedEntry[] = [];
    for (const [key, entry] of this.#entries) {
      if (!isUnused(entry)) continue;
      this.#entries.delete(key);
      if (entry.createdBy > this.#highestNotClaimedCheckpointId) unneeded.push(entry);
    }
    return unneeded;
  }
}
