import { invariant, present, unreachable } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";
import { runsProcessFunction } from "../../engine/graph/keyed-node.ts";
import type { SourceNode, StreamGraph, WindowNode } from "../../engine/graph/stream-graph.ts";
import type { Key, Namespace } from "../../engine/state/state.ts";
import { canonicalKey, keyIdentity } from "./canonical-key.ts";
import { Dataflow } from "./dataflow.ts";
import type { EdgeGate, Emitter, ReferenceOperator, StatefulNode } from "./dataflow.ts";
import { REDUCE_STATE_NAME, WINDOW_STATE_NAME } from "./reference-state.ts";
import type { ReferenceEntry } from "./reference-state.ts";
import { cleanupTimeOf, windowStartOf } from "./reference-window.ts";
import { sameValue } from "./structural-equality.ts";

/** Keyed state of one subtask as a snapshot has it. */
export interface SubtaskState {
  /** The operator's watermark in that snapshot. */
  readonly watermarkMs: TimestampMs;
  /** True for the keys whose key group belongs to the subtask. */
  readonly owns: (key: Key) => boolean;
  readonly entries: readonly Pick<ReferenceEntry, "key" | "namespace" | "value">[];
}

/** Whether what a snapshot holds is what must be there. */
export type SameState = (expected: unknown, actual: unknown) => boolean;

/** One entry that is not as it must be. Undefined: there is none. */
export interface StateDifference {
  readonly key: Key;
  readonly namespace: Namespace;
  readonly expected: unknown;
  readonly actual: unknown;
}

interface KeyedCell {
  readonly namespace: Namespace;
  value: unknown;
  /** The watermark at which it goes. */
  readonly cleanupMs: TimestampMs;
  /** Number of the last comparison that met it. */
  seenIn: number;
  /** The value of a snapshot that was found the same as this one, since this one changed last. */
  agreed: unknown;
}

/** The cells of one key. */
class KeyedCells {
  readonly key: Key;
  readonly #byNamespace: Map<Namespace, KeyedCell> = new Map();
  /** The next record is most often for the same. */
  #latest: KeyedCell | null = null;

  constructor(key: Key) {
    this.key = key;
  }

  get(namespace: Namespace): KeyedCell | undefined {
    const latest = this.#latest;
    return latest !== null && latest.namespace === namespace ? latest : this.#byNamespace.get(namespace);
  }

  add(namespace: Namespace, value: unknown, cleanupMs: TimestampMs): void {
    this.#latest = { namespace, value, cleanupMs, seenIn: 0, agreed: NOTHING };
    this.#byNamespace.set(namespace, this.#latest);
  }

  delete(namespace: Namespace): void {
    this.#byNamespace.delete(namespace);
    this.#latest = null;
  }

  all(): Iterable<KeyedCell> {
    return this.#byNamespace.values();
  }
}

/** No value of any snapshot. */
const NOTHING: unknown = Symbol("nothing");

/** What a source gives, in terms of partitions and offsets. */
export interface PrefixSource {
  readonly lengths: readonly number[];
  /** Emits the records from `start` to before `end`, with the timestamps with which they enter the job. */
  emit(partition: number, start: number, end: number, to: Emitter): void;
}

/**
 * State expected at a cut through the sources: the contributions of exactly the records before the offsets.
 * For reduce and window operators that lie behind nothing but stateless operators and other reduces
 * (`covers`): what windows and timers emit depends on the watermark and has no place here. Valid for
 * confluent jobs, in which no record is late. Moves forward only, as the cuts of completed checkpoints do.
 */
export class PrefixReference {
  readonly #feeds: Map<string, PrefixFeed> = new Map();
  readonly #operators: Map<string, PrefixReduce | PrefixWindow> = new Map();
  #comparison = 0;
  /** Of jobs that may apply a record several times, by operator: how far each of its key groups was at the checkpoints so far. */
  readonly #passed: Map<string, Pick<SubtaskState, "owns" | "watermarkMs">[]> = new Map();

