import { render } from "ink";
import type { ReactNode } from "react";
import { inkInput } from "./ink-input.ts";
import { InkOutput } from "./ink-output.ts";
import type { Terminal } from "./terminal.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A screen that is shown until it ends. */
export interface ScreenSession<End> {
  readonly element: ReactNode;
  readonly resized: (columns: number, rows: number) => void;
  /** Begins; `finish` ends it. */
  readonly begun: (finish: (end: End) => void) => void;
}

/** Shows a screen until it finishes, or a signal comes. The terminal is given back before this returns or throws. */
export async function onTerminal<End>(terminal: Terminal, { element, resized, begun }: ScreenSession<End>): Promise<End | "signal"> {
  const output = new InkOutput(terminal);
  terminal.enter();
  let stop: () => void = () => undefined;
  try {
    return await new Promise<End | "signal">((resolve, reject) => {
      const ink = render(element, {
        // Ink asks for a stream; it writes to it, and looks at its size.
        stdout: output as unknown as NodeJS.WriteStream,
        stdin: inkInput(terminal.stdin),
        debug: true,
        exitOnCtrlC: false,
        patchConsole: false,
      });
      const offSignals = onEnd(() => resolve("signal"), reject);
      const offResize = terminal.onResize(() => {
        output.resized();
        resized(terminal.columns, terminal.rows);
      });
      stop = () => {
        offSignals();
        offResize();
        ink.unmount();
      };
      begun(resolve);
      ink.waitUntilExit().then(() => resolve("signal"), reject);
    });
  } finally {
    terminal.leave();
    stop();
  }
}

/** Signals, and errors that nobody caught: whatever ends a process from outside or inside. */
function onEnd(onSignal: () => void, onError: (error: unknown) => void): () => void {
  const offSignals = onSignals(onSignal);
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
  return () => {
    offSignals();
    process.off("uncaughtException", onError);
    process.off("unhandledRejection", onError);
  };
}

/** Calls back at each of the signals that ask a program to end; returns how to stop listening. */
export function onSignals(onSignal: () => void): () => void {
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
