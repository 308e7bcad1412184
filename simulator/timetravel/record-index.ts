import { present } from "../../engine/base/assert.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import type { ExecutionId } from "../../engine/graph/execution-id.ts";
import type { JobGraph } from "../../engine/graph/job-graph.ts";
import type { CheckpointMode } from "../../engine/graph/job-modes.ts";
import type { StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";
import type { StreamFrame } from "../../engine/runtime/buffer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { AbortReason, LogObserver, NetworkObserver, ObservedConnection } from "../hosts/service-observers.ts";
import { carriesIds, DataObservation } from "../oracles/data-oracles-observation.ts";
import type { RecordIds, Tagged } from "../oracles/graph-rewriting-ids.ts";
import type { CompletedCut } from "../oracles/provenance-cut.ts";
import type { HistoryStep } from "../oracles/surviving-history-recorder.ts";
import type { InputTopic } from "../scenario.ts";
import type { Process } from "../world/sim-process.ts";
import type { World } from "../world/world.ts";
import type { Deviation } from "./paused-run.ts";
import { PausedRun } from "./paused-run.ts";
import { PASSAGE, RecordPassages, type PassagePlace } from "./record-passages.ts";
import type { RepeatableRun } from "./repeatable-run.ts";
import type { RunTape } from "./run-tape.ts";
import { watchedGraph, type OperatorWatch } from "./watched-graph.ts";

/** A completed checkpoint: where the sources stood. */
export interface IndexedCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly step: number;
  readonly offsets: ReadonlyMap<string, readonly number[]>;
}

/** A transaction of a sink: in which steps what became of it. */
export interface IndexedTransaction {
  preparedAt: number | null;
  committedAt: number | null;
  abortedAt: number | null;
  abortReason: AbortReason | null;
}

/** Where every record of a run went. */
export interface RecordIndex {
  readonly passages: RecordPassages;
  readonly ids: RecordIds;
  /** The job as it begins. */
  readonly graph: StreamGraph;
  /** In the order in which they completed. */
  readonly checkpoints: readonly IndexedCheckpoint[];
  /** By id. */
  readonly transactions: ReadonlyMap<string, IndexedTransaction>;
  /** What arrived when. */
  readonly inputs: readonly InputTopic[];
  readonly mode: CheckpointMode;
  /** Why nobody can say from some checkpoint on what survived; null: everything can be said. */
  readonly historyProblem: string | null;
  /** Where the run that was watched is not the one on the tape; null: nowhere. */
  readonly deviation: Deviation | null;
}

/**
 * Makes the run again, with somebody who writes down where each record goes. Null where its records carry no ids: a
 * run without oracles, which is another run than one with them.
 */
export function indexRecords(run: RepeatableRun, tape: RunTape): RecordIndex | null {
  const paused = new PausedRun(run, tape);
  try {
    if (!carriesIds(paused.world)) return null;
    const watch = new RecordWatch(paused.world);
    paused.moveTo(tape.steps);
    return watch.finish(paused.deviation ?? deviationAtEnd(paused.world, tape));
  } finally {
    paused.release();
  }
}

/** As the judged run ends: chaos ends with it, at the latest. */
function deviationAtEnd(world: World, { result }: RunTape): Deviation | null {
  const { kernel, options } = world;
  if (world.nowUs >= options.healAtUs) kernel.heal();
  const actual = kernel.digest.hex();
  return actual === result.digest ? null : { step: kernel.stepNumber, expected: result.digest, actual };
}

class RecordWatch implements NetworkObserver<ControlMessage, StreamFrame>, LogObserver {
  readonly #world: World;
  readonly #observation: DataObservation;
  readonly #passages = new RecordPassages();
  readonly #checkpoints: IndexedCheckpoint[] = [];
  readonly #transactions: Map<string, IndexedTransaction> = new Map();
  /** By the parallelism of all nodes, as text. */
  readonly #jobGraphs: Map<string, JobGraph> = new Map();
  /** By attempt. */
  readonly #graphOfAttempt: Map<number, JobGraph> = new Map();
  /** Numbers of places. */
  readonly #channels: WeakMap<ObservedConnection<ControlMessage>, number> = new WeakMap();
  readonly #operators: Map<string, number> = new Map();
  readonly #edges: Map<string, number> = new Map();
  #historyProblem: string | null = null;

