import type { PanelName } from "./panel-name.ts";
import { PANELS } from "./panel-name.ts";

/** Below this there is no room for anything. */
export const LEAST_COLUMNS = 40;
export const LEAST_ROWS = 10;

/** A panel's place: its title and what is below. */
export interface Slot {
  readonly panel: PanelName;
  readonly width: number;
  /** Lines, with the title. */
  readonly height: number;
}

/** Panels above each other, as wide as each other. */
export type Stack = readonly Slot[];

/** Stacks beside each other, with one column between two. */
export interface Shelf {
  readonly height: number;
  readonly stacks: readonly Stack[];
}

export interface Layout {
  /** Panels are shown one at a time, and a line says which there are. */
  readonly tabs: boolean;
  readonly shelves: readonly Shelf[];
}

export interface LayoutWish {
  readonly columns: number;
  /** Lines for panels and tabs. */
  readonly lines: number;
  readonly focus: PanelName;
  readonly zoomed: boolean;
  /** Panels as they were looked at, the last one first. */
  readonly recent: readonly PanelName[];
}

const LISTS: readonly PanelName[] = ["events", "checkpoints", "faults", "verdict"];

/** Where panels stand. What it takes together is at most `columns` x `lines`. */
export function layoutOf(wish: LayoutWish): Layout {
  const { columns, lines, zoomed } = wish;
  if (zoomed || columns < 110 || lines < 24) return zoomed || lines < 34 ? single(wish) : tall(wish);
  return columns < 160 || lines < 40 ? medium(wish) : large(wish);
}

/** The one that is looked at. */
function single({ columns, lines, focus }: LayoutWish): Layout {
  const height = lines - 1;
  return { tabs: true, shelves: [{ height, stacks: [[{ panel: focus, width: columns, height }]] }] };
}

/** One, and the events below it. */
function tall(wish: LayoutWish): Layout {
  const { columns, lines } = wish;
  const main = mostRecent(wish, PANELS.filter((panel) => panel !== "events"));
  const below = Math.floor((lines - 1) * 0.4);
  const stack: Stack = [
    { panel: main, width: columns, height: lines - 1 - below },
    { panel: "events", width: columns, height: below },
  ];
  return { tabs: true, shelves: [{ height: lines - 1, stacks: [stack] }] };
}

/** Of the width, for the graph: the one that is looked at gets more. */
const GRAPH_SHARE: Readonly<Partial<Record<PanelName, number>>> = { graph: 0.6, inspector: 0.4 };

/** Graph and inspector beside each other, a list below them. */
function medium(wish: LayoutWish): Layout {
  const { columns, lines, focus } = wish;
  const below = Math.floor(lines * 0.42);
  const list: Slot = { panel: mostRecent(wish, LISTS), width: columns, height: below };
  return {
    tabs: false,
    shelves: [upper(columns, lines - below, GRAPH_SHARE[focus] ?? 0.5), { height: below, stacks: [[list]] }],
  };
}

/** Graph and inspector; below them the events, and two more lists above each other. */
function large(wish: LayoutWish): Layout {
  const { columns, lines } = wish;
  const below = Math.floor(lines * 0.45);
  const left = Math.floor((columns - 1) * 0.5);
  const right = columns - 1 - left;
  const upperHalf = Math.floor(below / 2);
  const lower = mostRecent(wish, ["faults", "verdict"]);
  const lists: Stack = [
    { panel: "checkpoints", width: right, height: upperHalf },
    { panel: lower, width: right, height: below - upperHalf },
  ];
  return {
    tabs: false,
    shelves: [upper(columns, lines - below, 0.5), { height: below, stacks: [[{ panel: "events", width: left, height: below }], lists] }],
  };
}

function upper(columns: number, height: number, share: number): Shelf {
  const left = Math.floor((columns - 1) * share);
  const graph: Slot = { panel: "graph", width: left, height };
  return { height, stacks: [[graph], [{ panel: "inspector", width: columns - 1 - left, height }]] };
}

function mostRecent({ focus, recent }: LayoutWish, candidates: readonly PanelName[]): PanelName {
  return [focus, ...recent].find((panel) => candidates.includes(panel)) ?? (candidates[0] as PanelName);
}

export function slotsOf({ shelves }: Layout): readonly Slot[] {
  return shelves.flatMap(({ stacks }) => stacks.flat());
}

/** The first line of a list of `length` that is shown in `height` lines, so that `anchor` is in sight; `scroll` lines further down. */
export function topLine(length: number, height: number, anchor: number | null, scroll: number): number {
  const furthest = Math.max(0, length - height);
  return Math.max(0, Math.min(furthest, anchoredTop(length, height, anchor) + scroll));
}

/** How far a list can be scrolled from where its anchor holds it: [least, most]. */
export function scrollRange(length: number, height: number, anchor: number | null): readonly [number, number] {
  const top = anchoredTop(length, height, anchor);
  return [-top, Math.max(0, length - height) - top];
}

function anchoredTop(length: number, height: number, anchor: number | null): number {
  if (anchor === null || anchor < height - 2) return 0;
  return Math.max(0, Math.min(length - height, anchor - Math.floor(height / 3)));
}
