#!/usr/bin/env node
import { EXIT } from "./exit-codes.ts";
import type { Host, Sink } from "./host.ts";
import { freshPairs } from "../sweep/purity.ts";
import { runCommandLine } from "./program.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** The real process. A second signal ends it at once. */
const host: Host = {
  cwd: process.cwd(),
  env: process.env,
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  get terminal() {
    const { stdin, stdout } = process;
    return stdin.isTTY && stdout.isTTY ? { stdin, stdout } : null;
  },
  async simulate(backend) {
    const { keptSimulators } = await import("../sweep/kept-simulators.ts");
    const { loadStateLibraries } = await import("../../scenarios/load-state-libraries.ts");
    return keptSimulators(await loadStateLibraries(backend));
  },
  async libraries() {
    const { loadStateLibraries } = await import("../../scenarios/load-state-libraries.ts");
    return loadStateLibraries();
  },
  freshPairs,
  onInterrupt(callback) {
    let asked = false;
    const onSignal = (): void => {
      if (asked) process.exit(EXIT.interrupted);
      asked = true;
      callback();
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    return () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    };
  },
};

function sinkOf(stream: NodeJS.WriteStream): Sink {
  // Whoever reads may stop early (`| head`): nobody is left to write for.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? EXIT.ok);
    throw error;
  });
  return {
    isTerminal: stream.isTTY === true,
    write: (text) => {
      stream.write(text);
    },
  };
}

process.exitCode = await runCommandLine(process.argv.slice(2), host);
