import type { Line } from "../views/line.ts";
import type { Choice } from "./run-context.ts";

/** A line of a panel that can be chosen. */
export interface ChoiceLine extends Choice {
  /** Its number in `lines`. */
  readonly line: number;
}

/** What is in a panel: more than it may have room for. */
export interface PanelView {
  readonly lines: readonly Line[];
  /** The line that is to be in sight where nothing is chosen. */
  readonly anchor: number | null;
  readonly choices: readonly ChoiceLine[];
  /** A word or two for the panel's title. */
  readonly note: string;
  /** What of it is written to a file, and the name that `replay --show` has for it; null: not to be had there. */
  readonly facts: unknown;
  readonly shown: string | null;
}

export function plainView(lines: readonly Line[]): PanelView {
  return { lines, anchor: null, choices: [], note: "", facts: null, shown: null };
}

/** The line that is chosen, or else the one to have in sight. */
export function lineInSight({ choices, anchor }: PanelView, chosen: string | null): number | null {
  return choices.find(({ id }) => id === chosen)?.line ?? anchor;
}
