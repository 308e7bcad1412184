import { CorruptBytesError } from "../base/bytes.ts";
import { invariant } from "../base/assert.ts";
import { structuralEquals } from "../base/codec.ts";
import { readOperatorSection, writeOperatorSection, writtenState } from "./operator-state-section.ts";
import type { OperatorSectionState, OperatorStateMode } from "./operator-state-section.ts";

/**
 * Operator-state sections of the old subtasks, in their order, to those of `parallelism` new ones, as Flink's
 * RoundRobinOperatorStateRepartitioner. Where the parallelism stays, split lists and broadcast state stay
 * where they are. Else a split list is dealt out in contiguous chunks of the concatenation, the larger ones
 * first, from a subtask on that rotates from name to name; broadcast state of new subtask i is that of old
 * i modulo the old parallelism. A union list goes to everybody in full, in any case. Names are taken in
 * ascending order (Flink leaves the order open). Throws CorruptBytesError for what is no such section.
 */
export function redistributeOperatorState(sections: readonly Uint8Array[], parallelism: number): readonly Uint8Array[] {
  invariant(parallelism >= 1 && sections.length >= 1, "operator state goes from some subtasks to some subtasks");
  const old = sections.map((section) => readOperatorSection(section));
  const subtasks: OperatorSectionState[][] = Array.from({ length: parallelism }, () => []);
  let start = 0;
  for (const { name, mode } of statesOf(old)) {
    const perSubtask = old.map((states) => states.find((state) => state.name === name) ?? null);
    if (mode === "union") {
      const state = withElements(perSubtask, concatenation(perSubtask));
      for (const states of subtasks) states.push(state);
    } else if (mode === "broadcast" || parallelism === old.length) {
      subtasks.forEach((states, subtask) => {
        const state = perSubtask[subtask % old.length] ?? null;
        if (state !== null) states.push(state);
      });
    } else {
      const { chunks, nextStart } = dealOut(concatenation(perSubtask), parallelism, start);
      chunks.forEach((chunk, subtask) => subtasks[subtask]!.push(withElements(perSubtask, chunk)));
      start = nextStart;
    }
  }
  return subtasks.map((states) => writeOperatorSection(states.map(writtenState)));
}

/**
 * A split list's elements as each subtask gets them: a chunk each, in the order of the elements from subtask
 * `start` on and around; the first ones get one more where they do not come out even. `nextStart` is the first
 * subtask that got none more: the next list begins there.
 */
export function dealOut<T>(
  elements: readonly T[],
  parallelism: number,
  start: number,
): { readonly chunks: readonly (readonly T[])[]; readonly nextStart: number } {
  const least = Math.floor(elements.length / parallelism);
  const remainder = elements.length % parallelism;
  const chunks: (readonly T[])[] = Array.from({ length: parallelism }, () => []);
  let at = 0;
  for (let i = 0; i < parallelism; i++) {
    const end = at + least + (i < remainder ? 1 : 0);
    chunks[(start + i) % parallelism] = elements.slice(at, end);
    at = end;
  }
  return { chunks, nextStart: (start + remainder) % parallelism };
}

/** True if a section holds a union list: then a restore needs the sections of all subtasks. */
export function holdsUnionState(section: Uint8Array): boolean {
  return readOperatorSection(section).some(({ mode }) => mode === "union");
}

/** Every name once, ascending, with its mode; that and the schemas must be the same wherever the state is. */
function statesOf(old: readonly (readonly OperatorSectionState[])[]): readonly OperatorSectionState[] {
  const byName = new Map<string, OperatorSectionState>();
  for (const state of old.flat()) {
    const known = byName.get(state.name);
    if (known === undefined) byName.set(state.name, state);
    else if (known.mode !== state.mode) refuse(state.name, `is ${modeText(known.mode)} and ${modeText(state.mode)}`);
    else if (!structuralEquals([known.schema, known.keySchema], [state.schema, state.keySchema])) {
      refuse(state.name, "has two schemas");
    }
  }
  return [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

function modeText(mode: OperatorStateMode): string {
  return mode === "broadcast" ? "broadcast state" : `a ${mode} list`;
}

function refuse(name: string, fact: string): never {
  throw new CorruptBytesError(`operator state "${name}" ${fact} in the subtasks of one checkpoint`);
}

function concatenation(perSubtask: readonly (OperatorSectionState | null)[]): readonly Uint8Array[] {
  return perSubtask.flatMap((state) => state?.elements ?? []);
}

function withElements(
  perSubtask: readonly (OperatorSectionState | null)[],
  elements: readonly Uint8Array[],
): OperatorSectionState {
  const state = perSubtask.find((one) => one !== null);
  invariant(state !== undefined && state !== null, "a state that is dealt out is one that a subtask had");
  return { ...state, elements };
}
