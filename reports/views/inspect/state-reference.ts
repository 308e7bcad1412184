import { MIN_WATERMARK } from "../../../engine/base/units.ts";
import type { TimestampMs } from "../../../engine/base/units.ts";
import { isKeyed, runsProcessFunction } from "../../../engine/graph/keyed-node.ts";
import type { StreamNode } from "../../../engine/graph/stream-graph.ts";
import type { KeyedBackend } from "../../../engine/state/keyed-backend.ts";
import type { Key } from "../../../engine/state/state.ts";
import { keyGroupOf } from "../../../engine/stream/key-groups.ts";
import { carriesIds, DataObservation } from "../../../simulator/oracles/data-oracles-observation.ts";
import type { CompletedCut } from "../../../simulator/oracles/provenance-cut.ts";
import type { ExpectedState, ProcessShadow } from "../../../simulator/oracles/reference-state-prefix.ts";
import { PrefixState } from "../../../simulator/oracles/reference-state-prefix.ts";
import { sameValue } from "../../../simulator/reference/structural-equality.ts";
import type { World } from "../../../simulator/world/world.ts";
import type { StateChange } from "./diff-state.ts";
import { diffState } from "./diff-state.ts";
import type { LiveCut } from "./live-cut.ts";
import { liveCut } from "./live-cut.ts";
import type { LiveTask } from "./live-tasks.ts";
import { operatorIn } from "./live-tasks.ts";
import type { StateEntry } from "./state-entry.ts";
import { appliedEntry, identityOf, keyedEntry } from "./state-entry.ts";

/** What can be said of the state of an operator by what it must be. */
export interface ReferenceComparison {
  /** Null: nothing can be said. Else where the comparison was made: now, or in the files of that checkpoint. */
  readonly at: "now" | { readonly checkpointId: number } | null;
  /** In words: what was compared with what, or why nothing was. */
  readonly said: readonly string[];
  /** "-": it must be there. "+": it must not. "~": it is another one than it must be (`before`). */
  readonly changes: readonly StateChange[];
}

const REFERENCE = "the sequential reference over the records that the sources gave by now, without those that lie in channels before the operator";

/**
 * Compares the keyed state of an operator with the reference: as it is now, where the tasks stand so that it can be
 * told what they have processed; else as the latest completed checkpoint has it.
 *
 * Nothing can be said of operators behind windows and process functions before the end of the input, because what
 * reaches them depends on when timers fire; nor of the values that a process function keeps (of these, how many
 * records of each key were applied, and which); nor of jobs whose result depends on how inputs meet.
 */
export function compareWithReference(world: World, node: StreamNode): ReferenceComparison {
  const refusal = whyNotJudged(world, node);
  if (refusal !== null) return { at: null, said: [refusal], changes: [] };
  const observation = DataObservation.of(world);
  const cut = liveCut(world, node.uid, observation);
  if (typeof cut !== "string") {
    const now = compareNow(world, node, cut, observation);
    if (now !== null) return now;
  }
  const why = typeof cut === "string" ? [`not as it is now: ${cut}`] : [];
  return compareCheckpoint(world, node, observation, why);
}

function whyNotJudged(world: World, node: StreamNode): string | null {
  const { scenario } = world.options;
  if (!isKeyed(node)) return "the operator keeps no keyed state, and the reference knows no other";
  if (!carriesIds(world)) return "the records of this run carry no ids (it was made without oracles), so nobody can tell what was applied";
  if (!scenario.confluent) return "the result of this job depends on how its inputs meet: there is no one state that is right";
  if (scenario.upgrade !== undefined && world.upgrades === 0) return "the reference is that of the job's next version, after its upgrade";
  return null;
}

function prefixOf({ options: { scenario, options } }: World, observation: DataObservation): PrefixState {
  return new PrefixState(scenario.job(options), observation.ids, options.mode, true);
}

/* ---- as it is now ---- */

function compareNow(world: World, node: StreamNode, cut: LiveCut, observation: DataObservation): ReferenceComparison | null {
  const prefix = prefixOf(world, observation);
  const wrong = prefix.advance(cut);
  const { maxParallelism } = cut.graph.config;
  const backends = cut.tasks.map((live) => ({ live, keyed: operatorIn(live, node.uid)?.keyed as KeyedBackend }));
  const watermarkOf = (key: Key): TimestampMs => {
    const keyGroup = keyGroupOf(key, maxParallelism);
    return backends.find(({ keyed: { range } }) => keyGroup >= range.start && keyGroup <= range.end)?.keyed.watermarkMs ?? MIN_WATERMARK;
  };
  const expected = prefix.expected(node, watermarkOf, cut.inFlight);
  if (expected === null || runsProcessFunction(node)) {
    const end = compareEnd(world, node, cut, observation);
    if (end !== null || expected === null) return end;
  }
  const actual = backends.flatMap(({ live, keyed }) => liveEntries(world, node, live, keyed, expected.knowsValues));
  const said = [`as it is now, with ${REFERENCE}`, ...caveats(world, node, expected)];
  const isExact = world.options.options.mode !== "at-least-once";
  if (wrong !== null && isExact) said.push(`! what lies in the channels is not what was sent: ${wrong}`);
  const about = backends.flatMap(({ keyed }) => dueTimers(keyed));
  const changes = differences(world, node, expected, actual).filter(({ mark, now }) => mark !== "+" || now === null || !about.includes(cellOf(now)));
  return { at: "now", said, changes };
}