  constructor(world: World) {
    this.#world = world;
    this.#observation = DataObservation.of(world);
    const { rewriter } = world;
    const watching = (graph: StreamGraph, process: Process, execution: ExecutionId | null): StreamGraph => {
      const rewritten = rewriter(graph, process, execution);
      return execution === null ? rewritten : this.#watch(rewritten, process, execution);
    };
    world.rewriter = Object.assign(watching, { observation: this.#observation });
    world.networkObservers.push(this);
    world.logObservers.push(this);
    this.#observation.listen({
      cutCompleted: (cut, history) => this.#cutCompleted(cut, history),
      wentBack: (cut, what) => {
        this.#historyProblem ??= `checkpoint ${cut.checkpointId}: ${what}`;
      },
    });
  }

  finish(deviation: Deviation | null): RecordIndex {
    const { scenario, options, inputs } = this.#world.options;
    return {
      passages: this.#passages,
      ids: this.#observation.ids,
      graph: scenario.job(options),
      checkpoints: this.#checkpoints,
      transactions: this.#transactions,
      inputs,
      mode: options.mode,
      historyProblem: this.#historyProblem,
      deviation,
    };
  }

  onFrameSent(connection: ObservedConnection<ControlMessage>, _forward: boolean, frame: StreamFrame): void {
    this.#frame(PASSAGE.sent, connection, frame);
  }

  onFrameDelivered(connection: ObservedConnection<ControlMessage>, _forward: boolean, frame: StreamFrame): void {
    this.#frame(PASSAGE.arrived, connection, frame);
  }

  onPrepare(_process: Process, _producer: unknown, transactionId: string): void {
    this.#transaction(transactionId).preparedAt ??= this.#step;
  }

  onCommit(_process: Process, _producerId: string, transactionId: string): void {
    this.#transaction(transactionId).committedAt ??= this.#step;
  }

  onAbort(_process: Process | null, _producerId: string, transactionId: string, reason: AbortReason): void {
    const transaction = this.#transaction(transactionId);
    transaction.abortedAt ??= this.#step;
    transaction.abortReason ??= reason;
  }

