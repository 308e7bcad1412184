import type { Choices } from "./choices.ts";
import type { PanelName } from "./panel-name.ts";
import type { TourStep } from "./tour-stops.ts";
import type { Landmark } from "./ui-action.ts";
import type { UiState } from "./ui-state.ts";

/** How far a panel can be scrolled from where it stands by itself, and the lines of a page of it. */
export interface Scrolling {
  readonly least: number;
  readonly most: number;
  readonly page: number;
}

/** What the reducer asks about the run that is looked at. Answers depend on the arguments alone. */
export interface RunContext {
  /** The last step. */
  readonly steps: number;
  /** The nearest step behind (1) or before (-1) `from` with one of these; null: there is none. */
  neighbour(what: Landmark, from: number, direction: 1 | -1, state: UiState): number | null;
  /** The step that a place names ("612", "t 1.7s", "ckpt 4", "violation"). Throws UsageError. */
  place(text: string): number;
  /** Throws UsageError for a text that is no filter of events. */
  checkFilter(text: string): void;
  choices(panel: PanelName, state: UiState): Choices;
  scrolling(what: PanelName | "help", state: UiState): Scrolling;
  /** Where the guided tour stops; null: none goes through this run. */
  readonly tour: readonly TourStep[] | null;
}
