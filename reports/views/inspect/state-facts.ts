import type { StreamNode } from "../../../engine/graph/stream-graph.ts";
import type { TaskLifeState } from "../../../engine/runtime/task.ts";
import { watermarkText } from "../event-time-text.ts";
import type { ChannelPart, ChannelState } from "./channel-contents.ts";
import type { ChangeMark, StateChange } from "./diff-state.ts";
import { entryOf } from "./diff-state.ts";
import type { OperatorState, SubtaskState } from "./operator-state.ts";
import { shownRecord } from "./record-text.ts";
import type { StateEntry, StatePart } from "./state-entry.ts";
import { compareEntries, entryText, keyText } from "./state-entry.ts";
import type { StateFrame } from "./state-frames.ts";
import { channelsKey } from "./task-channels.ts";
import type { ListWindow, Windowed } from "./window.ts";
import { windowOf } from "./window.ts";

/** Beyond so many entries they come as the backend has them: sorting would take longer than a blink. */
const SORTED_ENTRIES = 20_000;
/** Elements of one channel that are shown. */
const CHANNEL_ELEMENTS = 12;

export interface ShownEntry {
  readonly mark: ChangeMark | " ";
  readonly part: StatePart;
  readonly state: string;
  readonly key: string;
  readonly value: string;
}

export interface ShownChange {
  readonly mark: ChangeMark;
  readonly part: StatePart;
  readonly subtask: number;
  readonly state: string;
  readonly key: string;
  /** Null: it was not there (must not be there). */
  readonly before: string | null;
  readonly now: string | null;
}

export interface ShownElement {
  readonly part: ChannelPart;
  readonly kind: "record" | "event";
  readonly isBarrier: boolean;
  readonly id: number | null;
  readonly text: string;
}

export interface ShownChannel {
  readonly edge: string;
  readonly from: string;
  readonly to: string;
  readonly isBlocked: boolean | null;
  readonly credit: number | null;
  readonly isBroken: boolean;
  readonly records: number;
  readonly barriers: number;
  readonly elements: Windowed<ShownElement>;
}

export interface SubtaskFacts {
  readonly name: string;
  readonly subtask: number;
  readonly process: string;
  readonly incarnation: number;
  readonly attempt: number;
  readonly phase: TaskLifeState;
  readonly isReplaced: boolean;
  readonly restoredFrom: number | null;
  readonly watermarkMs: number;
  readonly watermark: string;
  /** At the step that is compared with; null: as now, or nothing is compared. */
  readonly watermarkBefore: string | null;
  readonly isDelivering: boolean;
  readonly inputEnded: boolean;
  readonly entries: Windowed<ShownEntry>;
  readonly inputs: readonly ShownChannel[];
  readonly outputs: readonly ShownChannel[];
}

/** What the state is compared with, and what came of it. */
export interface ComparedFacts {
  readonly with: "step" | "reference";
  /** Null: with the reference. */
  readonly step: number | null;
  /** Of the reference: what was compared, or why nothing was. */
  readonly said: readonly string[];
  /** False where nothing can be said: no differences then mean nothing. */
  readonly isKnown: boolean;
  readonly changes: Windowed<ShownChange>;
}

export interface OperatorFacts {
  readonly uid: string;
  readonly name: string;
  readonly kind: StreamNode["kind"];
  readonly vertex: string;
  readonly parallelism: number;
  /** Subtasks that no living process has a task of. */
  readonly missing: readonly number[];
  readonly compared: ComparedFacts | null;
  readonly subtasks: readonly SubtaskFacts[];
}

/** A comparison before it is bounded. */
export interface Compared {
  readonly with: "step" | "reference";
  readonly step: number | null;
  readonly said: readonly string[];
  readonly isKnown: boolean;
  readonly changes: readonly StateChange[];
  readonly before: OperatorState | null;
}

