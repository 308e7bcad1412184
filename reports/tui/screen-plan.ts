import type { Line } from "../views/line.ts";
import type { Layout } from "./layout.ts";
import { layoutOf } from "./layout.ts";
import { statusLines } from "./status-line.ts";
import type { UiState } from "./ui-state.ts";

/** What of the lines of a screen is for what. */
export interface ScreenPlan {
  /** Whether there is room for anything. */
  readonly fits: boolean;
  readonly layout: Layout;
  /** Lines for panels, and for what says which there are. */
  readonly lines: number;
  readonly banner: boolean;
  readonly status: readonly Line[];
  /** What the guided tour says, where there is room for it. */
  readonly guide: readonly Line[];
}

/** What the plan depends on, beside the state. */
export interface PlannedRun {
  readonly banner: string | null;
  timeline(state: UiState): readonly Line[];
  guide(state: UiState): readonly Line[];
}

const HEAD = 1;
/** With fewer there is no panel. */
const LEAST_LINES = 4;

/** The last row of the terminal stays empty: whatever writes there may scroll. */
export function screenPlan(state: UiState, run: PlannedRun): ScreenPlan {
  const { columns, rows, focus, zoomed, recent } = state;
  const banner = run.banner !== null;
  const timeline = run.timeline(state).length;
  const below = rows - 1 - HEAD - timeline - (banner ? 1 : 0);
  const status = statusLines(state, Math.max(1, below - LEAST_LINES));
  const room = below - status.length;
  const wanted = state.help ? [] : run.guide(state);
  const guide = room - wanted.length >= LEAST_LINES ? wanted : [];
  const lines = room - guide.length;
  return { fits: lines >= LEAST_LINES && columns >= 40, layout: layoutOf({ columns, lines, focus, zoomed, recent }), lines, banner, status, guide };
}
