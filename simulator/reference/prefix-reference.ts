import { invariant, present, unreachable } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MAX_WATERMARK } from "../../engine/base/units.ts";
import type { SourceNode, StreamGraph, WindowNode } from "../../engine/graph/stream-graph.ts";
import type { Key, Namespace } from "../../engine/state/state.ts";
import type { ArrivingRecord, InputTopic } from "../scenario.ts";
import { canonicalKey, keyIdentity } from "./canonical-key.ts";
import { Dataflow } from "./dataflow.ts";
import type { Emitter, ReferenceOperator, StatefulNode } from "./dataflow.ts";
import { REDUCE_STATE_NAME, WINDOW_STATE_NAME } from "./reference-state.ts";
import type { ReferenceEntry } from "./reference-state.ts";
import { cleanupTimeOf, windowStartOf } from "./reference-window.ts";
import { recordsOfSource } from "./source-records.ts";
import { sameValue } from "./structural-equality.ts";

/** Keyed state of one subtask as a snapshot has it. */
export interface SubtaskState {
  /** The operator's watermark in that snapshot. */
  readonly watermarkMs: TimestampMs;
  /** True for the keys whose key group belongs to the subtask. */
  readonly owns: (key: Key) => boolean;
  readonly entries: readonly Pick<ReferenceEntry, "key" | "namespace" | "value">[];
}

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
}

interface KeyedCells {
  readonly key: Key;
  /** By namespace. */
  readonly cells: Map<Namespace, KeyedCell>;
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

  constructor(graph: StreamGraph, inputs: readonly InputTopic[]) {
    const covered = coveredNodes(graph);
    const dataflow = new Dataflow(graph, (node, emitter) => this.#createOperator(node, covered.has(node.id), emitter));
    for (const node of graph.nodes) {
      if (node.kind !== "source") continue;
      this.#feeds.set(node.uid, new PrefixFeed(node, recordsOfSource(node, inputs), dataflow.emitterOf(node.id)));
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
    for (const { key, cells } of operator.keys.values()) {
      const watermarkMs = watermarkOf(key);
      for (const { namespace, value, cleanupMs } of cells.values()) {
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
   * Entries are looked up, not copied: this is for every checkpoint of every run.
   */
  compare(uid: string, subtasks: readonly SubtaskState[]): StateDifference | null {
    const operator = this.#operator(uid);
    const comparison = ++this.#comparison;
    for (const { entries, watermarkMs } of subtasks) {
      for (const { key, namespace, value } of entries) {
        const cell = operator.keys.get(keyIdentity(key))?.cells.get(namespace);
        if (cell === undefined || cell.cleanupMs <= watermarkMs || cell.seenIn === comparison) {
          return { key, namespace, expected: undefined, actual: value };
        }
        if (!sameValue(cell.value, value)) return { key, namespace, expected: cell.value, actual: value };
        cell.seenIn = comparison;
      }
    }
    return this.#firstMissing(operator, subtasks, comparison);
  }

  #firstMissing(
    operator: PrefixReduce | PrefixWindow,
    subtasks: readonly SubtaskState[],
    comparison: number,
  ): StateDifference | null {
    for (const { key, cells } of operator.keys.values()) {
      for (const cell of cells.values()) {
        if (cell.seenIn === comparison) continue;
        const owner = subtasks.find((subtask) => subtask.owns(key));
        if (owner === undefined || cell.cleanupMs > owner.watermarkMs) {
          return { key, namespace: cell.namespace, expected: cell.value, actual: undefined };
        }
        // Watermarks only rise: it will never be expected again.
        cells.delete(cell.namespace);
      }
    }
    return null;
  }

  #operator(uid: string): PrefixReduce | PrefixWindow {
    return present(this.#operators.get(uid), `operator "${uid}" is covered by the prefix reference`);
  }

  #createOperator(node: StatefulNode, covered: boolean, emitter: Emitter): ReferenceOperator {
    switch (node.kind) {
      case "reduce":
      case "window": {
        const operator = node.kind === "reduce" ? new PrefixReduce(node, emitter) : new PrefixWindow(node);
        if (covered) this.#operators.set(node.uid, operator);
        return operator;
      }
      case "process":
      case "sink":
        return { process: () => undefined };
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
      const kind = graph.nodes[from]?.kind;
      return covered.has(from) && kind !== "window" && kind !== "process";
    });
    if (clear) covered.add(node.id);
  }
  return covered;
}

class PrefixFeed {
  readonly #node: SourceNode;
  readonly #partitions: readonly (readonly ArrivingRecord[])[];
  readonly #emitter: Emitter;
  readonly #offsets: number[];

  constructor(node: SourceNode, partitions: readonly (readonly ArrivingRecord[])[], emitter: Emitter) {
    this.#node = node;
    this.#partitions = partitions;
    this.#emitter = emitter;
    this.#offsets = partitions.map(() => 0);
  }

  advanceTo(offsets: readonly number[]): void {
    invariant(offsets.length === this.#partitions.length, `source "${this.#node.uid}" has an offset for each partition`);
    const { timestampOf } = this.#node.watermarks;
    offsets.forEach((end, partition) => {
      const records = this.#partitions[partition] ?? [];
      const start = this.#offsets[partition] ?? 0;
      invariant(end >= start && end <= records.length, "offsets of cuts only grow, up to the end of the partition");
      for (let offset = start; offset < end; offset++) {
        const record = present(records[offset], "the partition has this offset");
        this.#emitter.collect(record.value, timestampOf?.(record.value, record.timestampMs) ?? record.timestampMs);
      }
      this.#offsets[partition] = end;
    });
  }
}

class PrefixReduce implements ReferenceOperator {
  readonly stateName: string = REDUCE_STATE_NAME;
  readonly keys: Map<unknown, KeyedCells> = new Map();
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
    if (cell === undefined) cells.set("", { namespace: "", value: next, cleanupMs: Infinity, seenIn: 0 });
    else cell.value = next;
    this.#emitter.collect(next, timestampMs);
  }
}

/** Only the contents of windows: nothing fires, so nothing reaches what lies behind. */
class PrefixWindow implements ReferenceOperator {
  readonly stateName: string = WINDOW_STATE_NAME;
  readonly keys: Map<unknown, KeyedCells> = new Map();
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
      cell.value = aggregate.add(value, cell.value);
      return;
    }
    const cleanupMs = cleanupTimeOf(this.#node, start);
    const first = aggregate.add(value, aggregate.createAccumulator());
    cells.set(start, { namespace: start, value: first, cleanupMs: cleanupMs < MAX_WATERMARK ? cleanupMs : Infinity, seenIn: 0 });
  }
}

function cellsOf(keys: Map<unknown, KeyedCells>, key: Key): Map<Namespace, KeyedCell> {
  const identity = keyIdentity(key);
  let held = keys.get(identity);
  if (held === undefined) {
    held = { key, cells: new Map() };
    keys.set(identity, held);
  }
  return held.cells;
}
