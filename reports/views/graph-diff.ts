import type { GraphFacts, InputFacts, SubtaskFacts } from "./graph-facts.ts";

/** What of a job differs from what it was before. */
export interface GraphChanges {
  /** Who leads, or the job's phase. */
  readonly job: boolean;
  /** Names of processes. */
  readonly processes: readonly string[];
  /** Keys of subtasks that are new or differ, their channels apart. */
  readonly subtasks: readonly string[];
  /** Keys of channels that are new or differ, at their receiver, at their sender or between. */
  readonly channels: readonly string[];
  /** Keys of subtasks that are not there any more. */
  readonly gone: readonly string[];
}

export const NOTHING_CHANGED: GraphChanges = { job: false, processes: [], subtasks: [], channels: [], gone: [] };

export function diffGraphs(before: GraphFacts, now: GraphFacts): GraphChanges {
  const subtasksBefore = new Map(subtasksOf(before).map((subtask) => [subtask.key, subtask]));
  const subtasksNow = subtasksOf(now);
  const channelsBefore = new Map(channelsOf(before).map((channel) => [channel.key, channel]));
  const processesBefore = new Map(before.processes.map((process) => [process.name, process]));
  const keys = new Set(subtasksNow.map(({ key }) => key));
  return {
    job: !isSame(before.job, now.job),
    processes: now.processes.filter((process) => !isSame(processesBefore.get(process.name), process)).map(({ name }) => name),
    subtasks: subtasksNow.filter((subtask) => !isSame(ownOf(subtasksBefore.get(subtask.key)), ownOf(subtask))).map(({ key }) => key),
    channels: channelsOf(now)
      .filter((channel) => !isSame(channelsBefore.get(channel.key), channel))
      .map(({ key }) => key),
    gone: [...subtasksBefore.keys()].filter((key) => !keys.has(key)),
  };
}

function subtasksOf({ operators }: GraphFacts): readonly SubtaskFacts[] {
  return operators.flatMap(({ subtasks }) => subtasks);
}

function channelsOf(facts: GraphFacts): readonly InputFacts[] {
  return subtasksOf(facts).flatMap(({ inputs }) => inputs);
}

/** Inputs are compared one by one; what leaves the task, and the credit for it, is its own. */
function ownOf(subtask: SubtaskFacts | undefined): unknown {
  return subtask === undefined ? undefined : { ...subtask, inputs: null };
}

/** Facts are plain data, made in one place: equal ones have the same text. */
function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
