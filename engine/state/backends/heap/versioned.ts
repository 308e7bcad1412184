/** What a versioned thing held before, kept while a snapshot in flight may need it. */
export interface OldVersion {
  readonly value: unknown;
  readonly version: number;
  next: OldVersion | null;
}

/** Version of a thing that was never written. */
const NEVER_WRITTEN = -1;

/**
 * Something that snapshots in flight see as it was: a state entry or a timer. `value` is null where there is
 * none. `version` is the table's version when it was last written; older values hang at `old`, newest first.
 */
export abstract class Versioned {
  value: unknown = null;
  version: number = NEVER_WRITTEN;
  old: OldVersion | null = null;
  /** Somebody else holds `value` too: it must be copied before it is changed in place. */
  shared = false;
  /** False once it left the table: nobody may write to it any more. */
  attached = true;

  /** Leaves the table; called once, when neither a value nor an old version is left. */
  abstract detach(): void;
}

/** What a snapshot of `version` sees; null where there is nothing. */
export function valueAt(cell: Versioned, version: number): unknown {
  if (cell.version <= version) return cell.value;
  for (let old = cell.old; old !== null; old = old.next) if (old.version <= version) return old.value;
  return null;
}

/** Drops the old values that none of the snapshots (their versions) sees any more. */
export function dropUnseen(cell: Versioned, snapshots: readonly number[]): void {
  let kept: OldVersion | null = null;
  let newerVersion = cell.version;
  let old = cell.old;
  cell.old = null;
  while (old !== null) {
    const next: OldVersion | null = old.next;
    if (isSeen(snapshots, old.version, newerVersion)) {
      old.next = null;
      if (kept === null) cell.old = old;
      else kept.next = old;
      kept = old;
    }
    newerVersion = old.version;
    old = next;
  }
}

/** True if a snapshot falls between the writing of a value and the writing of the one that replaced it. */
function isSeen(snapshots: readonly number[], version: number, newerVersion: number): boolean {
  for (const snapshot of snapshots) if (version <= snapshot && snapshot < newerVersion) return true;
  return false;
}
