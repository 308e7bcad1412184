import { render } from "ink";
import type { Explorer } from "./explorer.ts";
import { InkOutput } from "./ink-output.ts";
import { Screen } from "./screen.tsx";
import type { Terminal } from "./terminal.ts";
import type { Theme } from "./theme.ts";
import { atStop } from "./tour-moves.ts";
import { UiClock } from "./ui-clock.ts";
import type { Request } from "./ui-action.ts";
import { firstState } from "./ui-state.ts";
import { UiStore } from "./ui-store.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface UiRun {
  readonly explorer: Explorer;
  /** The step to begin at. */
  readonly step: number;
}

export type UiEnd = "quit" | "signal";

/** Shows a run until somebody quits. The terminal is given back before this returns or throws. */
export async function openUi(terminal: Terminal, theme: Theme, run: UiRun, carryOut: (what: Request, store: UiStore) => void): Promise<UiEnd> {
  const store = new UiStore(atStop(firstState(run.step, terminal), 0, run.explorer), run.explorer);
  const output = new InkOutput(terminal);
  terminal.enter();
  const clock = new UiClock(store);
  let stop: () => void = () => undefined;
  try {
    return await new Promise<UiEnd>((resolve, reject) => {
      const ink = render(<Screen store={store} theme={theme} />, {
        // Ink asks for a stream; it writes to it, and looks at its size.
        stdout: output as unknown as NodeJS.WriteStream,
        stdin: terminal.stdin,
        debug: true,
        exitOnCtrlC: false,
        patchConsole: false,
      });
      const offSignals = onEnd(() => resolve("signal"), reject);
      const offResize = terminal.onResize(() => {
        output.resized();
        store.dispatch({ type: "resize", columns: terminal.columns, rows: terminal.rows });
      });
      stop = () => {
        offSignals();
        offResize();
        ink.unmount();
      };
      store.onRequest = (what) => {
        if (what === "quit") resolve("quit");
        else carryOut(what, store);
      };
      ink.waitUntilExit().then(() => resolve("quit"), reject);
    });
  } finally {
    clock.stop();
    terminal.leave();
    stop();
  }
}

/** Signals, and errors that nobody caught: whatever ends a process from outside or inside. */
function onEnd(onSignal: () => void, onError: (error: unknown) => void): () => void {
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off("uncaughtException", onError);
    process.off("unhandledRejection", onError);
  };
}
