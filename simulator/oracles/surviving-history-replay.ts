import { present, unreachable } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MIN_WATERMARK } from "../../engine/base/units.ts";
import { isKeyed } from "../../engine/graph/keyed-node.ts";
import type { InputIndex, NodeId, StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";
import { keyGroupOf, subtaskOfKeyGroup } from "../../engine/stream/key-groups.ts";
import { canonicalKey } from "../reference/canonical-key.ts";
import type { Emitter } from "../reference/dataflow.ts";
import { Dataflow } from "../reference/dataflow.ts";
import { ReferenceProcess } from "../reference/reference-process.ts";
import { ReferenceReduce } from "../reference/reference-reduce.ts";
import type { ReferenceEntry } from "../reference/reference-state.ts";
import { cleanupTimeOf, ReferenceWindow, windowStartOf } from "../reference/reference-window.ts";
import { sameValue } from "../reference/structural-equality.ts";
import { describeCell, describeTime, describeValue } from "./data-oracles-wording.ts";
import type { RecordIds, Tagged } from "./graph-rewriting-ids.ts";
import { rewriteGraph } from "./graph-rewriting.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import type { HistorySegment, ObservedSubtask } from "./surviving-history-recorder.ts";

/** A record on its way into a keyed operator; `next`: another one of the same id. */
interface Arrival {
  readonly record: Tagged;
  readonly timestampMs: TimestampMs;
  readonly input: InputIndex;
  next: Arrival | null;
}

interface ReplayedSubtask {
  readonly node: StreamNode;
  readonly operator: ReferenceReduce | ReferenceProcess | ReferenceWindow;
  watermarkMs: TimestampMs;
  /** True for the records whose key belongs to the subtask. */
  readonly owns: (arrival: Arrival) => boolean;
}

/** Hears what reaches the sinks. `producer` is one number for each origin of records. */
export type ReplayOutput = (sinkUid: string, value: unknown, producer: number) => void;

/**
 * The surviving history, run again from one completed checkpoint to the next: the records before the
 * offsets go through the stateless functions, and each keyed operator subtask gets those that it saw, in the
 * order in which it saw them, with its watermarks in between. One after the other, with the pieces of the
 * reference and user functions of graphs built for it.
 */
export class HistoryReplay {
  readonly #ids: RecordIds;
  readonly #dataflow: Dataflow;
  readonly #sources: readonly { readonly uid: string; readonly emitter: Emitter; readonly offsets: number[] }[];
  /** By node: what is on its way to it, by id. */
  readonly #arrivals: Map<NodeId, Map<number, Arrival>> = new Map();
  readonly #subtasks: Map<ObservedSubtask, ReplayedSubtask> = new Map();
  #currentProducer = 0;

  constructor(buildGraph: () => StreamGraph, ids: RecordIds, subtasks: readonly ObservedSubtask[], output: ReplayOutput) {
    this.#ids = ids;
    const graph = rewritten(buildGraph(), ids, 0, 1);
    this.#dataflow = new Dataflow(graph, (node) => {
      if (node.kind === "sink") {
        return { process: (record) => output(node.uid, (record as Tagged).value, this.#currentProducer) };
      }
      const arrivals = new Map<number, Arrival>();
      this.#arrivals.set(node.id, arrivals);
      return {
        process: (record, timestampMs) => arrive(arrivals, record as Tagged, timestampMs, 0),
        process2: (record, timestampMs) => arrive(arrivals, record as Tagged, timestampMs, 1),
      };
    });
    this.#sources = ids.sources.map(({ uid, lengths }) => {
      const node = present(graph.nodes.find((one) => one.uid === uid), "a source is a node");
      return { uid, emitter: this.#dataflow.emitterOf(node.id), offsets: lengths.map(() => 0) };
    });
    for (const observed of subtasks) {
      const fresh = rewritten(buildGraph(), ids, ids.total + observed.producer, subtasks.length);
      const node = present(fresh.nodes[observed.node.id], "a job is the same each time it is built");
      const operator = createOperator(node, this.#dataflow.emitterOf(node.id));
      const owns = ownership(node, observed.subtask, fresh.config.maxParallelism);
      this.#subtasks.set(observed, { node: observed.node, operator, watermarkMs: MIN_WATERMARK, owns });
    }
  }

  /** Goes on to the next completed checkpoint. What is wrong with the history, or null. */
  advance(cut: CompletedCut, segments: readonly HistorySegment[]): string | null {
    this.#feed(cut);
    for (const segment of segments) {
      const wrong = this.#replay(segment);
      if (wrong !== null) return `checkpoint ${cut.checkpointId}, ${wrong}`;
    }
    for (const [nodeId, arrivals] of this.#arrivals) {
      for (const id of arrivals.keys()) {
        const name = [...this.#subtasks.keys()].find(({ node }) => node.id === nodeId)?.node.name ?? "";
        const record = this.#ids.describe(id);
        return `checkpoint ${cut.checkpointId}, ${name}: ${record} is before the stored offset, but never reached it`;
      }
    }
    return null;
  }

  /** The first difference between a checkpoint, which it has just reached, and the replayed state; or null. */
  compare(cut: CompletedCut): string | null {
    const byNode = new Map<StreamNode, Map<string, ReferenceEntry>>();
    for (const { node, operator } of this.#subtasks.values()) {
      let expected = byNode.get(node);
      if (expected === undefined) {
        expected = new Map();
        byNode.set(node, expected);
      }
      for (const [key, entries] of operator.entriesByKey()) {
        for (const entry of entries) expected.set(identityOf(key, entry), entry);
      }
    }
    for (const [node, expected] of byNode) {
      const wrong = compareOperator(cut, node, expected);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  /** Brings the inputs up to the offsets of a cut. */
  #feed(cut: CompletedCut): void {
    let partitions = 0;
    for (const { uid, emitter, offsets } of this.#sources) {
      const source = this.#ids.ofSource(uid);
      const ends = cut.offsets.get(uid) ?? [];
      for (let partition = 0; partition < offsets.length; partition++) {
        const end = ends[partition] ?? 0;
        this.#currentProducer = -1 - partitions - partition;
        source.emit(partition, offsets[partition] as number, end, emitter);
        offsets[partition] = end;
      }
      partitions += offsets.length;
    }
  }

  #replay({ subtask, log, start, end }: HistorySegment): string | null {
    const replayed = present(this.#subtasks.get(subtask), "every subtask is replayed");
    const arrivals = present(this.#arrivals.get(subtask.node.id), "a keyed operator has arrivals");
    this.#currentProducer = subtask.producer;
    for (let at = start - log.first; at < end - log.first; at++) {
      const entry = log.entries[at] as number;
      if (entry < 0) {
        replayed.watermarkMs = log.watermarks[~entry] as number;
        if (!(replayed.operator instanceof ReferenceReduce)) replayed.operator.advance(replayed.watermarkMs);
        continue;
      }
      const arrival = take(arrivals, entry >> 1, replayed.owns);
      const name = `${subtask.node.name}[${subtask.subtask}]`;
      if (arrival === null) return `${name}: ${this.#ids.describe(entry >> 1)} came twice, or will come again`;
      const late = lateness(replayed, arrival.timestampMs, (entry & 1) === 1);
      if (late !== null) return `${name}: ${this.#ids.describe(entry >> 1)} ${late}`;
      if (arrival.input === 0) replayed.operator.process(arrival.record, arrival.timestampMs);
      else (replayed.operator as ReferenceProcess).process2(arrival.record, arrival.timestampMs);
    }
    return null;
  }
}

function rewritten(graph: StreamGraph, ids: RecordIds, firstId: number, idStep: number): StreamGraph {
  let emitted = 0;
  const derive = (): number => firstId + emitted++ * idStep;
  const lineage = { isRepeatable: true, record: () => undefined, applied: () => undefined, derive };
  return rewriteGraph(graph, { ids, task: null, subtask: 0, lineageOf: () => lineage });
}

function createOperator(node: StreamNode, emitter: Emitter): ReplayedSubtask["operator"] {
  switch (node.kind) {
    case "reduce":
      return new ReferenceReduce(node, emitter);
    case "process":
    case "coProcess":
      return new ReferenceProcess(node, emitter, false);
    case "window":
      return new ReferenceWindow(node, emitter);
    case "source":
    case "map":
    case "flatMap":
    case "filter":
    case "sink":
      throw new Error(`${node.name} is not keyed`);
    default:
      return unreachable(node, "HistoryReplay");
  }
}

function arrive(arrivals: Map<number, Arrival>, record: Tagged, timestampMs: TimestampMs, input: InputIndex): void {
  const arrival: Arrival = { record, timestampMs, input, next: null };
  let last = arrivals.get(record.id);
  if (last === undefined) {
    arrivals.set(record.id, arrival);
    return;
  }
  while (last.next !== null) last = last.next;
  last.next = arrival;
}

/** Takes out a record of that id; of several, the first that is for this subtask. */
function take(arrivals: Map<number, Arrival>, id: number, owns: (arrival: Arrival) => boolean): Arrival | null {
  const first = arrivals.get(id);
  if (first === undefined) return null;
  if (first.next === null) {
    arrivals.delete(id);
    return first;
  }
  if (owns(first)) {
    arrivals.set(id, first.next);
    return first;
  }
  let before = first;
  while (before.next !== null && !owns(before.next)) before = before.next;
  const found = before.next;
  if (found !== null) before.next = found.next;
  return found;
}

function ownership(node: StreamNode, subtask: number, maxParallelism: number): (arrival: Arrival) => boolean {
  if (!isKeyed(node)) return () => false;
  const { parallelism } = node;
  return ({ record, input }) => {
    const keySelector = node.kind === "coProcess" ? node.keySelectors[input] : node.keySelector;
    return subtaskOfKeyGroup(keyGroupOf(keySelector(record), maxParallelism), maxParallelism, parallelism) === subtask;
  };
}

/** Whether a record was late follows from the watermark before it. What is wrong, or null. */
function lateness({ node, watermarkMs }: ReplayedSubtask, timestampMs: TimestampMs, applied: boolean): string | null {
  if (node.kind !== "window") return null;
  const cleanupMs = cleanupTimeOf(node, windowStartOf(timestampMs, node.sizeMs, node.offsetMs));
  if (cleanupMs <= watermarkMs !== applied) return null;
  return `of ${describeTime(timestampMs)} was ${applied ? "applied" : "late"} at watermark ${describeTime(watermarkMs)}`;
}

function compareOperator(cut: CompletedCut, node: StreamNode, expected: Map<string, ReferenceEntry>): string | null {
  const where = (entry: ReferenceEntry): string =>
    `checkpoint ${cut.checkpointId}, ${node.name}: ${describeCell(node, entry.key, entry.namespace)} state "${entry.state}"`;
  for (const { entries } of cut.sections(node.uid)) {
    for (const entry of entries) {
      const identity = identityOf(canonicalKey(entry.key), entry);
      const wanted = expected.get(identity);
      if (wanted === undefined) return `${where(entry)}: expected nothing, got ${describeValue(entry.value)}`;
      if (!sameValue(wanted.value, entry.value)) {
        return `${where(entry)}: expected ${describeValue(wanted.value)}, got ${describeValue(entry.value)}`;
      }
      expected.delete(identity);
    }
  }
  for (const entry of expected.values()) return `${where(entry)}: expected ${describeValue(entry.value)}, got nothing`;
  return null;
}

function identityOf(key: string, { state, namespace }: ReferenceEntry): string {
  return `${key}\u0000${state}\u0000${typeof namespace}${namespace}`;
}