/** `state`: one of those in the frame. */
export function operatorFacts(frame: StateFrame, state: OperatorState, compared: Compared | null, window: ListWindow): OperatorFacts {
  const { place } = frame;
  const { node, vertexName, parallelism, subtasks } = state;
  const marks = new Map<StateEntry, ChangeMark>();
  for (const { mark, now } of compared?.changes ?? []) if (now !== null) marks.set(now, mark);
  const here = new Set(subtasks.map(({ subtask }) => subtask));
  const wanted = place.subtask === null ? Array.from({ length: parallelism }, (_, subtask) => subtask) : [place.subtask];
  return {
    uid: node.uid,
    name: node.name,
    kind: node.kind,
    vertex: vertexName,
    parallelism,
    missing: wanted.filter((subtask) => !here.has(subtask)),
    compared: compared === null ? null : comparedFacts(node, compared, window),
    subtasks: subtasks.map((subtask) => subtaskFacts(frame, node, subtask, compared?.before ?? null, marks, window)),
  };
}

function comparedFacts(node: StreamNode, { with: what, step, said, isKnown, changes }: Compared, window: ListWindow): ComparedFacts {
  const shown = windowOf(changes, window, (change) => keyText(node, entryOf(change)), (change): ShownChange => {
    const { part, subtask, state } = entryOf(change);
    const { mark, before, now } = change;
    return {
      mark,
      part,
      subtask,
      state,
      key: keyText(node, entryOf(change)),
      before: before === null ? null : entryText(before),
      now: now === null ? null : entryText(now),
    };
  });
  return { with: what, step, said, isKnown, changes: shown };
}

function subtaskFacts(
  { channels, carriesIds }: StateFrame,
  node: StreamNode,
  state: SubtaskState,
  before: OperatorState | null,
  marks: ReadonlyMap<StateEntry, ChangeMark>,
  window: ListWindow,
): SubtaskFacts {
  const { entries: _, ...rest } = state;
  const own = channels.get(channelsKey(node.uid, state));
  const shown = (channel: ChannelState): ShownChannel => shownChannel(channel, carriesIds);
  const earlier = before?.subtasks.find(({ subtask, attempt }) => subtask === state.subtask && attempt === state.attempt);
  return {
    name: `${node.name}[${state.subtask}]`,
    ...rest,
    watermark: watermarkText(state.watermarkMs),
    watermarkBefore: earlier === undefined || earlier.watermarkMs === state.watermarkMs ? null : watermarkText(earlier.watermarkMs),
    entries: windowOf(ordered(state.entries), window, (entry) => keyText(node, entry), (entry) => shownEntry(node, entry, marks)),
    inputs: (own?.inputs ?? []).map(shown),
    outputs: (own?.outputs ?? []).map(shown),
  };
}

function ordered(entries: readonly StateEntry[]): readonly StateEntry[] {
  return entries.length > SORTED_ENTRIES ? entries : entries.toSorted(compareEntries);
}

function shownEntry(node: StreamNode, entry: StateEntry, marks: ReadonlyMap<StateEntry, ChangeMark>): ShownEntry {
  const { part, state } = entry;
  return { mark: marks.get(entry) ?? " ", part, state, key: keyText(node, entry), value: entryText(entry) };
}

function shownChannel({ elements, ...rest }: ChannelState, withIds: boolean): ShownChannel {
  const window = { offset: 0, limit: CHANNEL_ELEMENTS, filter: "" };
  return {
    ...rest,
    records: elements.filter(({ kind }) => kind === "record").length,
    barriers: elements.filter((one) => one.kind === "event" && one.isBarrier).length,
    elements: windowOf(elements, window, () => "", (element): ShownElement => {
      if (element.kind === "event") return { part: element.part, kind: "event", isBarrier: element.isBarrier, id: null, text: element.text };
      const { id, value } = shownRecord(element.record, withIds);
      return { part: element.part, kind: "record", isBarrier: false, id, text: value };
    }),
  };
}
