import type { CheckpointMode } from "../../engine/graph/job-modes.ts";
import type { StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";
import type { RecordIds } from "./graph-rewriting-ids.ts";
import { edgeKeysOf } from "./in-flight.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import type { HistoryLog } from "./surviving-history-log.ts";
import type { HistorySegment, HistoryStep } from "./surviving-history-recorder.ts";

/**
 * How the records of the sources reach a keyed operator: through nothing but maps, and each of them once.
 * Only then what it must see can be told by ids alone.
 */
export interface PlainInput {
  readonly node: StreamNode;
  /** Uids of the sources that feed it. */
  readonly sources: readonly string[];
  /** Keys of the edges on the way. */
  readonly edges: readonly string[];
  /** No rebalance on the way: the records of a partition that a subtask gets come in their order. */
  readonly inOrder: boolean;
}

/** Null where the operator's input is not plain. */
export function plainInputOf(graph: StreamGraph, node: StreamNode): PlainInput | null {
  const sources: string[] = [];
  const edges: string[] = [];
  const keys = edgeKeysOf(graph);
  let inOrder = true;
  const open = [...node.inputs];
  for (let edge = open.pop(); edge !== undefined; edge = open.pop()) {
    const from = graph.nodes[edge.from];
    if (from === undefined || edge.sideOutput !== null || edge.partitioning === "broadcast") return null;
    edges.push(keys.get(edge) ?? "");
    if (edge.partitioning === "rebalance") inOrder = false;
    if (from.kind === "source") {
      if (sources.includes(from.uid)) return null;
      sources.push(from.uid);
    } else if (from.kind === "map") open.push(...from.inputs);
    else return null;
  }
  return { node, sources, edges, inOrder };
}

/** What is promised of the history of a job. */
export interface OrderOptions {
  readonly mode: CheckpointMode;
  /** A record came a second time, where it may. */
  readonly cameTwice: () => void;
}

/**
 * Checks, by ids alone, that the surviving history of one keyed operator holds each input before a cut, and not in
 * flight before the operator at the cut, exactly once; and each subtask's share of a partition in order.
 *
 * After a change of the parallelism the in-flight records of a partition come from several old channels, in no
 * order among each other, but before all that is new. In an at-least-once job every input before a cut is there at
 * least once, records may be there that will come again, and order holds within an attempt.
 */
export class HistoryOrder {
  readonly node: StreamNode;
  readonly #input: PlainInput;
  readonly #ids: RecordIds;
  readonly #atLeastOnce: boolean;
  readonly #cameTwice: () => void;
  readonly #seen: Uint8Array;
  /** By number of the partition: different records seen, and the greatest. */
  readonly #counts: number[] = [];
  readonly #greatest: number[] = [];
  /** By number of the partition: all before this one were seen, as far as looked. */
  readonly #complete: number[] = [];
  /** By subtask, then partition: the id of the latest record. */
  #latest: number[][] = [];
  /** By subtask: where it was written down. */
  readonly #logs: (HistoryLog | undefined)[] = [];
  #before: CompletedCut | null = null;
  /** Since the parallelism changed last: in-flight records that may come in any order. */
  #unordered: ReadonlySet<number> = new Set();

  constructor(input: PlainInput, ids: RecordIds, { mode, cameTwice }: OrderOptions) {
    this.node = input.node;
    this.#input = input;
    this.#ids = ids;
    this.#atLeastOnce = mode === "at-least-once";
    this.#cameTwice = cameTwice;
    this.#seen = new Uint8Array(ids.total);
    for (const { lengths, firstIds } of ids.sources) {
      for (let i = 0; i < lengths.length; i++) {
        this.#counts.push(0);
        this.#greatest.push(-1);
        this.#complete.push(firstIds[i] as number);
      }
    }
  }

  /** What is wrong with what the operator did since the last cut, up to the next one; or null. */
  advance(cut: CompletedCut, { segments }: HistoryStep): string | null {
    const before = this.#before;
    if (before !== null && !before.hasParallelismOf(cut)) {
      this.#unordered = this.#inFlightAt(before);
      this.#latest = [];
    }
    for (const segment of segments) {
      const wrong = segment.subtask.node.id === this.node.id ? this.#advance(segment) : null;
      if (wrong !== null) return wrong;
    }
    this.#before = cut;
    return this.#atLeastOnce ? this.#compareAtLeast(cut) : this.#compare(cut);
  }

  #advance({ subtask: { subtask }, log, start, end }: HistorySegment): string | null {
    const { entries, first } = log;
    const { partitionOf, total } = this.#ids;
    if (this.#atLeastOnce && this.#logs[subtask] !== log) delete this.#latest[subtask];
    this.#logs[subtask] = log;
    const latest = (this.#latest[subtask] ??= this.#counts.map(() => -1));
    const unordered = this.#unordered;
    for (let at = start - first; at < end - first; at++) {
      const entry = entries[at] as number;
      if (entry < 0) continue;
      const id = entry >> 1;
      if (id >= total) return `${this.node.name}[${subtask}] saw a record that no source has`;
      const partition = partitionOf[id] as number;
      if (this.#seen[id] === 0) this.#counts[partition] = (this.#counts[partition] as number) + 1;
      else if (this.#atLeastOnce) this.#cameTwice();
      else return `${this.node.name}[${subtask}] saw ${this.#ids.describe(id)} twice`;
      this.#seen[id] = 1;
      if (id > (this.#greatest[partition] as number)) this.#greatest[partition] = id;
      if (this.#input.inOrder && id < (latest[partition] as number)) {
        const before = this.#ids.describe(latest[partition] as number);
        return `${this.node.name}[${subtask}] saw ${this.#ids.describe(id)} after ${before}`;
      }
      if (unordered.size === 0 || !unordered.has(id)) latest[partition] = id;
    }
    return null;
  }

  #inFlightAt(cut: CompletedCut): ReadonlySet<number> {
    const ids = new Set<number>();
    for (const edge of this.#input.edges) for (const { record } of cut.inFlight.get(edge) ?? []) ids.add(record.id);
    return ids;
  }

  /** What was seen must be what lies before the cut, without what is in flight there. */
  #compare(cut: CompletedCut): string | null {
    const inFlight = this.#inFlightAt(cut);
    const missing = this.#counts.map(() => 0);
    for (const id of inFlight) {
      if (this.#seen[id] === 1) return `checkpoint ${cut.checkpointId}, ${this.node.name}: ${this.#ids.describe(id)} is in its history, and in flight: it will come again`;
      const partition = this.#ids.partitionOf[id] as number;
      missing[partition] = (missing[partition] as number) + 1;
    }
    let partition = 0;
    for (const { uid, firstIds, lengths } of this.#ids.sources) {
      for (let i = 0; i < lengths.length; i++, partition++) {
        if (!this.#input.sources.includes(uid)) continue;
        const first = firstIds[i] as number;
        const end = first + (cut.offsets.get(uid)?.[i] ?? 0);
        const wanted = end - first - (missing[partition] as number);
        if (this.#counts[partition] === wanted && (this.#greatest[partition] as number) < end) continue;
        return this.#difference(first, end, this.#greatest[partition] as number, cut, inFlight);
      }
    }
    return null;
  }

  /** Everything before the cut must have been seen. */
  #compareAtLeast(cut: CompletedCut): string | null {
    let partition = 0;
    for (const { uid, firstIds, lengths } of this.#ids.sources) {
      for (let i = 0; i < lengths.length; i++, partition++) {
        if (!this.#input.sources.includes(uid)) continue;
        const end = (firstIds[i] as number) + (cut.offsets.get(uid)?.[i] ?? 0);
        let next = this.#complete[partition] as number;
        while (next < end && this.#seen[next] === 1) next += 1;
        this.#complete[partition] = next;
        if (next < end) return this.#neverReached(cut, next);
      }
    }
    return null;
  }

  #difference(first: number, end: number, greatest: number, cut: CompletedCut, inFlight: ReadonlySet<number>): string {
    for (let id = first; id < end; id++) if (this.#seen[id] === 0 && !inFlight.has(id)) return this.#neverReached(cut, id);
    const where = `checkpoint ${cut.checkpointId}, ${this.node.name}`;
    return `${where}: ${this.#ids.describe(greatest)} is in its history, but not before the stored offset: it will come again`;
  }

  #neverReached({ checkpointId }: CompletedCut, id: number): string {
    return `checkpoint ${checkpointId}, ${this.node.name}: ${this.#ids.describe(id)} is before the stored offset, but never reached it`;
  }
}