  /** `gate`: keeps back what is not to reach an operator yet; null where every edge is open. */
  constructor(graph: StreamGraph, sourceOf: (node: SourceNode) => PrefixSource, gate: EdgeGate | null = null) {
    const covered = coveredNodes(graph);
    const dataflow = new Dataflow(graph, (node, emitter) => this.#createOperator(node, covered.has(node.id), emitter), gate);
    for (const node of graph.nodes) {
      if (node.kind !== "source") continue;
      this.#feeds.set(node.uid, new PrefixFeed(node.uid, sourceOf(node), dataflow.emitterOf(node.id)));
    }
  }

  /** Uids of the operators it can speak for, in the order of the graph. */
  covered(): readonly string[] {
    return [...this.#operators.keys()];
  }

  /** By uid of the source: for each partition the offset of the first record that is not part of the cut. */
  advanceTo(offsets: ReadonlyMap<string, readonly number[]>): void {
    for (const [uid, ofSource] of offsets) {
      present(this.#feeds.get(uid), `the job has a source "${uid}"`).advanceTo(ofSource);
    }
  }

  /** Entries that must exist, by key and namespace in a fixed order; `watermarkOf` says how far a key's subtask is. */
  expected(uid: string, watermarkOf: (key: Key) => TimestampMs): readonly ReferenceEntry[] {
    const operator = this.#operator(uid);
    const entries: { readonly order: string; readonly entry: ReferenceEntry }[] = [];
    for (const held of operator.keys.values()) {
      const { key } = held;
      const watermarkMs = watermarkOf(key);
      for (const { namespace, value, cleanupMs } of held.all()) {
        if (cleanupMs <= watermarkMs) continue;
        const order = `${canonicalKey(key)}\u0000${String(namespace).padStart(17)}`;
        entries.push({ order, entry: { state: operator.stateName, key, namespace, value } });
      }
    }
    entries.sort((left, right) => (left.order < right.order ? -1 : 1));
    return entries.map(({ entry }) => entry);
  }

  /**
   * The first difference between what must be there and what the subtasks of an operator have, or null.
   * Entries are looked up, not copied: this is for every checkpoint of every run. `remembers`: what was the same
   * once is taken for the same from then on, so `isSame` must be the strictest there is.
   */
  compare(uid: string, subtasks: readonly SubtaskState[], isSame: SameState = sameValue, remembers: boolean = true): StateDifference | null {
    const operator = this.#operator(uid);
    const comparison = ++this.#comparison;
    let seen = 0;
    for (const { entries, watermarkMs } of subtasks) {
      for (const { key, namespace, value } of entries) {
        const cell = operator.keys.get(keyIdentity(key))?.get(namespace);
        if (cell === undefined || cell.cleanupMs <= watermarkMs || cell.seenIn === comparison) {
          return { key, namespace, expected: undefined, actual: value };
        }
        if (!Object.is(cell.agreed, value)) {
          if (!isSame(cell.value, value)) return { key, namespace, expected: cell.value, actual: value };
          if (remembers) cell.agreed = value;
        }
        cell.seenIn = comparison;
        seen += 1;
      }
    }
    return seen === operator.cells ? null : this.#firstMissing(operator, subtasks, comparison);
  }

  /**
   * The first entry that must be there and is not, or is not enough; more than must be there is all right. For
   * jobs that may apply a record several times.
   *
   * A snapshot of such a job lies behind its barriers where one of them was late: a window may have fired in it whose
   * records the sources had not yet given. What they give after a restore comes too late for that window, also where
   * the watermark of another subtask, which its key groups came to, is behind.
   */
  compareAtLeast(uid: string, subtasks: readonly SubtaskState[], isEnough: SameState): StateDifference | null {
    const operator = this.#operator(uid);
    const passed = this.#passed.get(uid) ?? [];
    this.#passed.set(uid, [...passed, ...subtasks.map(({ owns, watermarkMs }) => ({ owns, watermarkMs }))]);
    const held = new Map<unknown, Map<Namespace, unknown>>();
    for (const { entries } of subtasks) {
      for (const { key, namespace, value } of entries) {
        const identity = keyIdentity(key);
        const ofKey = held.get(identity) ?? new Map<Namespace, unknown>();
        held.set(identity, ofKey.set(namespace, value));
      }
    }
    for (const [identity, cells] of operator.keys) {
      const { key } = cells;
      const watermarkMs = subtasks.find((subtask) => subtask.owns(key))?.watermarkMs ?? MIN_WATERMARK;
      for (const { namespace, value, cleanupMs } of cells.all()) {
        const actual = held.get(identity)?.get(namespace);
        if (cleanupMs <= watermarkMs || (actual !== undefined && isEnough(value, actual))) continue;
        if (passed.some((before) => before.watermarkMs >= cleanupMs && before.owns(key))) continue;
        return { key, namespace, expected: value, actual };
      }
    }
    return null;
  }

  #firstMissing(
    operator: PrefixReduce | PrefixWindow,
    subtasks: readonly SubtaskState[],
    comparison: number,
  ): StateDifference | null {
    for (const held of operator.keys.values()) {
      const { key } = held;
      for (const cell of held.all()) {
        if (cell.seenIn === comparison) continue;
        const owner = subtasks.find((subtask) => subtask.owns(key));
        if (owner === undefined || cell.cleanupMs > owner.watermarkMs) {
          return { key, namespace: cell.namespace, expected: cell.value, actual: undefined };
        }
        // Watermarks only rise: it will never be expected again.
        held.delete(cell.namespace);
        operator.cells -= 1;
      }
    }
    return null;
  }

  #operator(uid: string): PrefixReduce | PrefixWindow {
    return present(this.#operators.get(uid), `operator "${uid}" is covered by the prefix reference`);
  }

  #createOperator(node: StatefulNode, covered: boolean, emitter: Emitter): ReferenceOperator | null {
    switch (node.kind) {
      case "reduce":
      case "window": {
        const operator = node.kind === "reduce" ? new PrefixReduce(node, emitter) : new PrefixWindow(node);
        if (covered) this.#operators.set(node.uid, operator);
        return operator;
      }
      case "process":
      case "coProcess":
      case "sink":
        return null;
      default:
        return unreachable(node, "PrefixReference");
    }
  }
}

/** Ids of the nodes whose input does not depend on watermarks, timers or user state. */
function coveredNodes(graph: StreamGraph): ReadonlySet<number> {
  const covered = new Set<number>();
  for (const node of graph.nodes) {
    const clear = node.inputs.every(({ from }) => {
      const before = graph.nodes[from];
      return before !== undefined && covered.has(from) && before.kind !== "window" && !runsProcessFunction(before);
    });
    if (clear) covered.add(node.id);
  }
  return covered;
}

class PrefixFeed {
  readonly #uid: string;
  readonly #source: PrefixSource;
  readonly #emitter: Emitter;
  readonly #offsets: number[];

