import type { Explorer } from "./explorer.ts";
import { onTerminal } from "./on-terminal.tsx";
import { Screen } from "./screen.tsx";
import type { Terminal } from "./terminal.ts";
import type { Theme } from "./theme.ts";
import { atStop } from "./tour-moves.ts";
import { UiClock } from "./ui-clock.ts";
import type { Request } from "./ui-action.ts";
import { firstState } from "./ui-state.ts";
import { UiStore } from "./ui-store.ts";

export interface UiRun {
  readonly explorer: Explorer;
  /** The step to begin at. */
  readonly step: number;
}

export type UiEnd = "quit" | "signal";

/** Shows a run until somebody quits. The terminal is given back before this returns or throws. */
export async function openUi(terminal: Terminal, theme: Theme, run: UiRun, carryOut: (what: Request, store: UiStore) => void): Promise<UiEnd> {
  const store = new UiStore(atStop(firstState(run.step, terminal), 0, run.explorer), run.explorer);
  const clock = new UiClock(store);
  try {
    return await onTerminal<UiEnd>(terminal, {
      element: <Screen store={store} theme={theme} />,
      resized: (columns, rows) => store.dispatch({ type: "resize", columns, rows }),
      begun: (finish) => {
        store.onRequest = (what) => {
          if (what === "quit") finish("quit");
          else carryOut(what, store);
        };
      },
    });
  } finally {
    clock.stop();
  }
}