  get #step(): number {
    return this.#world.kernel.stepNumber;
  }

  #transaction(transactionId: string): IndexedTransaction {
    let transaction = this.#transactions.get(transactionId);
    if (transaction === undefined) {
      transaction = { preparedAt: null, committedAt: null, abortedAt: null, abortReason: null };
      this.#transactions.set(transactionId, transaction);
    }
    return transaction;
  }

  #frame(what: number, connection: ObservedConnection<ControlMessage>, frame: StreamFrame): void {
    if (frame.kind !== "buffer" || frame.values.length === 0) return;
    const place = this.#channelOf(connection);
    const { values, timestamps } = frame;
    for (let i = 0; i < values.length; i += 1) {
      this.#passages.add(what, (values[i] as Tagged).id, this.#step, place, values.length, timestamps[i]);
    }
  }

  #channelOf(connection: ObservedConnection<ControlMessage>): number {
    let place = this.#channels.get(connection);
    if (place === undefined) {
      place = this.#passages.addPlace(this.#placeOfChannel(connection));
      this.#channels.set(connection, place);
    }
    return place;
  }

  #placeOfChannel({ hello, from }: ObservedConnection<ControlMessage>): PassagePlace {
    const process = from.name;
    if (hello.kind !== "open-channel") return { name: hello.kind, to: null, uid: null, attempt: -1, process };
    const { attempt, edge, fromSubtask, toVertex, toSubtask } = hello;
    const graph = present(this.#graphOfAttempt.get(attempt), "tasks are deployed before their channels open");
    const sender = graph.vertices[graph.edges[edge]?.from ?? -1]?.name ?? "?";
    return { name: `${sender}[${fromSubtask}]`, to: `${graph.vertices[toVertex]?.name ?? "?"}[${toSubtask}]`, uid: null, attempt, process };
  }

  /** `graph`: with ids in its records. */
  #watch(graph: StreamGraph, process: Process, { vertex, subtask, attempt }: ExecutionId): StreamGraph {
    const jobGraph = this.#jobGraphOf(graph);
    this.#graphOfAttempt.set(attempt, jobGraph);
    const chain = new Set(jobGraph.vertices[vertex]?.chain.map(({ id }) => id));
    // A task gets the graph of the whole job, and runs a part of it.
    return watchedGraph(graph, (node) => (chain.has(node.id) ? this.#watchOf(node, process, subtask, attempt) : UNWATCHED));
  }

  #jobGraphOf(graph: StreamGraph): JobGraph {
    const name = graph.nodes.map(({ parallelism }) => parallelism).join();
    let jobGraph = this.#jobGraphs.get(name);
    if (jobGraph === undefined) {
      jobGraph = buildJobGraph(graph);
      this.#jobGraphs.set(name, jobGraph);
    }
    return jobGraph;
  }

  #watchOf({ name, uid }: StreamNode, process: Process, subtask: number, attempt: number): OperatorWatch {
    const place = this.#passages.addPlace({ name: `${name}[${subtask}]`, to: null, uid, attempt, process: process.name });
    const passages = this.#passages;
    /** What the sink wrote since it closed a transaction last. */
    let open: number[] = [];
    return {
      passage: (what, id, detail, number) => void passages.add(what, id, this.#step, place, detail, number),
      intern: (text) => passages.intern(text),
      written: (id) => void open.push(passages.add(PASSAGE.written, id, this.#step, place)),
      closed: (checkpointId, committables) => {
        const closed = (committables as readonly { readonly checkpointId?: unknown; readonly transactionId?: unknown }[]).find((one) => one.checkpointId === checkpointId);
        const { transactionId } = closed ?? {};
        if (typeof transactionId === "string") for (const at of open) passages.setDetail(at, passages.intern(transactionId));
        open = [];
      },
    };
  }

  #cutCompleted(cut: CompletedCut, history: HistoryStep | string): void {
    const { checkpointId } = cut;
    this.#checkpoints.push({ checkpointId, step: this.#step, offsets: cut.offsets });
    for (const [edge, records] of cut.inFlight) {
      for (const { record } of records) this.#passages.add(PASSAGE.inFlight, record.id, this.#step, this.#placeNamed(this.#edges, edge, null), checkpointId);
    }
    if (typeof history === "string") {
      this.#historyProblem ??= `checkpoint ${checkpointId}: ${history}`;
      return;
    }
    for (const { subtask, log, start, end } of history.segments) {
      const place = this.#placeNamed(this.#operators, `${subtask.node.name}[${subtask.subtask}]`, { uid: subtask.node.uid, attempt: log.attempt });
      for (let at = start - log.first; at < end - log.first; at += 1) {
        const entry = log.entries[at] as number;
        if (entry >= 0) this.#passages.add(PASSAGE.settled, entry >> 1, this.#step, place, checkpointId, entry & 1);
      }
    }
  }

  #placeNamed(places: Map<string, number>, name: string, operator: { readonly uid: string; readonly attempt: number } | null): number {
    const key = operator === null ? name : `${operator.uid}:${operator.attempt}:${name}`;
    let place = places.get(key);
    if (place === undefined) {
      place = this.#passages.addPlace({ name, to: null, uid: operator?.uid ?? null, attempt: operator?.attempt ?? -1, process: null });
      places.set(key, place);
    }
    return place;
  }
}

/** Of an operator that runs in another task. */
const UNWATCHED: OperatorWatch = {
  passage: () => undefined,
  intern: () => -1,
  written: () => undefined,
  closed: () => undefined,
};
