import { UsageError } from "../files/usage-error.ts";
import type { Journey } from "../travel/journey.ts";
import { parsePlace } from "../travel/place.ts";
import { seconds } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import { line, span, type Line } from "../views/line.ts";
import { helpLength } from "./help-lines.ts";
import type { Choices } from "./choices.ts";
import { neighbourOf } from "./landmarks.ts";
import { scrollRange, slotsOf } from "./layout.ts";
import type { PanelName } from "./panel-name.ts";
import { lineInSight, panelOf, type PanelView } from "./panel-view.ts";
import { panelKey, viewOfPanel } from "./panel-views.ts";
import { matchesOfFilter } from "./panels/events-panel.ts";
import type { RunContext, Scrolling } from "./run-context.ts";
import { screenPlan } from "./screen-plan.ts";
import { timelineOf } from "./timeline.ts";
import { tourLines } from "./tour-lines.ts";
import type { TourStep } from "./tour-stops.ts";
import type { Landmark } from "./ui-action.ts";
import type { UiState } from "./ui-state.ts";

/** Views that are kept, so that the last steps are there at once. */
const KEPT_VIEWS = 400;

/** Panels that show what a World has; the others show what is on the tape, which is the run. */
const OF_THE_WORLD: readonly PanelName[] = ["graph", "inspector", "checkpoints"];
/** A deviation is noticed at most so many steps after it came about. */
const NOTICED_LATER = 64;

export interface ExploredRun {
  readonly journey: Journey;
  /** Why the run is not the one that was asked for, or null. */
  readonly stale: string | null;
  /** What makes it another run than the one that it came from; null: it is no branch. */
  readonly branch: string | null;
  /** The arguments of the command that makes this run again; null: none does. */
  readonly reproduce: readonly string[] | null;
  /** Where the guided tour stops in it; absent: it does not come through. */
  readonly tour?: readonly TourStep[] | null;
}

/** One run as the screen sees it: what its panels show, by the state of the screen. */
export class Explorer implements RunContext {
  readonly journey: Journey;
  readonly branch: string | null;
  readonly reproduce: readonly string[] | null;
  readonly stale: string | null;
  readonly tour: readonly TourStep[] | null;
  #isDeviating = false;
  readonly #views = new Map<string, PanelView>();

  constructor({ journey, stale, branch, reproduce, tour = null }: ExploredRun) {
    this.journey = journey;
    this.branch = branch;
    this.reproduce = reproduce;
    this.stale = stale;
    this.tour = tour;
  }

  get steps(): number {
    return this.journey.tape.steps;
  }

  /** What is to be known before anything on the screen is believed; null: nothing. */
  get banner(): string | null {
    const { deviation } = this.journey.machine;
    if (deviation !== null) {
      const since = `since step ${Math.max(0, deviation.step - NOTICED_LATER)} at the earliest`;
      return `NOT DETERMINISTIC: taken again, the run is another one (${since}; digest ${deviation.actual}, was ${deviation.expected})`;
    }
    return this.stale === null ? null : `STALE: ${visible(this.stale)}`;
  }

  panel(name: PanelName, state: UiState): PanelView {
    const key = `${name} ${panelKey(name, state)}`;
    const known = this.#views.get(key);
    if (known !== undefined) {
      // The last ones to be looked at are the last ones to go.
      this.#views.delete(key);
      this.#views.set(key, known);
      return known;
    }
    const view = this.#look(name, state);
    this.#views.set(key, view);
    for (const oldest of this.#views.keys()) {
      if (this.#views.size <= KEPT_VIEWS) break;
      this.#views.delete(oldest);
    }
    return view;
  }

  /** Nothing, rather than something wrong, where a World that was taken again is another one. */
  #look(name: PanelName, state: UiState): PanelView {
    let view: PanelView;
    try {
      view = viewOfPanel(name, this.journey, state);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      view = panelOf([line(span(`! ${visible(error.message)}`, "warn"))]);
    }
    const { deviation } = this.journey.machine;
    if (deviation === null || !OF_THE_WORLD.includes(name)) return view;
    if (!this.#isDeviating) this.#views.clear();
    this.#isDeviating = true;
    return state.step < deviation.step - NOTICED_LATER ? view : panelOf([line(span("! from here on the run is another one when it is taken again: it cannot be shown", "bad"))]);
  }

  timeline(state: UiState): readonly Line[] {
    return timelineOf(this.journey, state.step, state.columns);
  }

  /** What the guided tour says. */
  guide(state: UiState): readonly Line[] {
    return tourLines(this.tour, state);
  }

  neighbour(what: Landmark, from: number, direction: 1 | -1, state: UiState): number | null {
    return neighbourOf(this.journey, what, from, direction, state);
  }

  place(text: string): number {
    return parsePlace(text, this.journey.tape);
  }

  checkFilter(text: string): void {
    matchesOfFilter(this.journey, text);
  }

  choices(panel: PanelName, state: UiState): Choices {
    return this.panel(panel, state).choices;
  }

  scrolling(panel: PanelName | "help", state: UiState): Scrolling {
    const plan = screenPlan(state, this);
    if (panel === "help") return { least: 0, most: Math.max(0, helpLength(state, plan.lines) - plan.lines + 1), page: Math.max(1, plan.lines - 2) };
    const slot = slotsOf(plan.layout).find((one) => one.panel === panel);
    const height = (slot?.height ?? state.rows) - 1;
    const view = this.panel(panel, state);
    const [least, most] = scrollRange(view.length, height, lineInSight(view, state.chosen[panel]));
    return { least, most, page: Math.max(1, height - 1) };
  }

  /** "t=1.700s". */
  timeText(step: number): string {
    return `t=${seconds(this.journey.tape.timeUsOf(step))}`;
  }
}
