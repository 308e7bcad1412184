import type { TimestampMs } from "../../../engine/base/units.ts";
import { NO_CHECKPOINT } from "../../../engine/base/units.ts";
import type { StreamNode } from "../../../engine/graph/stream-graph.ts";
import { transactionOrigin } from "../../../engine/connectors/sink-transaction.ts";
import type { ChainedOperator } from "../../../engine/operators/operator-chain.ts";
import { SinkOperator } from "../../../engine/operators/sink-operator.ts";
import { PartitionedSourceOperator } from "../../../engine/operators/source-operator.ts";
import type { TaskLifeState } from "../../../engine/runtime/task.ts";
import { carriesIds } from "../../../simulator/oracles/data-oracles-observation.ts";
import { readOperatorSection } from "../../../simulator/reference/operator-section-reader.ts";
import type { World } from "../../../simulator/world/world.ts";
import { counted } from "../../text/format.ts";
import type { LiveTask } from "./live-tasks.ts";
import { currentTasksOf, isOver, liveTasks, operatorIn } from "./live-tasks.ts";
import type { StateEntry } from "./state-entry.ts";
import { broadcastEntry, keyedEntry, listEntry, sourceEntry, timerEntry, transactionEntry } from "./state-entry.ts";

/** One operator of one task, at one moment. Holds on to values, and to nothing of the World. */
export interface SubtaskState {
  readonly subtask: number;
  readonly process: string;
  readonly incarnation: number;
  readonly attempt: number;
  readonly phase: TaskLifeState;
  /** A task of a later attempt is there, or the job has fewer subtasks: this one does not know yet that it is over. */
  readonly isReplaced: boolean;
  readonly restoredFrom: number | null;
  /** Of the operator where it keeps one, else of the task. */
  readonly watermarkMs: TimestampMs;
  /** Timers that a watermark is due for are still to fire. */
  readonly isDelivering: boolean;
  readonly inputEnded: boolean;
  /** Empty for a task that is over, and for one that is not restored yet. */
  readonly entries: readonly StateEntry[];
}

/** One operator in all of its subtasks. */
export interface OperatorState {
  readonly node: StreamNode;
  readonly vertexName: string;
  /** As many subtasks as it should have now. */
  readonly parallelism: number;
  /** In order of subtask and attempt. */
  readonly subtasks: readonly SubtaskState[];
}

/** `subtask`: that one alone; null: all. Changes nothing. */
export function operatorState(world: World, node: StreamNode, vertexName: string, parallelism: number, subtask: number | null): OperatorState {
  const all = liveTasks(world);
  const current = new Set(currentTasksOf(all, node.uid, parallelism));
  const found = all.filter((live) => {
    if (operatorIn(live, node.uid) === null || (subtask !== null && live.task.id.subtask !== subtask)) return false;
    return current.has(live) || !isOver(live.task);
  });
  const subtasks = found.map((live) => subtaskState(world, live, node.uid, !current.has(live)));
  subtasks.sort((left, right) => left.subtask - right.subtask || left.attempt - right.attempt);
  return { node, vertexName, parallelism, subtasks };
}

/** What counts: not what replaced tasks still hold. */
export function currentEntries({ subtasks }: OperatorState): readonly StateEntry[] {
  return subtasks.flatMap(({ isReplaced, entries }) => (isReplaced ? [] : entries));
}

function subtaskState(world: World, live: LiveTask, uid: string, isReplaced: boolean): SubtaskState {
  const { task, process } = live;
  const operator = operatorIn(live, uid) as ChainedOperator;
  const holdsState = !isOver(task) && task.state !== "restoring";
  return {
    subtask: task.id.subtask,
    process: process.name,
    incarnation: process.incarnation,
    attempt: task.id.attempt,
    phase: task.state,
    isReplaced,
    restoredFrom: task.restoredFrom,
    watermarkMs: isOver(task) ? task.watermarks.watermarkMs : (operator.keyed?.watermarkMs ?? task.watermarks.watermarkMs),
    isDelivering: task.watermarks.isPending,
    inputEnded: task.watermarks.inputEnded,
    entries: holdsState ? entriesOf(world, live, operator) : [],
  };
}

function entriesOf(world: World, { task, process }: LiveTask, { node, operator, keyed, lists }: ChainedOperator): readonly StateEntry[] {
  const { subtask } = task.id;
  const withIds = carriesIds(world);
  const entries: StateEntry[] = [];
  if (operator instanceof PartitionedSourceOperator) {
    for (const { partition, offset } of operator.inspectOffsets()) entries.push(sourceEntry(partition, offset, subtask));
  }
  if (operator instanceof SinkOperator) entries.push(...transactionsOf(world, operator, node.uid, subtask));
  if (keyed !== null) {
    for (const entry of keyed.entries(world.quietFilesOf(process.host))) entries.push(keyedEntry(node, entry, subtask, withIds));
    const { eventTime, processingTime } = keyed.inspectTimers();
    for (const timer of eventTime) entries.push(timerEntry("event-timer", timer, subtask));
    for (const timer of processingTime) entries.push(timerEntry("processing-timer", timer, subtask));
  }
  entries.push(...listsOf(lists.bytes(), subtask));
  return entries;
}

/** What its writer has not committed; and what else the log has undecided of its producer: left by earlier attempts. */
function transactionsOf(world: World, operator: SinkOperator, uid: string, subtask: number): readonly StateEntry[] {
  const logged = new Map(world.log.inspect().transactions.map((one) => [one.transactionId, one]));
  const entries = operator.inspectTransactions().map(({ transactionId, closedBy, state, waitingRecords }) => {
    const inLog = logged.get(transactionId);
    logged.delete(transactionId);
    const texts = [state, inLog === undefined ? "nothing in the log yet" : `${counted(inLog.records, "record")} in the log, ${inLog.status} there`, originText(transactionId)];
    if (closedBy !== null) texts.push(`closed by checkpoint ${closedBy}`);
    if (waitingRecords > 0) texts.push(`${counted(waitingRecords, "record")} not handed over yet`);
    return transactionEntry(transactionId, texts.filter((text) => text !== "").join(", "), subtask);
  });
  for (const { transactionId, producerId, status, records } of logged.values()) {
    if (!producerId.endsWith(`/${uid}-${subtask}`) || (status !== "open" && status !== "prepared")) continue;
    const texts = ["of another attempt", `${counted(records, "record")} in the log, ${status} there`, originText(transactionId)];
    entries.push(transactionEntry(transactionId, texts.filter((text) => text !== "").join(", "), subtask));
  }
  return entries;
}

/** "begun behind checkpoint 3"; empty where the id does not say. */
export function originText(transactionId: string): string {
  const origin = transactionOrigin(transactionId);
  if (origin === null) return "";
  return `begun behind ${origin.behind === NO_CHECKPOINT ? "no checkpoint" : `checkpoint ${origin.behind}`}`;
}

function listsOf(section: Uint8Array, subtask: number): readonly StateEntry[] {
  const entries: StateEntry[] = [];
  for (const { name, mode, elements } of readOperatorSection(section).values()) {
    elements.forEach((element, at) => {
      if (mode !== "broadcast") entries.push(listEntry(mode === "union" ? "union-list" : "split-list", name, at, element, subtask));
      else entries.push(broadcastEntry(name, (element as readonly unknown[])[0], (element as readonly unknown[])[1], subtask));
    });
  }
  return entries;
}
