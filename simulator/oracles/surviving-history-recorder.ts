import type { CheckpointId } from "../../engine/base/units.ts";
import type { ExecutionId } from "../../engine/graph/execution-id.ts";
import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import { isKeyed } from "../../engine/graph/keyed-node.ts";
import type { NodeId, StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { SimKernel } from "../world/sim-kernel.ts";
import type { Process } from "../world/sim-process.ts";
import type { HistoryMark } from "./surviving-history-log.ts";
import { HistoryLog } from "./surviving-history-log.ts";

/** One subtask of a keyed operator, over all its attempts. */
export interface ObservedSubtask {
  readonly node: StreamNode;
  readonly subtask: number;
  /** Numbers the subtasks of all keyed operators of the job. */
  readonly producer: number;
  /** Logs of attempts that may still write. */
  logs: HistoryLog[];
  marks: HistoryMark[];
  /** The mark of the latest completed checkpoint: up to here the history is certain. */
  settled: HistoryMark | null;
}

/** What a subtask did between two completed checkpoints: entries of a log, `start` to `end`. */
export interface HistorySegment {
  readonly subtask: ObservedSubtask;
  readonly log: HistoryLog;
  readonly start: number;
  readonly end: number;
}

/** Entries that one log may hold; beyond that nothing is recorded any more. */
const LOG_ENTRIES_LIMIT = 8_000_000;

/**
 * Keeps the history of every keyed operator subtask: attempts, what they did, where they took snapshots and
 * which checkpoint they went on from. The entries come from the rewritten user functions, the rest from
 * trace points.
 */
export class HistoryRecorder {
  readonly subtasks: readonly ObservedSubtask[];
  /** False once a log became too long. */
  isComplete = true;
  readonly #firstDerivedId: number;
  /** By vertex, then subtask of its task: those in its chain, in chain order. */
  readonly #byVertex: ReadonlyMap<number, readonly (readonly ObservedSubtask[])[]>;
  /** By subject of the task. */
  readonly #bySubject: (readonly ObservedSubtask[] | undefined)[] = [];

  constructor(kernel: SimKernel, graph: StreamGraph, firstDerivedId: number) {
    const subtasks: ObservedSubtask[] = [];
    const byVertex = new Map<number, readonly (readonly ObservedSubtask[])[]>();
    for (const vertex of buildJobGraph(graph).vertices) {
      const keyed = vertex.chain.filter(isKeyed);
      if (keyed.length === 0) continue;
      const own: ObservedSubtask[][] = [];
      for (let subtask = 0; subtask < vertex.parallelism; subtask++) own.push([]);
      for (const node of keyed) {
        own.forEach((ofTask, subtask) => {
          const one = { node, subtask, producer: subtasks.length, logs: [], marks: [], settled: null };
          ofTask.push(one);
          subtasks.push(one);
        });
      }
      own.forEach((ofTask, subtask) => {
        this.#bySubject[kernel.intern(`${vertex.name}[${subtask}]`)] = ofTask;
      });
      byVertex.set(vertex.id, own);
    }
    this.subtasks = subtasks;
    this.#byVertex = byVertex;
    this.#firstDerivedId = firstDerivedId;
    this.#listen(kernel);
  }

  /** The logs of the keyed operators in a new attempt of a task, by node. */
  begin(process: Process, { vertex, subtask, attempt }: ExecutionId): ReadonlyMap<NodeId, HistoryLog> {
    const logs = new Map<NodeId, HistoryLog>();
    for (const observed of this.#byVertex.get(vertex)?.[subtask] ?? []) {
      const log = new HistoryLog(process, attempt, this.#firstDerivedId + observed.producer, this.subtasks.length);
      observed.logs = observed.logs.filter((one) => one.process.alive && one.process !== process);
      observed.logs.push(log);
      logs.set(observed.node.id, log);
    }
    return logs;
  }

  /**
   * A checkpoint completed: the history up to its marks is certain from now on. Text where a subtask's
   * history does not lead there.
   */
  settle(checkpointId: CheckpointId, attempt: number): readonly HistorySegment[] | string {
    const segments: HistorySegment[] = [];
    for (const subtask of this.subtasks) {
      const { settled } = subtask;
      const name = `${subtask.node.name}[${subtask.subtask}]`;
      const mark = subtask.marks.find((one) => one.checkpointId === checkpointId && one.log.attempt === attempt);
      if (mark === undefined) return `checkpoint ${checkpointId} completed, but ${name} took no snapshot for it`;
      const continues = settled !== null && settled.log === mark.log;
      const from = settled === null ? -1 : settled.checkpointId;
      if (!continues && mark.log.restoredFrom !== from) {
        const [at, latest] = [mark.log.restoredFrom, from].map((id) => (id < 0 ? "the beginning" : `checkpoint ${id}`));
        return `${name}: attempt ${attempt} went on from ${at}, not from ${latest}, the latest completed`;
      }
      segments.push({ subtask, log: mark.log, start: continues ? settled.end : 0, end: mark.end });
      subtask.settled = mark;
    }
    return segments;
  }

  /** Lets go of what nobody will ask for again. */
  forget(checkpointId: CheckpointId): void {
    for (const subtask of this.subtasks) {
      subtask.marks = subtask.marks.filter((mark) => mark.checkpointId >= checkpointId);
      if (subtask.settled !== null) subtask.settled.log.drop(subtask.settled.end);
      if (subtask.logs.some((log) => log.end - log.first > LOG_ENTRIES_LIMIT)) this.isComplete = false;
    }
  }

  #listen(kernel: SimKernel): void {
    kernel.on(TRACE.watermarkAdvanced, (process, subject, watermarkMs) => {
      for (const { log } of this.#logsOf(process, subject)) log.watermark(watermarkMs);
    });
    kernel.on(TRACE.snapshotTaken, (process, subject, checkpointId) => {
      for (const { subtask, log } of this.#logsOf(process, subject)) {
        subtask.marks.push({ log, checkpointId, end: log.end, emitted: log.emitted });
      }
    });
    kernel.on(TRACE.taskRestored, (process, subject, _attempt, checkpointId) => {
      for (const { subtask, log } of this.#logsOf(process, subject)) {
        log.restoredFrom = checkpointId;
        for (const mark of subtask.marks) if (mark.checkpointId === checkpointId) log.emitted = mark.emitted;
      }
    });
  }

  /** The keyed operators of a task, each with the log of its latest attempt in a process. */
  #logsOf(process: Process | null, subject: number): { readonly subtask: ObservedSubtask; readonly log: HistoryLog }[] {
    const found: { readonly subtask: ObservedSubtask; readonly log: HistoryLog }[] = [];
    for (const subtask of this.#bySubject[subject] ?? []) {
      const log = logOf(subtask, process);
      if (log !== null) found.push({ subtask, log });
    }
    return found;
  }
}

function logOf({ logs }: ObservedSubtask, process: Process | null): HistoryLog | null {
  for (let i = logs.length - 1; i >= 0; i--) if ((logs[i] as HistoryLog).process === process) return logs[i] as HistoryLog;
  return null;
}
