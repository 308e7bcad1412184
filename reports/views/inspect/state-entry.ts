import type { StreamNode } from "../../../engine/graph/stream-graph.ts";
import type { KeyedEntry } from "../../../engine/state/keyed-backend.ts";
import type { Key, Namespace, Timer } from "../../../engine/state/state.ts";
import { SHADOW_STATE } from "../../../simulator/oracles/graph-rewriting-functions.ts";
import type { Shadow } from "../../../simulator/oracles/graph-rewriting-functions.ts";
import { runsProcessFunction } from "../../../engine/graph/keyed-node.ts";
import type { ProcessShadow } from "../../../simulator/oracles/reference-state-prefix.ts";
import { shadowOf, userValue } from "../../../simulator/oracles/shadows.ts";
import { canonicalKey, canonicalNamespace } from "../../../simulator/reference/canonical-key.ts";
import { eventTimeText } from "../event-time-text.ts";
import { valueText } from "../value-text.ts";

/** Where in an operator subtask something lies. "applied": how many records went into the state of a key. */
export type StatePart = "keyed" | "applied" | "split-list" | "union-list" | "broadcast" | "event-timer" | "processing-timer" | "source" | "transaction";

/** How many records went into a value, and the sum of their ids, which tells apart which ones; see graph-rewriting. */
export interface AppliedRecords {
  readonly count: number;
  readonly sum: number;
  /** The one that came last, where that is known. */
  readonly last: number | null;
}

/** One thing that an operator subtask holds. The user's values: what the simulator lets them carry stands beside. */
export interface StateEntry {
  readonly part: StatePart;
  readonly subtask: number;
  /** Name of the state; empty where the part says it all. */
  readonly state: string;
  /** Of keyed state and timers; undefined for all else. */
  readonly key: Key | undefined;
  readonly namespace: Namespace;
  /** Of a timer: when it fires. Of a list: the position. */
  readonly at: number | null;
  readonly value: unknown;
  readonly applied: AppliedRecords | null;
}

/** `carriesIds`: the job was rewritten, so that values carry the ids of the records that made them. */
export function keyedEntry(node: StreamNode, entry: KeyedEntry, subtask: number, carriesIds: boolean): StateEntry {
  const { state, key, namespace, value } = entry;
  if (!carriesIds) return { part: "keyed", subtask, state, key, namespace, at: null, value, applied: null };
  if (runsProcessFunction(node)) {
    if (state !== SHADOW_STATE) return { part: "keyed", subtask, state, key, namespace, at: null, value, applied: null };
    const [count, sum] = value as Shadow;
    return appliedEntry({ key, count, sum }, subtask);
  }
  const [count, sum] = shadowOf(node, value);
  const last = node.kind === "reduce" ? (value as { readonly id: number }).id : null;
  return { part: "keyed", subtask, state, key, namespace, at: null, value: userValue(node, value), applied: { count, sum, last } };
}

export function appliedEntry({ key, count, sum }: ProcessShadow, subtask: number): StateEntry {
  return { part: "applied", subtask, state: "", key, namespace: "", at: null, value: count, applied: { count, sum, last: null } };
}

export function timerEntry(part: "event-timer" | "processing-timer", { key, namespace, timestampMs }: Timer, subtask: number): StateEntry {
  return { part, subtask, state: "", key, namespace, at: timestampMs, value: undefined, applied: null };
}

export function listEntry(part: "split-list" | "union-list", state: string, at: number, value: unknown, subtask: number): StateEntry {
  return { part, subtask, state, key: undefined, namespace: "", at, value, applied: null };
}

/** `namespace`: the text of the key, which may be any value. */
export function broadcastEntry(state: string, key: unknown, value: unknown, subtask: number): StateEntry {
  return { part: "broadcast", subtask, state, key: undefined, namespace: valueText(key, { length: 400 }), at: null, value, applied: null };
}

export function sourceEntry(partition: number, offset: number, subtask: number): StateEntry {
  return { part: "source", subtask, state: "", key: undefined, namespace: "", at: partition, value: offset, applied: null };
}

