import type { OperatorSectionEntry } from "./operator-section-reader.ts";

/** The operator state of one subtask, by name. */
export type OperatorLists = ReadonlyMap<string, OperatorSectionEntry>;

/**
 * What one of `parallelism` new subtasks must hold of the operator state of the old ones (null: had none), told a
 * second time from Flink's RoundRobinOperatorStateRepartitioner: a union list is everybody's in full; broadcast
 * state is that of the old subtask of the same number modulo the old parallelism; a split list stays where it is
 * while the parallelism does, else the concatenation is cut into contiguous pieces whose lengths differ by one at
 * most, the longer ones first, and the pieces of the next name (ascending) begin with the subtask that got the
 * first of the shorter ones.
 */
export function listsAfterRestore(old: readonly (OperatorLists | null)[], parallelism: number, subtask: number): OperatorLists {
  const names = new Set(old.flatMap((lists) => (lists === null ? [] : [...lists.keys()])));
  const held = new Map<string, OperatorSectionEntry>();
  let first = 0;
  for (const name of [...names].sort()) {
    const parts = old.map((lists) => lists?.get(name) ?? null);
    const mode = parts.find((part) => part !== null)?.mode ?? "split";
    const all = parts.flatMap((part) => part?.elements ?? []);
    if (mode === "union") held.set(name, { name, mode, elements: all });
    else if (mode === "broadcast" || old.length === parallelism) {
      const part = parts[subtask % old.length] ?? null;
      if (part !== null) held.set(name, part);
    } else {
      const turn = (subtask - first + parallelism) % parallelism;
      const elements = all.slice(startOf(turn, all.length, parallelism), startOf(turn + 1, all.length, parallelism));
      if (elements.length > 0) held.set(name, { name, mode, elements });
      first = (first + (all.length % parallelism)) % parallelism;
    }
  }
  return held;
}

/** How many elements go to the subtasks before the one whose turn it is. */
function startOf(turn: number, count: number, parallelism: number): number {
  const longer = count % parallelism;
  return turn * ((count - longer) / parallelism) + Math.min(turn, longer);
}
