import { present, unreachable } from "../../engine/base/assert.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";
import type { CheckpointMode } from "../../engine/graph/job-modes.ts";
import type { NodeId, StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";
import type { Key } from "../../engine/state/state.ts";
import { keyGroupOf, keyGroupRange } from "../../engine/stream/key-groups.ts";
import { canonicalKey } from "../reference/canonical-key.ts";
import type { Emitter } from "../reference/dataflow.ts";
import { Dataflow } from "../reference/dataflow.ts";
import { ReferenceProcess } from "../reference/reference-process.ts";
import { ReferenceReduce } from "../reference/reference-reduce.ts";
import type { ReferenceEntry } from "../reference/reference-state.ts";
import { cleanupTimeOf, ReferenceWindow, windowStartOf } from "../reference/reference-window.ts";
import { sameValue } from "../reference/structural-equality.ts";
import { describeCell, describeTime, describeValue } from "./data-oracles-wording.ts";
import type { RecordIds } from "./graph-rewriting-ids.ts";
import { rewriteGraph } from "./graph-rewriting.ts";
import { InFlightGates } from "./in-flight-gates.ts";
import { edgeKeysOf } from "./in-flight.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import { keepsInFlight } from "./reference-state-prefix.ts";
import { Arrivals } from "./surviving-history-arrivals.ts";
import type { HistorySegment, HistoryStep } from "./surviving-history-recorder.ts";

/** What a checkpoint must hold; `mayBeGone`: it was expired when the snapshot was taken, and backends clean up when they like. */
interface ExpectedEntry extends ReferenceEntry {
  readonly mayBeGone: boolean;
}

interface ReplayedSubtask {
  readonly node: StreamNode;
  readonly operator: ReferenceReduce | ReferenceProcess | ReferenceWindow;
  watermarkMs: TimestampMs;
  /** Processing time of its latest snapshot. */
  atMs: TimestampMs;
  /** True for the keys of the subtask. */
  readonly owns: (key: Key) => boolean;
}

/** Who emitted what a sink gets. */
export interface ReplayOrigin {
  /** One number for each partition of a source and each subtask of a keyed operator. */
  readonly producer: number;
  /** Counts up with each change of the parallelism: what one generation emitted reaches sinks before the next one's. */
  readonly generation: number;
}

/** Hears what reaches the sinks. */
export type ReplayOutput = (sinkUid: string, value: unknown, origin: ReplayOrigin) => void;

/** Of the history that is replayed. */
export interface ReplayOptions {
  readonly mode: CheckpointMode;
  /** How far apart ids of derived records of one subtask lie. */
  readonly idStep: number;
}

/**
 * The surviving history, run again from one completed checkpoint to the next: the records before the
 * offsets go through the stateless functions, and each keyed operator subtask gets those that it saw, in the
 * order in which it saw them, with its watermarks in between. One after the other, with the pieces of the
 * reference and user functions of graphs built for it.
 *
 * Where the parallelism changed, new subtasks take over the keys of their key groups, and go on from the least
 * watermark of those that had them. Records in flight at the checkpoint stay where they were (see InFlightGates).
 * Of an at-least-once job, an operator gets a record as often as it saw it, also from behind the offsets.
 */
export class HistoryReplay {
  readonly #ids: RecordIds;
  readonly #buildGraph: () => StreamGraph;
  readonly #options: ReplayOptions;
  readonly #dataflow: Dataflow;
  readonly #gates: InFlightGates<ReplayOrigin> | null;
  readonly #sources: readonly { readonly uid: string; readonly emitter: Emitter; readonly offsets: number[] }[];
  /** By node: what is on its way to it. */
  readonly #arrivals: Map<NodeId, Arrivals> = new Map();
  /** By node, then subtask. */
  readonly #subtasks: Map<NodeId, readonly ReplayedSubtask[]> = new Map();
  #origin: ReplayOrigin = { producer: 0, generation: 0 };
  /** Of subtasks that others took over from. */
  #expirationsBefore = 0;
  #generation = 0;

  constructor(buildGraph: () => StreamGraph, ids: RecordIds, options: ReplayOptions, output: ReplayOutput) {
    this.#ids = ids;
    this.#buildGraph = buildGraph;
    this.#options = options;
    const graph = rewritten(buildGraph(), ids, 0, 1);
    const gates = new InFlightGates<ReplayOrigin>(edgeKeysOf(graph), ids, {
      knowsValues: () => true,
      context: () => this.#origin,
      resume: (origin) => void (this.#origin = origin),
    });
    this.#gates = keepsInFlight(options.mode) ? gates : null;
    this.#dataflow = new Dataflow(
      graph,
      (node) => {
        if (node.kind === "sink") return { process: (record) => output(node.uid, (record as { readonly value: unknown }).value, this.#origin) };
        const arrivals = new Arrivals(node, ids, options.mode === "at-least-once");
        this.#arrivals.set(node.id, arrivals);
        return arrivals;
      },
      this.#gates?.gate ?? null,
    );
    this.#sources = ids.sources.map(({ uid, lengths }) => {
      const node = present(graph.nodes.find((one) => one.uid === uid), "a source is a node");
      return { uid, emitter: this.#dataflow.emitterOf(node.id), offsets: lengths.map(() => 0) };
    });
  }

  /** How often state was asked for that was expired. */
  get expirations(): number {
    return [...this.#subtasks.values()].reduce((sum, subtasks) => sum + expirationsOf(subtasks), this.#expirationsBefore);
  }

  /** Goes on to the next completed checkpoint. What is wrong with the history, or null. */
  advance(cut: CompletedCut, step: HistoryStep): string | null {
    this.#rescale(step.parallelism);
    this.#gates?.begin(cut.inFlight);
    this.#feed(this.#options.mode === "at-least-once" ? offsetsSeen(cut, step, this.#ids) : cut.offsets);
    const wrong = this.#replayAll(step.segments) ?? this.#gates?.end() ?? this.#missing(cut);
    return wrong === null ? null : `checkpoint ${cut.checkpointId}, ${wrong}`;
  }

  /** The first difference between a checkpoint, which it has just reached, and the replayed state; or null. */
  compare(cut: CompletedCut): string | null {
    for (const subtasks of this.#subtasks.values()) {
      const expected = new Map<string, ExpectedEntry>();
      for (const { operator, atMs } of subtasks) {
        for (const [key, entries] of operator.entriesByKey()) {
          for (const entry of entries) {
            const mayBeGone = entry.expiresAtMs !== undefined && entry.expiresAtMs <= atMs;
            expected.set(identityOf(key, entry), { ...entry, mayBeGone });
          }
        }
      }
      const [first] = subtasks;
      const wrong = first === undefined ? null : compareOperator(cut, first.node, expected);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  #rescale(parallelism: ReadonlyMap<NodeId, number>): void {
    let isRescaled = false;
    for (const [id, count] of parallelism) {
      const old = this.#subtasks.get(id) ?? [];
      if (old.length === count) continue;
      isRescaled ||= old.length > 0;
      this.#expirationsBefore += expirationsOf(old);
      this.#subtasks.set(id, Array.from({ length: count }, (_, subtask) => this.#subtaskOf(id, subtask, count, old)));
    }
    if (isRescaled) this.#generation += 1;
  }

  /** A subtask that goes on with what the old ones hold of its keys. */
  #subtaskOf(id: NodeId, subtask: number, count: number, old: readonly ReplayedSubtask[]): ReplayedSubtask {
    const fresh = rewritten(this.#buildGraph(), this.#ids, this.#ids.total + subtask, this.#options.idStep);
    const node = present(fresh.nodes[id], "a job is the same each time it is built");
    const { maxParallelism } = fresh.config;
    const { start, end } = keyGroupRange(maxParallelism, count, subtask);
    const owns = (key: Key): boolean => {
      const keyGroup = keyGroupOf(key, maxParallelism);
      return keyGroup >= start && keyGroup <= end;
    };
    const operator = createOperator(node, this.#dataflow.emitterOf(id));
    let watermarkMs = old.length === 0 ? MIN_WATERMARK : MAX_WATERMARK;
    old.forEach((other, index) => {
      const range = keyGroupRange(maxParallelism, old.length, index);
      if (range.start > end || range.end < start) return;
      watermarkMs = Math.min(watermarkMs, other.watermarkMs);
      adopt(operator, other.operator, owns);
    });
    if (!(operator instanceof ReferenceReduce) && old.length > 0) operator.resume(watermarkMs);
    return { node, operator, watermarkMs, atMs: 0, owns };
  }

  /** Brings the inputs up to the offsets of a cut. */
  #feed(ends: ReadonlyMap<string, readonly number[]>): void {
    let partitions = 0;
    for (const { uid, emitter, offsets } of this.#sources) {
      const source = this.#ids.ofSource(uid);
      const ofSource = ends.get(uid) ?? [];
      for (let partition = 0; partition < offsets.length; partition++) {
        const start = offsets[partition] as number;
        const end = Math.max(start, ofSource[partition] ?? 0);
        this.#origin = { producer: -1 - partitions - partition, generation: this.#generation };
        source.emit(partition, start, end, emitter);
        offsets[partition] = end;
      }
      partitions += offsets.length;
    }
  }

  #replayAll(segments: readonly HistorySegment[]): string | null {
    for (const segment of segments) {
      const wrong = this.#replay(segment);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  #replay({ subtask, log, start, end, atMs }: HistorySegment): string | null {
    const { node } = subtask;
    const replayed = present(this.#subtasks.get(node.id)?.[subtask.subtask], "every subtask is replayed");
    const arrivals = present(this.#arrivals.get(node.id), "a keyed operator has arrivals");
    this.#origin = { producer: subtask.producer, generation: this.#generation };
    const { operator, owns } = replayed;
    replayed.atMs = atMs;
    for (let at = start - log.first; at < end - log.first; at++) {
      const entry = log.entries[at] as number;
      if (entry < 0) {
        replayed.watermarkMs = log.watermarks[~entry] as number;
        if (!(operator instanceof ReferenceReduce)) operator.advance(replayed.watermarkMs);
        continue;
      }
      const arrival = arrivals.take(entry >> 1, owns, log);
      const name = `${node.name}[${subtask.subtask}]`;
      if (arrival === null) return `${name}: ${this.#ids.describe(entry >> 1)} came twice, or will come again`;
      const late = lateness(replayed, arrival.timestampMs, (entry & 1) === 1);
      if (late !== null) return `${name}: ${this.#ids.describe(entry >> 1)} ${late}`;
      if (log.times.length > 0) (operator as ReferenceProcess).advanceProcessingTime(log.times[at] as TimestampMs);
      if (arrival.input === 0) operator.process(arrival.record, arrival.timestampMs);
      else (operator as ReferenceProcess).process2(arrival.record, arrival.timestampMs);
    }
    return null;
  }

  /** A record that lies before the cut, and that nobody took. */
  #missing(cut: CompletedCut): string | null {
    for (const [nodeId, arrivals] of this.#arrivals) {
      const id = arrivals.firstNotTaken(cut.offsets);
      if (id === null) continue;
      const name = this.#subtasks.get(nodeId)?.[0]?.node.name ?? "";
      return `${name}: ${this.#ids.describe(id)} is before the stored offset, but never reached it`;
    }
    return null;
  }
}

function expirationsOf(subtasks: readonly ReplayedSubtask[]): number {
  return subtasks.reduce((sum, { operator }) => sum + (operator instanceof ReferenceProcess ? operator.expirations : 0), 0);
}

/** The offsets of a cut, or behind the last record that anybody saw up to it where that is further on. */
function offsetsSeen(cut: CompletedCut, { segments }: HistoryStep, ids: RecordIds): ReadonlyMap<string, readonly number[]> {
  const ends = new Map([...cut.offsets].map(([uid, offsets]) => [uid, [...offsets]]));
  for (const { log, start, end } of segments) {
    for (let at = start - log.first; at < end - log.first; at++) {
      const entry = log.entries[at] as number;
      const place = entry < 0 ? null : ids.placeOf(entry >> 1);
      const ofSource = place === null ? undefined : ends.get(place.uid);
      if (place !== null && ofSource !== undefined) ofSource[place.partition] = Math.max(ofSource[place.partition] ?? 0, place.offset + 1);
    }
  }
  return ends;
}

function adopt(operator: ReplayedSubtask["operator"], other: ReplayedSubtask["operator"], owns: (key: Key) => boolean): void {
  if (operator instanceof ReferenceReduce && other instanceof ReferenceReduce) operator.adopt(other, owns);
  else if (operator instanceof ReferenceWindow && other instanceof ReferenceWindow) operator.adopt(other, owns);
  else if (operator instanceof ReferenceProcess && other instanceof ReferenceProcess) operator.adopt(other, owns);
}

function rewritten(graph: StreamGraph, ids: RecordIds, firstId: number, idStep: number): StreamGraph {
  let emitted = 0;
  const derive = (): number => firstId + emitted++ * idStep;
  const lineage = { isRepeatable: true, record: () => undefined, applied: () => undefined, at: () => undefined, derive };
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

/** Whether a record was late follows from the watermark before it. What is wrong, or null. */
function lateness({ node, watermarkMs }: ReplayedSubtask, timestampMs: TimestampMs, applied: boolean): string | null {
  if (node.kind !== "window") return null;
  const cleanupMs = cleanupTimeOf(node, windowStartOf(timestampMs, node.sizeMs, node.offsetMs));
  if (cleanupMs <= watermarkMs !== applied) return null;
  return `of ${describeTime(timestampMs)} was ${applied ? "applied" : "late"} at watermark ${describeTime(watermarkMs)}`;
}

function compareOperator(cut: CompletedCut, node: StreamNode, expected: Map<string, ExpectedEntry>): string | null {
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
  for (const entry of expected.values()) if (!entry.mayBeGone) return `${where(entry)}: expected ${describeValue(entry.value)}, got nothing`;
  return null;
}

function identityOf(key: string, { state, namespace }: ReferenceEntry): string {
  return `${key}\u0000${state}\u0000${typeof namespace}${namespace}`;
}
