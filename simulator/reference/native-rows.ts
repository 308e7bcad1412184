/**
 * A row of an ordered store, as a file of a native snapshot has it. The readers of such files give the same
 * object for what stands in the same file, from checkpoint to checkpoint, so that what was made of a row can be
 * found by it.
 */
export interface NativeRow {
  readonly key: Uint8Array;
  /** Null: the key was deleted (a tombstone, which only LSM tables have). */
  readonly value: Uint8Array | null;
}

/** A file of a native snapshot, with its bytes. */
export interface NativeFile {
  /** Never used again for other bytes. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Order of two keys: as unsigned bytes, a key before those that it begins. */
export function compareKeys(left: Uint8Array, right: Uint8Array): number {
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i++) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
