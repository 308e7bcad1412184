import type { KeyedEntry } from "../../engine/state/keyed-backend.ts";
import type { Key, Namespace, Timer } from "../../engine/state/state.ts";
import { canonicalKey, canonicalNamespace } from "../reference/canonical-key.ts";
import type { OperatorSectionEntry } from "../reference/operator-section-reader.ts";
import type { OperatorLists } from "../reference/operator-lists.ts";
import { sameValue } from "../reference/structural-equality.ts";

/** The first state that is not the same on both sides, in words; null where there is none. */
export function listDifference(recorded: OperatorLists, live: OperatorLists): string | null {
  for (const [name, { mode, elements }] of recorded) {
    const has = live.get(name);
    if (has?.mode === mode && sameValue(has.elements, elements)) continue;
    return `${stateText(has, name, mode)}, recorded is ${shown(elements)}`;
  }
  for (const [name, state] of live) {
    if (!recorded.has(name)) return `${stateText(state, name, state.mode)}, recorded is none`;
  }
  return null;
}

function stateText(state: OperatorSectionEntry | undefined, name: string, mode: OperatorSectionEntry["mode"]): string {
  const text = { split: `list "${name}"`, union: `union list "${name}"`, broadcast: `broadcast state "${name}"` };
  return `${text[state?.mode ?? mode]} is ${shown(state?.elements)}`;
}

/** The first entry that is not the same on both sides, in words; null where there is none. */
export function firstDifference(recorded: readonly KeyedEntry[], live: readonly KeyedEntry[]): string | null {
  const left = new Map<string, KeyedEntry>();
  for (const entry of live) left.set(identity(entry.state, entry.key, entry.namespace), entry);
  if (left.size !== live.length) return "an entry is there twice";
  for (const { state, key, namespace, value } of recorded) {
    const name = identity(state, key, namespace);
    const entry = left.get(name);
    if (entry === undefined) return `${entryName(state, key, namespace)} is missing, recorded is ${shown(value)}`;
    if (!sameValue(entry.value, value)) {
      return `${entryName(state, key, namespace)} is ${shown(entry.value)}, recorded is ${shown(value)}`;
    }
    left.delete(name);
  }
  for (const { state, key, namespace, value } of left.values()) {
    return `${entryName(state, key, namespace)} is ${shown(value)}, recorded is none`;
  }
  return null;
}

/** The first timer that is not on both sides, in words; null where there is none. */
export function timerDifference(recorded: readonly Timer[], live: readonly Timer[]): string | null {
  const left = new Set<string>();
  for (const { key, namespace, timestampMs } of live) left.add(identity(String(timestampMs), key, namespace));
  if (left.size !== live.length) return "a timer is there twice";
  for (const { key, namespace, timestampMs } of recorded) {
    if (!left.delete(identity(String(timestampMs), key, namespace))) {
      return `${entryName("the timer", key, namespace)} at ${timestampMs} is missing`;
    }
  }
  for (const { key, namespace, timestampMs } of live) {
    if (left.has(identity(String(timestampMs), key, namespace))) {
      return `${entryName("the timer", key, namespace)} at ${timestampMs} is not recorded`;
    }
  }
  return null;
}

function identity(what: string, key: Key, namespace: Namespace): string {
  return `${what}\u0000${canonicalNamespace(namespace)}\u0000${canonicalKey(key)}`;
}

function entryName(what: string, key: Key, namespace: Namespace): string {
  return namespace === "" ? `${what} of ${shown(key)}` : `${what} of ${shown(key)} in ${shown(namespace)}`;
}

export function shown(value: unknown): string {
  if (value === undefined) return "none";
  const text = JSON.stringify(value, (_name, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner)) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
