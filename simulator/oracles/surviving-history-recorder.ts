import { present } from "../../engine/base/assert.ts";
import type { CheckpointId, TimestampMs } from "../../engine/base/units.ts";
import { NO_CHECKPOINT, US_PER_MS } from "../../engine/base/units.ts";
import type { ExecutionId } from "../../engine/graph/execution-id.ts";
import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import type { JobVertex } from "../../engine/graph/job-graph.ts";
import { isKeyed } from "../../engine/graph/keyed-node.ts";
import type { NodeId, StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { SimKernel } from "../world/sim-kernel.ts";
import type { Process } from "../world/sim-process.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import type { HistoryMark } from "./surviving-history-log.ts";
import { HistoryLog } from "./surviving-history-log.ts";

/** One subtask of a keyed operator, over all its attempts, whatever the parallelism of each. */
export interface ObservedSubtask {
  readonly node: StreamNode;
  readonly subtask: number;
  /** Numbers the subtasks of all keyed operators of the job. */
  readonly producer: number;
  /** Logs of attempts that may still write. */
  logs: HistoryLog[];
  marks: HistoryMark[];
  /** The mark of the latest completed checkpoint that it took part in: up to here the history is certain. */
  settled: HistoryMark | null;
}

/** What a subtask did between two completed checkpoints: entries of a log, `start` to `end`. */
export interface HistorySegment {
  readonly subtask: ObservedSubtask;
  readonly log: HistoryLog;
  readonly start: number;
  readonly end: number;
  /** Processing time at its end, when the snapshot was taken. */
  readonly atMs: TimestampMs;
}

/** What happened from one completed checkpoint to the next: within one attempt, and so with one parallelism. */
export interface HistoryStep {
  /** Operators in topological order, and subtask by subtask. */
  readonly segments: readonly HistorySegment[];
  /** How many subtasks each keyed operator had. */
  readonly parallelism: ReadonlyMap<NodeId, number>;
}

/** Entries that one log may hold; beyond that nothing is recorded any more. */
const LOG_ENTRIES_LIMIT = 8_000_000;

/**
 * Keeps the history of every keyed operator subtask: attempts, what they did, where they took snapshots and
 * which checkpoint they went on from. The entries come from the rewritten user functions, the rest from
 * trace points.
 */
export class HistoryRecorder {
  /** False once a log became too long. */
  isComplete = true;
  readonly #kernel: SimKernel;
  readonly #keyed: readonly StreamNode[];
  /** No operator ever has more subtasks. */
  readonly #most: number;
  readonly #firstDerivedId: number;
  /** By node, then subtask. */
  readonly #subtasks: Map<NodeId, ObservedSubtask[]> = new Map();
  /** By the parallelism of all nodes, as text. */
  readonly #vertices: Map<string, readonly JobVertex[]> = new Map();
  /** By name of the task: those in its chain, in chain order. */
  readonly #byTask: Map<string, readonly ObservedSubtask[]> = new Map();
  /** The latest completed checkpoint. */
  #latest: CheckpointId = NO_CHECKPOINT;

  /** `mostSubtasks`: of one operator, in any attempt. */
  constructor(kernel: SimKernel, graph: StreamGraph, firstDerivedId: number, mostSubtasks: number) {
    this.#kernel = kernel;
    this.#keyed = graph.nodes.filter(isKeyed);
    for (const { id } of this.#keyed) this.#subtasks.set(id, []);
    this.#most = mostSubtasks;
    this.#firstDerivedId = firstDerivedId;
    this.#listen(kernel);
  }

  /** Ids of derived records of one subtask lie so far apart. */
  get idStep(): number {
    return this.#keyed.length * this.#most;
  }

  /** The logs of the keyed operators in a new attempt of a task, by node. `graph`: with the attempt's parallelism. */
  begin(process: Process, { vertex, subtask, attempt }: ExecutionId, graph: StreamGraph): ReadonlyMap<NodeId, HistoryLog> {
    const logs = new Map<NodeId, HistoryLog>();
    const { name, chain } = present(this.#verticesOf(graph)[vertex], "a task is of a vertex of its job");
    // An operator that the job has in an older version alone is not looked at.
    const observed = chain.filter((node) => isKeyed(node) && this.#subtasks.has(node.id)).map(({ id }) => this.#subtaskOf(id, subtask));
    // Not by subject: whoever only watches gives no name a number, which is part of the digest.
    if (observed.length > 0) this.#byTask.set(`${name}[${subtask}]`, observed);
    for (const one of observed) {
      const log = new HistoryLog(process, attempt, this.#firstDerivedId + one.producer, this.idStep);
      one.logs = one.logs.filter((other) => other.process.alive && other.process !== process);
      one.logs.push(log);
      logs.set(one.node.id, log);
    }
    return logs;
  }

  /**
   * A checkpoint completed: the history up to its marks is certain from now on. Text where a subtask's
   * history does not lead there: each goes on where it stood at the checkpoint before, or was restored from that.
   */
  settle(cut: CompletedCut): HistoryStep | string {
    const segments: HistorySegment[] = [];
    const parallelism = new Map<NodeId, number>();
    for (const { id, uid } of this.#keyed) {
      parallelism.set(id, cut.parallelismOf(uid));
      for (let index = 0; index < cut.parallelismOf(uid); index += 1) {
        const segment = this.#settleOne(this.#subtaskOf(id, index), cut);
        if (typeof segment === "string") return segment;
        if (segment !== null) segments.push(segment);
      }
    }
    this.#latest = cut.checkpointId;
    return { segments, parallelism };
  }

  /** Lets go of what nobody will ask for again. */
  forget(checkpointId: CheckpointId): void {
    for (const subtask of [...this.#subtasks.values()].flat()) {
      subtask.marks = subtask.marks.filter((mark) => mark.checkpointId >= checkpointId);
      if (subtask.settled !== null) subtask.settled.log.drop(subtask.settled.end);
      if (subtask.logs.some((log) => log.end - log.first > LOG_ENTRIES_LIMIT)) this.isComplete = false;
    }
  }

  /** Null where the subtask had finished: it did nothing any more, and took no part in the checkpoint. */
  #settleOne(subtask: ObservedSubtask, cut: CompletedCut): HistorySegment | string | null {
    const { checkpointId, attempt } = cut;
    const { settled } = subtask;
    const name = `${subtask.node.name}[${subtask.subtask}]`;
    const mark = markOf(subtask, checkpointId, attempt);
    const hasFinished = cut.isFinished(subtask.node.uid) || settled?.log.finished === true;
    if (mark === undefined && settled !== null && hasFinished) {
      subtask.settled = { ...settled, checkpointId };
      subtask.marks.push(subtask.settled);
      return null;
    }
    if (mark === undefined) return `checkpoint ${checkpointId} completed, but ${name} took no snapshot for it`;
    const continues = settled !== null && settled.checkpointId === this.#latest && settled.log === mark.log;
    if (!continues && mark.log.restoredFrom !== this.#latest) {
      const [at, latest] = [mark.log.restoredFrom, this.#latest].map((id) => (id < 0 ? "the beginning" : `checkpoint ${id}`));
      return `${name}: attempt ${mark.log.attempt} went on from ${at}, not from ${latest}, the latest completed`;
    }
    subtask.settled = mark;
    return { subtask, log: mark.log, start: continues ? settled.end : 0, end: mark.end, atMs: mark.atMs };
  }

  #subtaskOf(node: NodeId, index: number): ObservedSubtask {
    const ofNode = present(this.#subtasks.get(node), "a job has the same keyed operators with any parallelism");
    for (let subtask = ofNode.length; subtask <= index; subtask += 1) {
      const place = this.#keyed.findIndex(({ id }) => id === node);
      const producer = place * this.#most + subtask;
      ofNode.push({ node: this.#keyed[place] as StreamNode, subtask, producer, logs: [], marks: [], settled: null });
    }
    return ofNode[index] as ObservedSubtask;
  }

  #verticesOf(graph: StreamGraph): readonly JobVertex[] {
    const name = graph.nodes.map(({ parallelism }) => parallelism).join();
    let vertices = this.#vertices.get(name);
    if (vertices === undefined) {
      ({ vertices } = buildJobGraph(graph));
      this.#vertices.set(name, vertices);
    }
    return vertices;
  }

  #listen(kernel: SimKernel): void {
    kernel.on(TRACE.watermarkAdvanced, (process, subject, watermarkMs) => {
      for (const { log } of this.#logsOf(process, subject)) log.watermark(watermarkMs);
    });
    kernel.on(TRACE.snapshotTaken, (process, subject, checkpointId) => {
      const atMs = Math.floor(kernel.nowUs / US_PER_MS);
      for (const { subtask, log } of this.#logsOf(process, subject)) {
        subtask.marks.push({ log, checkpointId, end: log.end, emitted: log.emitted, atMs });
      }
    });
    kernel.on(TRACE.taskFinished, (process, subject) => {
      for (const { log } of this.#logsOf(process, subject)) log.finished = true;
    });
    kernel.on(TRACE.taskRestored, (process, subject, _attempt, checkpointId) => {
      for (const { subtask, log } of this.#logsOf(process, subject)) {
        log.restoredFrom = checkpointId;
        const mark = subtask.marks.find((one) => one.checkpointId === checkpointId) ?? subtask.settled;
        if (mark !== null) log.emitted = mark.emitted;
      }
    });
  }

  /** The keyed operators of a task, each with the log of its latest attempt in a process. */
  #logsOf(process: Process | null, subject: number): { readonly subtask: ObservedSubtask; readonly log: HistoryLog }[] {
    const found: { readonly subtask: ObservedSubtask; readonly log: HistoryLog }[] = [];
    for (const subtask of this.#byTask.get(this.#kernel.nameOf(subject)) ?? []) {
      const log = logOf(subtask, process);
      if (log !== null) found.push({ subtask, log });
    }
    return found;
  }
}

/** `attempt`: the latest of any task's in the checkpoint; regions that fail over alone have others. */
function markOf({ marks }: ObservedSubtask, checkpointId: CheckpointId, attempt: number): HistoryMark | undefined {
  let latest: HistoryMark | undefined;
  for (const mark of marks) {
    if (mark.checkpointId !== checkpointId || mark.log.attempt > attempt) continue;
    if (latest === undefined || mark.log.attempt > latest.log.attempt) latest = mark;
  }
  return latest;
}

function logOf({ logs }: ObservedSubtask, process: Process | null): HistoryLog | null {
  for (let i = logs.length - 1; i >= 0; i--) if ((logs[i] as HistoryLog).process === process) return logs[i] as HistoryLog;
  return null;
}
