import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { libraryScenarios } from "../catalog/load-scenario.ts";
import { UsageError } from "../files/usage-error.ts";
import { onSignals } from "../tui/on-terminal.tsx";
import { openPicker, type PickerEnd } from "../tui/open-picker.tsx";
import { scenarioEntry, type PickerEntry } from "../tui/picker-entry.ts";
import { recordEntries } from "../tui/picker-files.ts";
import { firstPicker, type PickerRequest } from "../tui/picker-state.ts";
import { PickerStore } from "../tui/picker-store.ts";
import type { Terminal } from "../tui/terminal.ts";
import type { Theme } from "../tui/theme.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import type { RawUiOptions } from "./ui-command.ts";
import { openRun } from "./ui-run.ts";
import { TOUR_RECORD } from "./tour-record.ts";
import { UiSweeps } from "./ui-sweeps.ts";

/** Records that come along: runs that once ended badly. */
const REGRESSIONS = fileURLToPath(new URL("../../../scenarios/regressions", import.meta.url));

/** `whitewater ui` without a run: what can be opened, and sweeps; over the records of `directory`. */
export async function pickRuns(directory: string, raw: RawUiOptions, host: Host, terminal: Terminal, theme: Theme): Promise<ExitCode> {
  const read = (): Promise<readonly PickerEntry[]> => entriesOver(directory, host.cwd);
  const store = new PickerStore(firstPicker(directory, await read(), terminal));
  const out = { directory: resolve(host.cwd, directory), shown: directory };
  const sweeps = new UiSweeps(host.cwd, out, (event) => {
    store.dispatch({ type: "swept", event });
    if (event.type === "ended") void read().then((entries) => store.dispatch({ type: "entries", entries }));
  });
  const copied: string[] = [];
  let signalled = false;
  // A signal may come while a run is made, when no screen listens.
  const offSignals = onSignals(() => (signalled = true));
  terminal.enter();
  try {
    for (;;) {
      const end = await openPicker(terminal, theme, store, (request) => void carryOut(request, store, sweeps, read));
      if (end === "signal" || signalled) return EXIT.interrupted;
      if (end.type === "quit") return EXIT.ok;
      const tour = end.type === "tour";
      const { text, wasSignal } = await opened(tour ? TOUR_RECORD : end.target, { ...raw, tour }, host, terminal, theme, copied);
      if (wasSignal || signalled) return EXIT.interrupted;
      store.dispatch({ type: "entries", entries: await read() });
      if (text !== null) store.dispatch({ type: "say", message: { text, tone: "bad" } });
    }
  } finally {
    terminal.leave();
    // From here on another signal ends the process at once.
    offSignals();
    for (const line of copied) host.stdout.write(`${line}\n`);
    if (sweeps.isUnderWay) host.stderr.write("whitewater: the sweep ends with the runs that are in hand\n");
    await sweeps.end();
  }
}

type Carried = Exclude<PickerRequest, PickerEnd>;

async function carryOut(request: Carried, store: PickerStore, sweeps: UiSweeps, read: () => Promise<readonly PickerEntry[]>): Promise<void> {
  try {
    if (request.type === "cancel") sweeps.cancel();
    else if (request.type === "read-again") store.dispatch({ type: "entries", entries: await read() });
    else {
      await sweeps.start(request.scenario, request.seeds);
      store.dispatch({ type: "show", view: "sweep" });
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    store.dispatch({ type: "say", message: { text: error.message, tone: "bad" } });
  }
}

/** Shows a run until somebody leaves it; `text`: why that could not be. */
async function opened(target: string, raw: RawUiOptions, host: Host, terminal: Terminal, theme: Theme, copied: string[]): Promise<{ readonly text: string | null; readonly wasSignal: boolean }> {
  let said = "";
  // What would go to standard error would go across the screen.
  const quiet: Host = { ...host, stderr: { isTerminal: false, write: (text) => void (said += text) } };
  const { at: _elsewhere, ...options } = raw;
  try {
    const run = await openRun(target, options, quiet, terminal, theme);
    copied.push(...run.copied);
    return { text: run.end === "stale" ? said.replace(/^whitewater: /, "").trim() : null, wasSignal: run.end === "signal" };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { text: error.message, wasSignal: false };
  }
}

async function entriesOver(directory: string, cwd: string): Promise<readonly PickerEntry[]> {
  return [
    ...recordEntries("failures", resolve(cwd, directory), directory),
    ...recordEntries("regressions", REGRESSIONS, REGRESSIONS),
    ...(await libraryScenarios()).map(scenarioEntry),
  ];
}
