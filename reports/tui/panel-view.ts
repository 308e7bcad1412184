import type { Line } from "../views/line.ts";
import { NO_CHOICES, chosenOf, type Choices } from "./choices.ts";

/** What is in a panel: more than it may have room for. */
export interface PanelView {
  /** Of all its lines. */
  readonly length: number;
  /** Some of them: from one to before another. */
  lines(from: number, to: number): readonly Line[];
  /** The line that is to be in sight where nothing is chosen. */
  readonly anchor: number | null;
  readonly choices: Choices;
  /** A word or two for the panel's title. */
  readonly note: string;
  /** What `replay --show` calls it; null: it is not to be had there. */
  readonly shown: string | null;
}

/** Lines that are known, with whatever else there is to say of them. */
export function panelOf(lines: readonly Line[], more: Partial<Omit<PanelView, "length" | "lines">> = {}): PanelView {
  return { length: lines.length, lines: (from, to) => lines.slice(from, to), anchor: null, choices: NO_CHOICES, note: "", shown: null, ...more };
}

/** The line that is chosen, or else the one to have in sight. */
export function lineInSight({ choices, anchor }: PanelView, chosen: string | null): number | null {
  return chosenOf(choices, chosen)?.line ?? anchor;
}
