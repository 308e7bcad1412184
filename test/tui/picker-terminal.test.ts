import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../temporary-directory.ts";
import { hasTmux, TmuxTerminal } from "./tmux.ts";

const RECORD = fileURLToPath(new URL("../../scenarios/tour/tour.json", import.meta.url));

let terminal: TmuxTerminal | null = null;
afterEach(() => terminal?.end());

function start(cwd: string, columns = 80, rows = 24): TmuxTerminal {
  terminal = new TmuxTerminal({ columns, rows, cwd });
  return terminal;
}

async function endsCleanly(open: TmuxTerminal, code: number): Promise<void> {
  await open.untilLine(new RegExp(`^ended with ${code}$`));
  expect(open.isAlternate).toBe(false);
  expect(open.hasCursor).toBe(true);
}

function hasNo(pattern: RegExp): (screen: readonly string[]) => boolean {
  return (screen) => !screen.some((line) => pattern.test(line));
}

describe.skipIf(!hasTmux)(`the picker in a terminal${hasTmux ? "" : " (tmux is not installed: not run)"}`, () => {
  it("filters, opens a scenario at a seed, comes back, and leaves the terminal as it was", async () => {
    const open = start(temporaryDirectory());
    open.ui();
    const first = await open.untilLine(/^\? keys {2}q quit {2}j k choose/);
    expect(first).toContain("Scenarios");
    expect(first.join("\n")).toContain("none yet: a sweep that finds something leaves them there; T is the tour");
    expect(first[23]).toBe("");
    open.type("/hot-");
    await open.until("only what has hot- in it", hasNo(/founding/));
    open.keys("Enter");
    await open.untilLine(/^> hot-key /);
    open.keys("Enter");
    await open.untilLine(/^open hot-key at seed: 1_/);
    open.keys("BSpace");
    open.type("2");
    open.keys("Enter");
    await open.untilLine(/^step [\d,]+ of .*hot-key/);
    open.type("q");
    await open.untilLine(/^> hot-key /);
    expect(open.isAlternate).toBe(true);
    open.type("T");
    await open.untilLine(/^Tour 1\/8/);
    open.type("q");
    await open.untilLine(/^> hot-key /);
    open.type("q");
    await endsCleanly(open, 0);
  });

  it("shows the records of a directory, sound and broken, and opens one", async () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, "runs"));
    copyFileSync(RECORD, join(cwd, "runs", "tour.json"));
    writeFileSync(join(cwd, "runs", "evil.json"), '{"format":"whitewater-record\u001b[2J"}');
    const open = start(cwd, 120, 40);
    open.ui("runs");
    const screen = await open.untilLine(/^\? keys {2}q quit {2}j k choose/);
    expect(screen[0]).toContain("2 records in runs");
    expect(screen.some((line) => /! runs\/evil\.json {2}is not JSON/.test(line))).toBe(true);
    open.type("/exactly-once output");
    open.keys("Enter");
    await open.untilLine(/^> tour +seed 1 {2}violation {2}exactly-once output {2}1 fault {2}runs\/tour\.json/);
    open.keys("Enter");
    await open.untilLine(/^step [\d,]+ of [\d,]+ .*! violation/);
    open.type("q");
    await open.untilLine(/^> tour /);
    open.keys("C-c");
    await endsCleanly(open, 0);
  });

  it("sweeps a few seeds in threads of its own while keys are answered, and cancels", async () => {
    const open = start(temporaryDirectory(), 100, 30);
    open.ui();
    await open.untilLine(/^Whitewater {2}choose a run/);
    open.type("/founding-checkpointing");
    open.keys("Enter");
    open.type("s");
    await open.untilLine(/^sweep founding-checkpointing, seeds: 1-100_/);
    open.keys("C-u");
    open.type("1-4");
    open.keys("Enter");
    const done = await open.until("a sweep that is complete", (lines) => {
      return lines.some((line) => /^Sweep {2}founding-checkpointing, seeds 1-4 {2}complete/.test(line)) && lines.some((line) => line.startsWith("sometimes"));
    });
    expect(done.some((line) => /\] {2}4 of 4 runs/.test(line))).toBe(true);
    expect(done.join("\n")).toMatch(/violations +0/);
    expect(done.join("\n")).toMatch(/sometimes +\d+ of \d+ declared paths reached/);
    open.type("q");
    await open.untilLine(/^> founding-checkpointing/);
    open.type("s");
    open.keys("C-u");
    open.type("1-900000");
    open.keys("Enter");
    await open.untilLine(/^Sweep {2}founding-checkpointing, seeds 1-900000 {2}running/);
    open.keys("Escape");
    await open.untilLine(/^sweeping: \d+ of 900000 runs/);
    open.type("wc");
    await open.untilLine(/^Sweep {2}founding-checkpointing, seeds 1-900000 {2}cancelled/);
    open.keys("C-c");
    await endsCleanly(open, 0);
  });

  it("quits while it sweeps: its threads end, and the terminal is left clean", async () => {
    const open = start(temporaryDirectory());
    open.ui();
    await open.untilLine(/^Whitewater {2}choose a run/);
    open.type("S");
    open.keys("Enter");
    await open.untilLine(/^Sweep {2}\d+ scenarios, seeds 1-100 {2}running/);
    open.resize(120, 40);
    const larger = await open.until("40 rows", (screen) => screen.length === 40 && /^\? keys {2}j k choose {2}enter open {2}c cancel/.test(screen[38] ?? ""));
    expect(larger[39]).toBe("");
    open.keys("C-c");
    await open.untilLine(/^whitewater: the sweep ends with the runs that are in hand/);
    await endsCleanly(open, 0);
  });
});