/** `state`: its id. */
export function transactionEntry(transactionId: string, value: string, subtask: number): StateEntry {
  return { part: "transaction", subtask, state: transactionId, key: undefined, namespace: "", at: null, value, applied: null };
}

/** The same for what is the same thing at another step, in whichever subtask keyed state lies then. */
export function identityOf({ part, subtask, state, key, namespace, at, value }: StateEntry): string {
  switch (part) {
    case "keyed":
    case "applied":
    case "event-timer":
    case "processing-timer":
      return `${part}\u0000${state}\u0000${at ?? ""}\u0000${canonicalNamespace(namespace)}\u0000${key === undefined ? "" : canonicalKey(key)}`;
    case "split-list":
    case "union-list":
      // A list has no places to go by: elements that are the same are the same.
      return `${part}\u0000${subtask}\u0000${state}\u0000${valueText(value, { length: 2_000, members: 200, depth: 8 })}`;
    case "source":
      return `${part}\u0000${at}`;
    case "broadcast":
    case "transaction":
      return `${part}\u0000${subtask}\u0000${state}\u0000${namespace}`;
  }
}

const PARTS: readonly StatePart[] = ["source", "transaction", "keyed", "applied", "event-timer", "processing-timer", "split-list", "union-list", "broadcast"];

/** The order in which entries are shown: part by part, then by state, time, namespace and key. */
export function compareEntries(left: StateEntry, right: StateEntry): number {
  return (
    PARTS.indexOf(left.part) - PARTS.indexOf(right.part) ||
    compareText(left.state, right.state) ||
    (left.at ?? 0) - (right.at ?? 0) ||
    compareScalar(left.namespace, right.namespace) ||
    compareKeys(left.key, right.key) ||
    left.subtask - right.subtask
  );
}

function compareKeys(left: Key | undefined, right: Key | undefined): number {
  if (left === undefined || right === undefined) return 0;
  if (typeof left === "object" || typeof right === "object" || typeof left !== typeof right) return compareText(canonicalKey(left), canonicalKey(right));
  return compareScalar(left, right);
}

function compareScalar<T extends string | number | boolean | bigint>(left: T, right: T): number {
  if (typeof left !== typeof right) return typeof left < typeof right ? -1 : 1;
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What an entry is of, in words: `"ORD" window [2001-01-08, 2001-01-15)`. Where a filter looks. */
export function keyText(node: StreamNode, { part, key, namespace, at }: StateEntry): string {
  if (part === "source") return `partition ${at}`;
  if (part === "broadcast") return String(namespace);
  const texts: string[] = [];
  if (part === "event-timer") texts.push(`at ${eventTimeText(at ?? 0)}`);
  if (part === "processing-timer") texts.push(`at ${(at ?? 0) / 1000}s`);
  if (part === "split-list" || part === "union-list") texts.push(`${at}:`);
  if (key !== undefined) texts.push(valueText(key, { length: 80 }));
  if (namespace !== "") texts.push(namespaceText(node, namespace));
  return texts.join(" ");
}

function namespaceText(node: StreamNode, namespace: Namespace): string {
  if (node.kind === "window" && typeof namespace === "number") return `window [${eventTimeText(namespace)}, ${eventTimeText(namespace + node.sizeMs)})`;
  return `namespace ${valueText(namespace, { length: 80 })}`;
}

/** The value, and beside it what it carries: `{count: 3, word: "the"}  3 records, last #31`. */
export function entryText({ part, value, applied }: StateEntry): string {
  if (part === "event-timer" || part === "processing-timer") return "";
  if (part === "transaction") return String(value);
  if (part === "source") return `next offset ${String(value)}`;
  const text = part === "applied" ? "" : valueText(value);
  if (applied === null) return text;
  const last = applied.last === null ? "" : `, last #${applied.last}`;
  return `${text === "" ? "" : `${text}  `}${applied.count} ${applied.count === 1 ? "record" : "records"}${last}`;
}