/** Cells that a timer which is due will still see, and may clear. */
function dueTimers(keyed: KeyedBackend): readonly string[] {
  const due = keyed.inspectTimers().eventTime.filter(({ timestampMs }) => timestampMs <= keyed.watermarkMs);
  return due.map(({ key, namespace }) => identityOf({ part: "keyed", subtask: 0, state: "", key, namespace, at: null, value: null, applied: null }));
}

function cellOf(entry: StateEntry): string {
  return identityOf({ ...entry, part: "keyed", state: "" });
}

function liveEntries(world: World, node: StreamNode, { task, process }: LiveTask, keyed: KeyedBackend, withValues: boolean): readonly StateEntry[] {
  const entries = keyed.entries(world.quietFilesOf(process.host)).map((entry) => keyedEntry(node, entry, task.id.subtask, true));
  return runsProcessFunction(node) && !withValues ? entries.filter(({ part }) => part === "applied") : entries;
}

/* ---- at the end of the input ---- */

/** What the reference cannot foretell on the way it knows at the end: then what is left is what the interpreter is left with. */
function compareEnd(world: World, node: StreamNode, { offsets, inFlight, tasks }: LiveCut, observation: DataObservation): ReferenceComparison | null {
  if (world.options.options.mode === "at-least-once") return null;
  const isRead = observation.ids.sources.every(({ uid, lengths }) => lengths.every((length, partition) => offsets.get(uid)?.[partition] === length));
  const isWorkedOff = [...inFlight.values()].every((records) => records.length === 0);
  if (!isRead || !isWorkedOff || !tasks.every(({ task }) => task.watermarks.inputEnded && !task.watermarks.isPending)) return null;
  const state = observation.interpretation().state.get(node.uid) ?? new Map();
  const expected = [...state.values()].flat().map((entry): StateEntry => ({ part: "keyed", subtask: -1, at: null, applied: null, ...entry }));
  const backends = tasks.map((live) => operatorIn(live, node.uid)?.keyed as KeyedBackend);
  // Those of processing time fire, or not, whenever the end comes.
  if (backends.some((keyed) => keyed.inspectTimers().processingTime.length > 0)) return null;
  const actual = tasks.flatMap((live, at) => liveEntries(world, node, live, backends[at] as KeyedBackend, true));
  const changes = diffState(expected, actual.filter(({ part }) => part === "keyed"), (one, other) => sameValue(one.value, other.value));
  return { at: "now", said: ["as it is now, at the end of the input, with what the sequential reference is left with"], changes };
}

/* ---- as a checkpoint has it ---- */

function compareCheckpoint(world: World, node: StreamNode, observation: DataObservation, why: readonly string[]): ReferenceComparison {
  const cut: CompletedCut | null = observation.latest;
  if (cut === null) return { at: null, said: [...why, "no checkpoint has completed that could be compared"], changes: [] };
  const prefix = prefixOf(world, observation);
  const wrong = prefix.advance(cut);
  const sections = cut.sections(node.uid);
  const watermarkOf = (key: Key): TimestampMs => {
    for (const { firstKeyGroup, watermarks, maxParallelism } of sections) {
      const watermarkMs = watermarks[keyGroupOf(key, maxParallelism) - firstKeyGroup];
      if (watermarkMs !== undefined) return watermarkMs;
    }
    return MIN_WATERMARK;
  };
  const expected = prefix.expected(node, watermarkOf, cut.inFlight);
  if (expected === null) {
    const reason = "what reaches the operator comes from windows or process functions, and depends on when their timers fire: the reference knows it at the end of the input only";
    return { at: null, said: [...why, reason], changes: [] };
  }
  const actual = sections.flatMap(({ entries }, subtask) => entries.map((entry) => keyedEntry(node, entry, subtask, true)));
  const said = [...why, `as checkpoint ${cut.checkpointId}, the latest completed one, has it, with the sequential reference at its offsets`, ...caveats(world, node, expected)];
  if (wrong !== null && world.options.options.mode !== "at-least-once") said.push(`! what it keeps as in flight is not what was: ${wrong}`);
  const compared = runsProcessFunction(node) ? actual.filter(({ part }) => part === "applied") : actual;
  return { at: { checkpointId: cut.checkpointId }, said, changes: differences(world, node, expected, compared) };
}

/* ---- what both have in common ---- */

function caveats(world: World, node: StreamNode, { knowsValues }: ExpectedState): readonly string[] {
  const said: string[] = [];
  if (runsProcessFunction(node)) said.push("of a process function: how many records of each key were applied, and which; not what it made of them");
  else if (!knowsValues) said.push("how many records were applied, and which; the values depend on the order in which records met before the operator");
  if (world.options.options.mode === "at-least-once") said.push("at least once: more than the reference has is all right");
  return said;
}

function differences(world: World, node: StreamNode, { entries, knowsValues }: ExpectedState, actual: readonly StateEntry[]): readonly StateChange[] {
  const expected = entries.map((entry) => (runsProcessFunction(node) ? appliedEntry(entry.value as ProcessShadow, -1) : keyedEntry(node, entry, -1, true)));
  if (world.options.options.mode === "at-least-once") {
    const isEnough = (wanted: StateEntry, got: StateEntry): boolean => (got.applied?.count ?? 0) >= (wanted.applied?.count ?? 0);
    return diffState(expected, actual, isEnough).filter(({ mark }) => mark !== "+");
  }
  return diffState(expected, actual, (wanted, got) => {
    if (wanted.applied?.count !== got.applied?.count || wanted.applied?.sum !== got.applied?.sum) return false;
    return !knowsValues || sameValue(wanted.value, got.value);
  });
}
