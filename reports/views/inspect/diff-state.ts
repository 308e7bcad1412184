import { sameValue } from "../../../simulator/reference/structural-equality.ts";
import type { StateEntry } from "./state-entry.ts";
import { compareEntries, identityOf } from "./state-entry.ts";

/** "+": it is there now, and was not. "-": it was there. "~": it is another one. */
export type ChangeMark = "+" | "-" | "~";

export interface StateChange {
  readonly mark: ChangeMark;
  /** Null: it is not there. */
  readonly before: StateEntry | null;
  readonly now: StateEntry | null;
}

export type SameEntry = (before: StateEntry, now: StateEntry) => boolean;

/** The same value, made of the same records: one that changed nothing is a change. */
export const sameEntry: SameEntry = (before, now) => {
  if (!sameValue(before.value, now.value)) return false;
  return before.applied?.count === now.applied?.count && before.applied?.sum === now.applied?.sum;
};

/** What differs, in the order in which entries are shown. What is there several times counts as often as it is there. */
export function diffState(before: readonly StateEntry[], now: readonly StateEntry[], isSame: SameEntry = sameEntry): readonly StateChange[] {
  const left = byIdentity(before);
  const changes: StateChange[] = [];
  for (const [identity, entry] of byIdentity(now)) {
    const was = left.get(identity);
    left.delete(identity);
    if (was === undefined) changes.push({ mark: "+", before: null, now: entry });
    else if (!isSame(was, entry)) changes.push({ mark: "~", before: was, now: entry });
  }
  for (const entry of left.values()) changes.push({ mark: "-", before: entry, now: null });
  return changes.sort((one, other) => compareEntries(entryOf(one), entryOf(other)));
}

/** What a change is of: as it is, or as it was. */
export function entryOf({ before, now }: StateChange): StateEntry {
  return (now ?? before) as StateEntry;
}

function byIdentity(entries: readonly StateEntry[]): Map<string, StateEntry> {
  const found = new Map<string, StateEntry>();
  for (const entry of entries) {
    const identity = identityOf(entry);
    let nth = identity;
    for (let count = 1; found.has(nth); count += 1) nth = `${identity}\u0000${count}`;
    found.set(nth, entry);
  }
  return found;
}
