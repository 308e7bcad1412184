import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { NO_LIBRARIES, type StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import type { Host } from "#whitewater/reports/cli/host.js";
import { runCommandLine } from "#whitewater/reports/cli/program.js";
import type { FreshPairs } from "#whitewater/reports/sweep/purity.js";
import type { Simulate } from "#whitewater/reports/sweep/run-seed.js";
import { fakeSimulate } from "../fake-simulator.js";
import { temporaryDirectory } from "../../temporary-directory.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly simulate?: Simulate;
  readonly libraries?: () => StateLibraries;
  readonly freshPairs?: FreshPairs;
  readonly terminal?: boolean;
  readonly env?: Record<string, string>;
  /** Gets the callback that interrupts the command. */
  readonly onInterruptible?: (interrupt: () => void) => void;
}

/** A directory with the scenario file "fake.mjs", which only a fake simulator runs. */
export function fakeProject(changes = ""): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "fake.mjs"), scenarioFile(changes));
  return directory;
}

export function scenarioFile(changes = ""): string {
  return `export const scenario = {
    name: "fake", title: "Fake", doc: "", job: () => null, workload: () => [], outputs: [],
    cluster: { jobManagers: 1, workers: 2, slotsPerWorker: 2, processRestartUs: 1, hostRestartUs: 1 },
    budget: { most: {}, jobMayFail: false }, parallelisms: [1, 2], confluent: true, sometimes: ["crash during restore"],
    ${changes}
  };\n`;
}

/** Runs a command line in this process, over a fake simulator. */
export async function whitewater(cwd: string, args: readonly string[], around: Surroundings = {}): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  const isTerminal = around.terminal ?? false;
  const host: Host = {
    cwd,
    env: around.env ?? {},
    stdout: { isTerminal, write: (text) => void (stdout += text) },
    stderr: { isTerminal, write: (text) => void (stderr += text) },
    terminal: null,
    simulate: async () => around.simulate ?? fakeSimulate(),
    libraries: async () => around.libraries?.() ?? NO_LIBRARIES,
    freshPairs: around.freshPairs ?? (async (sources) => sources.map(() => ({ first: "a", again: "a" }))),
    onInterrupt: (callback) => {
      around.onInterruptible?.(callback);
      return () => undefined;
    },
  };
  const code = await runCommandLine(args, host);
  return { code, stdout, stderr };
}
