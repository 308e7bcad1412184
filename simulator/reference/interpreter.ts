import { present, unreachable } from "../../engine/base/assert.ts";
import type { WatermarkGenerator } from "../../engine/api/watermark-strategy.ts";
import type { TimestampMs, TimeUs } from "../../engine/base/units.ts";
import { MAX_WATERMARK, MIN_WATERMARK, US_PER_MS } from "../../engine/base/units.ts";
import type { SourceNode, StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { ArrivingRecord, InputTopic } from "../scenario.ts";
import { Dataflow } from "./dataflow.ts";
import type { Emitter, ReferenceOperator, StatefulNode } from "./dataflow.ts";
import { ReferenceProcess } from "./reference-process.ts";
import { ReferenceReduce } from "./reference-reduce.ts";
import type { ReferenceEntry } from "./reference-state.ts";
import { ReferenceWindow } from "./reference-window.ts";
import { recordsOfSource } from "./source-records.ts";

/**
 * The sequential interpreter of a job: what must come out, written a second time. It shares nothing with
 * the engine but types: no tasks, channels, barriers, backends; every record goes through the whole job
 * before the next one starts, in the order of arrival. Watermarks are those of the job's own strategies,
 * per partition, the minimum over all partitions, brought up to date after every record; idleness does not
 * exist here. At the end comes MAX, as from every bounded source. Processing time is the time of arrival;
 * processing-time timers that are not due by the last record never fire.
 *
 * For a confluent job its output, per key, and its final state are the only right ones.
 */
export interface Interpretation {
  /** By uid of the sink node: the values in the order in which they reached it. */
  readonly outputs: ReadonlyMap<string, readonly unknown[]>;
  /** By uid of the keyed operator, then by canonical key: what is left in state at the end. */
  readonly state: ReadonlyMap<string, ReadonlyMap<string, readonly ReferenceEntry[]>>;
}

/** `graph` must be fresh: its process functions are used up. */
export function interpret(graph: StreamGraph, inputs: readonly InputTopic[]): Interpretation {
  return new Interpreter(graph, inputs).run();
}

class Interpreter {
  readonly #graph: StreamGraph;
  readonly #sources: readonly SourceFeed[];
  /** By node id: what has event time or state there. */
  readonly #timed: Map<number, ReferenceWindow | ReferenceProcess> = new Map();
  readonly #processes: ReferenceProcess[] = [];
  readonly #keyed: Map<string, ReferenceWindow | ReferenceProcess | ReferenceReduce> = new Map();
  readonly #outputs: Map<string, unknown[]> = new Map();
  readonly #watermarks: TimestampMs[];

  constructor(graph: StreamGraph, inputs: readonly InputTopic[]) {
    this.#graph = graph;
    this.#watermarks = graph.nodes.map(() => MIN_WATERMARK);
    const dataflow = new Dataflow(graph, (node, emitter) => this.#createOperator(node, emitter));
    this.#sources = graph.nodes.flatMap((node) =>
      node.kind === "source" ? [new SourceFeed(node, recordsOfSource(node, inputs), dataflow.emitterOf(node.id))] : [],
    );
  }

  run(): Interpretation {
    this.#advanceWatermarks();
    for (let feed = this.#earliest(); feed !== null; feed = this.#earliest()) {
      const nowMs = Math.floor(feed.nextArrivalUs / US_PER_MS);
      for (const process of this.#processes) process.advanceProcessingTime(nowMs);
      if (feed.emitNext()) this.#advanceWatermarks();
    }
    const state = new Map([...this.#keyed].map(([uid, operator]) => [uid, operator.entriesByKey()]));
    return { outputs: this.#outputs, state };
  }

  #createOperator(node: StatefulNode, emitter: Emitter): ReferenceOperator {
    switch (node.kind) {
      case "reduce": {
        const reduce = new ReferenceReduce(node, emitter);
        this.#keyed.set(node.uid, reduce);
        return reduce;
      }
      case "window": {
        const window = new ReferenceWindow(node, emitter);
        this.#keyed.set(node.uid, window);
        this.#timed.set(node.id, window);
        return window;
      }
      case "process":
      case "coProcess": {
        const process = new ReferenceProcess(node, emitter, true);
        this.#keyed.set(node.uid, process);
        this.#timed.set(node.id, process);
        this.#processes.push(process);
        return process;
      }
      case "sink": {
        const values: unknown[] = [];
        this.#outputs.set(node.uid, values);
        return { process: (value) => void values.push(value) };
      }
      default:
        return unreachable(node, "Interpreter");
    }
  }

  /** The source whose next record arrives first; among equals the first of the graph. */
  #earliest(): SourceFeed | null {
    let earliest: SourceFeed | null = null;
    for (const feed of this.#sources) {
      if (feed.nextArrivalUs === Infinity) continue;
      if (earliest === null || feed.nextArrivalUs < earliest.nextArrivalUs) earliest = feed;
    }
    return earliest;
  }

  /** Node by node downstream: set the watermark, fire what is due, and only then let the next ones know. */
  #advanceWatermarks(): void {
    for (const feed of this.#sources) this.#watermarks[feed.nodeId] = feed.watermarkMs;
    for (const node of this.#graph.nodes) {
      if (node.kind === "source") continue;
      let least = MAX_WATERMARK;
      for (const { from } of node.inputs) least = Math.min(least, this.#watermarks[from] ?? MIN_WATERMARK);
      if (least <= (this.#watermarks[node.id] ?? MIN_WATERMARK)) continue;
      this.#watermarks[node.id] = least;
      this.#timed.get(node.id)?.advance(least);
    }
  }
}

/** One source: its partitions merged by arrival, its watermark the minimum over them. */
class SourceFeed {
  readonly nodeId: number;
  watermarkMs: TimestampMs = MIN_WATERMARK;
  readonly #timestampOf: ((value: unknown, timestampMs: TimestampMs) => TimestampMs) | null;
  readonly #emitter: Emitter;
  readonly #partitions: readonly (readonly ArrivingRecord[])[];
  readonly #positions: number[];
  /** Arrival of each partition's next record; Infinity at its end. */
  readonly #arrivalsUs: TimeUs[];
  readonly #generators: readonly WatermarkGenerator[];
  /** The partition whose next record arrives first, and when; -1 and Infinity at the end of all. */
  #next = -1;
  nextArrivalUs: TimeUs = Infinity;

  constructor(node: SourceNode, partitions: readonly (readonly ArrivingRecord[])[], emitter: Emitter) {
    this.nodeId = node.id;
    this.#timestampOf = node.watermarks.timestampOf;
    this.#emitter = emitter;
    this.#partitions = partitions;
    this.#positions = partitions.map(() => 0);
    this.#arrivalsUs = partitions.map((records) => records[0]?.arrivesAtUs ?? Infinity);
    this.#generators = partitions.map(() => node.watermarks.createGenerator());
    this.#findNext();
    this.#advanceWatermark();
  }

  /** Emits the next record; true if the watermark rose. */
  emitNext(): boolean {
    const partition = this.#next;
    const position = this.#positions[partition] as number;
    const records = present(this.#partitions[partition], "a source is not asked beyond its end");
    const record = records[position] as ArrivingRecord;
    const timestampMs = this.#timestampOf === null ? record.timestampMs : this.#timestampOf(record.value, record.timestampMs);
    (this.#generators[partition] as WatermarkGenerator).onEvent(timestampMs);
    this.#positions[partition] = position + 1;
    const hasMore = position + 1 < records.length;
    this.#arrivalsUs[partition] = hasMore ? (records[position + 1] as ArrivingRecord).arrivesAtUs : Infinity;
    this.#emitter.collect(record.value, timestampMs);
    this.#findNext();
    return this.#advanceWatermark();
  }

  #findNext(): void {
    this.#next = -1;
    this.nextArrivalUs = Infinity;
    const arrivalsUs = this.#arrivalsUs;
    for (let partition = 0; partition < arrivalsUs.length; partition++) {
      const atUs = arrivalsUs[partition] as TimeUs;
      if (atUs >= this.nextArrivalUs) continue;
      this.#next = partition;
      this.nextArrivalUs = atUs;
    }
  }

  #advanceWatermark(): boolean {
    let least = MAX_WATERMARK;
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      // A partition that ended holds nothing back.
      if (this.#arrivalsUs[partition] === Infinity) continue;
      const watermarkMs = (this.#generators[partition] as WatermarkGenerator).currentWatermarkMs();
      if (watermarkMs < least) least = watermarkMs;
    }
    if (least <= this.watermarkMs) return false;
    this.watermarkMs = least;
    return true;
  }
}
