import { onTerminal } from "./on-terminal.tsx";
import { PickerScreen } from "./picker-screen.tsx";
import type { PickerRequest } from "./picker-state.ts";
import type { PickerStore } from "./picker-store.ts";
import type { Terminal } from "./terminal.ts";
import type { Theme } from "./theme.ts";

/** What ends the picker's screen. */
export type PickerEnd = Extract<PickerRequest, { readonly type: "open" | "tour" | "quit" }>;

/** Shows the picker until somebody opens something or quits; all else that is asked for is carried out while it is shown. */
export async function openPicker(terminal: Terminal, theme: Theme, store: PickerStore, carryOut: (request: Exclude<PickerRequest, PickerEnd>) => void): Promise<PickerEnd | "signal"> {
  store.dispatch({ type: "resize", columns: terminal.columns, rows: terminal.rows });
  return onTerminal<PickerEnd>(terminal, {
    element: <PickerScreen store={store} theme={theme} />,
    resized: (columns, rows) => store.dispatch({ type: "resize", columns, rows }),
    begun: (finish) => {
      store.onRequest = (request) => {
        if (request.type === "quit") finish(request);
        else if (request.type === "open") showThen(store, `opening ${request.target}: its run is made …`, () => finish(request));
        else if (request.type === "tour") showThen(store, "opening the tour: its run is made …", () => finish(request));
        else carryOut(request);
      };
    },
  });
}

/** Making a run holds everything up: what is waited for is on the screen before that. */
function showThen(store: PickerStore, text: string, then: () => void): void {
  store.dispatch({ type: "say", message: { text, tone: "plain" } });
  setTimeout(then, 30);
}
