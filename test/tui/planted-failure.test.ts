import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { temporaryDirectory } from "../temporary-directory.ts";
import { hasTmux, TmuxTerminal } from "./tmux.ts";

const RECORD = fileURLToPath(new URL("../../scenarios/tour/tour.json", import.meta.url));
const record = readRecord(RECORD, "scenarios/tour/tour.json");
const FOUND = record.findings[0]?.step;
const STEPS = record.counts.steps;

let terminal: TmuxTerminal | null = null;
afterEach(() => terminal?.end());

/** Waits until the first line says that step, and gives the screen. */
async function atStep(open: TmuxTerminal, step: number): Promise<readonly string[]> {
  return open.until(`step ${step}`, (screen) => (screen[0] ?? "").startsWith(`step ${step} of ${STEPS} `));
}

/** Drawn anew: the status is in the last line but one, and nothing in the last one. */
function isWhole(screen: readonly string[], rows: number): boolean {
  return screen.length === rows && screen.at(-1) === "" && screen.at(-2) !== "";
}

/** Waits until there is a line for each of these: a screen may be caught half drawn. */
async function showing(open: TmuxTerminal, ...patterns: readonly RegExp[]): Promise<readonly string[]> {
  return open.until(patterns.join(", "), (screen) => patterns.every((pattern) => screen.some((line) => pattern.test(line))));
}

function fills(screen: readonly string[], columns: number, rows: number): void {
  expect(screen).toHaveLength(rows);
  expect(screen.at(-1)).toBe("");
  for (const line of screen) expect(line.length).toBeLessThanOrEqual(columns);
}

describe.skipIf(!hasTmux)(`a planted failure in a terminal${hasTmux ? "" : " (tmux is not installed: not run)"}`, () => {
  it("is opened, found, traced back to its cause, seen in other sizes, filtered, and left with a clean terminal", async () => {
    const cwd = temporaryDirectory();
    copyFileSync(RECORD, join(cwd, "failure.json"));
    terminal = new TmuxTerminal({ columns: 80, rows: 24, cwd });
    terminal.ui("failure.json", "--at", "start");
    fills(await atStep(terminal, 0), 80, 24);

    terminal.type("v");
    await atStep(terminal, FOUND ?? -1);
    terminal.type("6");
    await showing(terminal, /\[6 Verdict\]/, /exactly-once output/);

    // What is nearest behind the violation is the restore; the fault before it is the cause.
    terminal.type("F");
    const crash = await terminal.until("the crash", ([first = ""]) => first.includes("t=2.000s"));
    const there = /^step \d+ of \d+ /.exec(crash[0] ?? "")?.[0] ?? "no step";
    terminal.type("4");
    await showing(terminal, /\[4 Faults\]/, /process crash worker-2/);

    // The same job without it: a branch, which ends well, and the way back.
    terminal.type("j");
    terminal.type("t");
    await showing(terminal, /^step .* ok {2}/, /crash +switched off/);
    terminal.type("G6");
    await showing(terminal, /^step (\d+) of \1 .* ok {2}/, /\[6 Verdict\] +ok /, /^~ verdict +violation +ok$/);
    terminal.type("b");
    await terminal.until("the original again", ([first = ""]) => first.startsWith(there) && first.includes("! violation"));

    for (const [columns, rows] of [[120, 40], [200, 60], [80, 24]] as const) {
      terminal.resize(columns, rows);
      fills(await terminal.until(`${rows} rows`, (screen) => isWhole(screen, rows) && (screen[0] ?? "").startsWith(there)), columns, rows);
    }

    terminal.type("5&taskRestored");
    terminal.keys("Enter");
    const filtered = await showing(terminal, /^━ \[5 Events\] +8 with taskRestored/, /^only events with "taskRestored"/);
    const events = filtered.filter((line) => / worker-\d /.test(line));
    expect(events).toHaveLength(8);
    for (const event of events) expect(event).toContain("has its state from");

    terminal.type("q");
    await terminal.untilLine(/^ended with 0$/);
    expect([terminal.isAlternate, terminal.hasCursor]).toEqual([false, true]);
    terminal.type("stty -a | grep -oE ' (icanon|echo) '");
    terminal.keys("Enter");
    await terminal.untilLine(/^ echo ?$/);
  });
});
