import type { Layout } from "./layout.ts";
import { layoutOf } from "./layout.ts";
import type { UiState } from "./ui-state.ts";

/** What of the lines of a screen is for what. */
export interface ScreenPlan {
  /** Whether there is room for anything. */
  readonly fits: boolean;
  readonly layout: Layout;
  /** Lines for panels, and for what says which there are. */
  readonly lines: number;
  readonly banner: boolean;
}

const HEAD = 1;
const STATUS = 1;

/** The last row of the terminal stays empty: whatever writes there may scroll. */
export function screenPlan(state: UiState, run: { readonly banner: string | null; timeline(state: UiState): readonly unknown[] }): ScreenPlan {
  const { columns, rows, focus, zoomed, recent } = state;
  const banner = run.banner !== null;
  const timeline = run.timeline(state).length;
  const lines = rows - 1 - HEAD - STATUS - timeline - (banner ? 1 : 0);
  return { fits: lines >= 4 && columns >= 40, layout: layoutOf({ columns, lines, focus, zoomed, recent }), lines, banner };
}
