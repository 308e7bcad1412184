import type { StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";
import type { RecordIds } from "./graph-rewriting-ids.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import type { HistorySegment } from "./surviving-history-recorder.ts";

/**
 * How the records of the sources reach a keyed operator: through nothing but maps, and each of them once.
 * Only then what it must see can be told by ids alone.
 */
export interface PlainInput {
  readonly node: StreamNode;
  /** Uids of the sources that feed it. */
  readonly sources: readonly string[];
  /** No rebalance on the way: the records of a partition that a subtask gets come in their order. */
  readonly inOrder: boolean;
}

/** Null where the operator's input is not plain. */
export function plainInputOf(graph: StreamGraph, node: StreamNode): PlainInput | null {
  const sources: string[] = [];
  let inOrder = true;
  const open = [...node.inputs];
  for (let edge = open.pop(); edge !== undefined; edge = open.pop()) {
    const from = graph.nodes[edge.from];
    if (from === undefined || edge.sideOutput !== null || edge.partitioning === "broadcast") return null;
    if (edge.partitioning === "rebalance") inOrder = false;
    if (from.kind === "source") {
      if (sources.includes(from.uid)) return null;
      sources.push(from.uid);
    } else if (from.kind === "map") open.push(...from.inputs);
    else return null;
  }
  return { node, sources, inOrder };
}

/**
 * Checks, by ids alone, that the surviving history of one keyed operator holds each input before a cut
 * exactly once, and each subtask's share of a partition in order.
 */
export class HistoryOrder {
  readonly node: StreamNode;
  readonly #input: PlainInput;
  readonly #ids: RecordIds;
  readonly #seen: Uint8Array;
  /** By number of the partition. */
  readonly #counts: number[] = [];
  readonly #greatest: number[] = [];
  /** By subtask, then partition: the id of the latest record. */
  readonly #latest: number[][] = [];

  constructor(input: PlainInput, ids: RecordIds) {
    this.node = input.node;
    this.#input = input;
    this.#ids = ids;
    this.#seen = new Uint8Array(ids.total);
    for (const { lengths } of ids.sources) {
      for (let i = 0; i < lengths.length; i++) {
        this.#counts.push(0);
        this.#greatest.push(-1);
      }
    }
  }

  /** What is wrong with what a subtask did since the last cut, or null. */
  advance({ subtask: { subtask }, log, start, end }: HistorySegment): string | null {
    const { entries, first } = log;
    const { partitionOf, total } = this.#ids;
    const latest = (this.#latest[subtask] ??= this.#counts.map(() => -1));
    for (let at = start - first; at < end - first; at++) {
      const entry = entries[at] as number;
      if (entry < 0) continue;
      const id = entry >> 1;
      if (id >= total) return `${this.node.name}[${subtask}] saw a record that no source has`;
      if (this.#seen[id] === 1) return `${this.node.name}[${subtask}] saw ${this.#ids.describe(id)} twice`;
      this.#seen[id] = 1;
      const partition = partitionOf[id] as number;
      if (this.#input.inOrder && id < (latest[partition] as number)) {
        const before = this.#ids.describe(latest[partition] as number);
        return `${this.node.name}[${subtask}] saw ${this.#ids.describe(id)} after ${before}`;
      }
      latest[partition] = id;
      this.#counts[partition] = (this.#counts[partition] as number) + 1;
      if (id > (this.#greatest[partition] as number)) this.#greatest[partition] = id;
    }
    return null;
  }

  /** After all subtasks advanced: what was seen must be what lies before the cut. */
  compare(cut: CompletedCut): string | null {
    let partition = 0;
    for (const { uid, firstIds, lengths } of this.#ids.sources) {
      for (let i = 0; i < lengths.length; i++, partition++) {
        if (!this.#input.sources.includes(uid)) continue;
        const end = (firstIds[i] as number) + (cut.offsets.get(uid)?.[i] ?? 0);
        if (this.#counts[partition] === end - (firstIds[i] as number) && (this.#greatest[partition] as number) < end) continue;
        return this.#difference(firstIds[i] as number, end, this.#greatest[partition] as number, cut);
      }
    }
    return null;
  }

  #difference(first: number, end: number, greatest: number, { checkpointId }: CompletedCut): string {
    const where = `checkpoint ${checkpointId}, ${this.node.name}`;
    for (let id = first; id < end; id++) {
      if (this.#seen[id] === 0) return `${where}: ${this.#ids.describe(id)} is before the stored offset, but never reached it`;
    }
    return `${where}: ${this.#ids.describe(greatest)} is in its history, but not before the stored offset: it will come again`;
  }
}