  constructor(uid: string, source: PrefixSource, emitter: Emitter) {
    this.#uid = uid;
    this.#source = source;
    this.#emitter = emitter;
    this.#offsets = source.lengths.map(() => 0);
  }

  advanceTo(offsets: readonly number[]): void {
    invariant(offsets.length === this.#offsets.length, `source "${this.#uid}" has an offset for each partition`);
    for (let partition = 0; partition < offsets.length; partition++) {
      const start = this.#offsets[partition] as number;
      const end = offsets[partition] as number;
      const length = this.#source.lengths[partition] as number;
      invariant(end >= start && end <= length, "offsets of cuts only grow, up to the end of the partition");
      this.#source.emit(partition, start, end, this.#emitter);
      this.#offsets[partition] = end;
    }
  }
}

class PrefixReduce implements ReferenceOperator {
  readonly stateName: string = REDUCE_STATE_NAME;
  readonly keys: Map<unknown, KeyedCells> = new Map();
  /** How many there are of all keys. */
  cells = 0;
  readonly #node: Extract<StatefulNode, { readonly kind: "reduce" }>;
  readonly #emitter: Emitter;

  constructor(node: Extract<StatefulNode, { readonly kind: "reduce" }>, emitter: Emitter) {
    this.#node = node;
    this.#emitter = emitter;
  }

  process(value: unknown, timestampMs: TimestampMs): void {
    const cells = cellsOf(this.keys, this.#node.keySelector(value));
    const cell = cells.get("");
    const next = cell === undefined ? value : this.#node.fn(cell.value, value);
    if (cell === undefined) {
      cells.add("", next, Infinity);
      this.cells += 1;
    } else change(cell, next);
    this.#emitter.collect(next, timestampMs);
  }
}

/** Only the contents of windows: nothing fires, so nothing reaches what lies behind. */
class PrefixWindow implements ReferenceOperator {
  readonly stateName: string = WINDOW_STATE_NAME;
  readonly keys: Map<unknown, KeyedCells> = new Map();
  /** How many there are of all keys. */
  cells = 0;
  readonly #node: WindowNode;

  constructor(node: WindowNode) {
    this.#node = node;
  }

  process(value: unknown, timestampMs: TimestampMs): void {
    const { keySelector, sizeMs, offsetMs, aggregate } = this.#node;
    const cells = cellsOf(this.keys, keySelector(value));
    const start = windowStartOf(timestampMs, sizeMs, offsetMs);
    const cell = cells.get(start);
    if (cell !== undefined) {
      change(cell, aggregate.add(value, cell.value));
      return;
    }
    const cleanupMs = cleanupTimeOf(this.#node, start);
    const first = aggregate.add(value, aggregate.createAccumulator());
    this.cells += 1;
    cells.add(start, first, cleanupMs < MAX_WATERMARK ? cleanupMs : Infinity);
  }
}

function change(cell: KeyedCell, value: unknown): void {
  cell.value = value;
  cell.agreed = NOTHING;
}

function cellsOf(keys: Map<unknown, KeyedCells>, key: Key): KeyedCells {
  const identity = keyIdentity(key);
  let held = keys.get(identity);
  if (held === undefined) {
    held = new KeyedCells(key);
    keys.set(identity, held);
  }
  return held;
}
