import type { Tone } from "../views/line.ts";
import type { PanelName } from "./panel-name.ts";
import { byPanel } from "./panel-name.ts";
import type { PromptKind } from "./ui-action.ts";

/** Steps a second that a run can play with. */
export const SPEEDS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const FIRST_SPEED = 3;

export interface Message {
  readonly text: string;
  readonly tone: Tone;
}

export interface Prompt {
  readonly kind: PromptKind;
  readonly text: string;
}

/** Everything that the screen depends on, but the run. */
export interface UiState {
  readonly columns: number;
  readonly rows: number;
  /** The step that is looked at. */
  readonly step: number;
  /** Digits typed so far, as a number; null: none. */
  readonly count: number | null;
  /** A letter is to come: which mark. */
  readonly awaiting: "mark" | "jump" | "compare" | null;
  readonly focus: PanelName;
  /** All of them, the last one that was looked at first: who gets a place where there are less places than panels. */
  readonly recent: readonly PanelName[];
  readonly zoomed: boolean;
  /** The help covers everything. */
  readonly help: boolean;
  readonly helpScroll: number;
  /** Lines that a panel is moved down by, from where it would stand by itself. */
  readonly scroll: Readonly<Record<PanelName, number>>;
  /** Columns that a panel is moved to the right by. */
  readonly shift: Readonly<Record<PanelName, number>>;
  /** What is chosen in a panel: the id of one of its choices. */
  readonly chosen: Readonly<Record<PanelName, string | null>>;
  /** What is opened in a panel, to be seen in detail: the id of one of its choices. */
  readonly opened: Readonly<Record<PanelName, string | null>>;
  /** Ids of what is folded in the graph. */
  readonly folded: readonly string[];
  readonly marks: Readonly<Record<string, number>>;
  /** Where a jump went from: the mark '. */
  readonly before: number;
  readonly search: string;
  /** Of events. */
  readonly filter: string;
  /** Of entries in the inspector: a part of their key. */
  readonly entryFilter: string;
  /** What state is compared with: a place, or "reference"; null: the step before. */
  readonly against: string | null;
  readonly prompt: Prompt | null;
  readonly playing: boolean;
  /** Index into SPEEDS. */
  readonly speed: number;
  /** The stop of the guided tour that is talked about, from 0; null: no tour. */
  readonly tour: number | null;
  readonly message: Message | null;
}

/** The state, with this panel to look at. */
export function focusOn(state: UiState, panel: PanelName): UiState {
  return { ...state, focus: panel, help: false, recent: [panel, ...state.recent.filter((name) => name !== panel)] };
}

/** The subtask, JobManager or host that is selected: by its name in trace points. Null: none. */
export function selectedSubject({ opened, chosen }: UiState): string | null {
  const inspected = opened.inspector === null ? null : /^(?:(?:state|host):)?(.*)$/s.exec(opened.inspector)?.[1];
  return inspected ?? chosen.graph;
}

export function firstState(step: number, size: { readonly columns: number; readonly rows: number }): UiState {
  return {
    columns: size.columns,
    rows: size.rows,
    step,
    count: null,
    awaiting: null,
    focus: "graph",
    recent: ["graph", "events", "inspector", "checkpoints", "faults", "verdict"],
    zoomed: false,
    help: false,
    helpScroll: 0,
    scroll: byPanel(0),
    shift: byPanel(0),
    chosen: byPanel(null),
    opened: byPanel(null),
    folded: [],
    marks: {},
    before: step,
    search: "",
    filter: "",
    entryFilter: "",
    against: null,
    prompt: null,
    playing: false,
    speed: FIRST_SPEED,
    tour: null,
    message: null,
  };
}
