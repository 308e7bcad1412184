import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, test } from "vitest";
import { widthOf } from "#whitewater/reports/tui/line-cut.js";
import { temporaryDirectory } from "../temporary-directory.ts";
import { evilScenario } from "./evil-scenario.ts";
import { hasTmux, TmuxTerminal, type Started } from "./tmux.ts";

const BROKEN_UI = fileURLToPath(new URL("broken-ui.mjs", import.meta.url));

let terminal: TmuxTerminal | null = null;

function start(changes: Partial<Started> = {}): TmuxTerminal {
  terminal = new TmuxTerminal({ columns: 80, rows: 24, cwd: temporaryDirectory(), ...changes });
  return terminal;
}

afterEach(() => terminal?.end());

/** The step that the first line says. */
function stepOn(screen: readonly string[]): number {
  return Number(/^step ([\d,]+) of/.exec(screen[0] ?? "")?.[1]?.replaceAll(",", ""));
}

async function atStep(open: TmuxTerminal, step: number): Promise<readonly string[]> {
  return open.until(`step ${step}`, (screen) => stepOn(screen) === step);
}

/** The program ended with this code; the terminal has its screen, its cursor and its line editing again. */
async function endedCleanly(open: TmuxTerminal, code: number): Promise<readonly string[]> {
  const screen = await open.untilLine(new RegExp(`^ended with ${code}$`));
  expect(open.isAlternate).toBe(false);
  expect(open.hasCursor).toBe(true);
  open.type("clear; stty -a | grep -oE ' (icanon|echo) '");
  open.keys("Enter");
  await open.until("a terminal that echoes lines", (lines) => ["icanon", "echo"].every((mode) => lines.some((line) => line.trim() === mode)));
  return screen;
}

describe.skipIf(!hasTmux)(`the program in a terminal${hasTmux ? "" : " (tmux is not installed: not run)"}`, () => {
  it("opens a run, steps, seeks, and leaves the terminal as it was", async () => {
    const open = start();
    open.ui("word-count@7");
    const first = await open.untilLine(/^step /);
    expect(open.isAlternate).toBe(true);
    expect(open.hasCursor).toBe(false);
    expect(first).toHaveLength(24);
    expect(first[23]).toBe("");
    const end = stepOn(first);
    open.type("10h");
    await atStep(open, end - 10);
    // Ctrl-F1, for which Ink has no name, does nothing.
    open.keys("C-F1", "Right");
    await atStep(open, end - 9);
    open.type(":612");
    await open.untilLine(/^:612_$/);
    open.keys("Enter");
    await atStep(open, 612);
    open.type(":nowhere");
    open.keys("Enter");
    await open.untilLine(/^! the place "nowhere": is none/);
    open.keys("y");
    await open.untilLine(/^copied/);
    open.type("q");
    const after = (await endedCleanly(open, 0)).join("");
    expect(after).toMatch(/npx whitewater replay ww1:word-count\/[^ ]+@7#[0-9a-f]{8} --at 612/);
  });

  it("changes panels, zooms, exports, and shows its keys, in any size", async () => {
    const directory = temporaryDirectory();
    const open = start({ cwd: directory });
    open.ui("word-count@7", "--at", "612");
    const small = await open.untilLine(/^━ \[1 Graph\] /);
    expect(small.some((line) => line.startsWith("[1 Graph] 2 Inspector  3 Checkpoints"))).toBe(true);
    open.keys("5");
    await open.untilLine(/^━ \[5 Events\] ━/);
    open.keys("x");
    await open.untilLine(/^written: \.whitewater/);
    expect(readdirSync(join(directory, ".whitewater", "views"))).toEqual([expect.stringMatching(/-612-events.*\.json$/), expect.stringMatching(/-612-events.*\.txt$/)]);
    open.resize(120, 40);
    const medium = await open.until("three panels", (screen) => screen.length === 40 && ["1 Graph", "2 Inspector", "[5 Events]"].every((title) => screen.join("\n").includes(title)));
    expect(medium[39]).toBe("");
    expect(medium.slice(0, 39).every((line) => widthOf(line) <= 120)).toBe(true);
    open.resize(200, 60);
    await open.until("five panels", (screen) => ["1 Graph", "2 Inspector", "3 Checkpoints", "4 Faults", "[5 Events]"].every((title) => screen.join("\n").includes(title)));
    open.keys("z");
    await open.until("one panel", (screen) => !screen.join("\n").includes("─ 1 Graph"));
    open.keys("?");
    await open.untilLine(/one step on/);
    open.resize(30, 8);
    await open.untilLine(/^too small/);
    open.resize(80, 24);
    await open.untilLine(/one step on/);
    open.keys("Escape");
    await open.untilLine(/^━ \[5 Events\] ━/);
    open.keys("C-c");
    await endedCleanly(open, 0);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("gives the terminal back on %s", async (signal) => {
    const cwd = temporaryDirectory();
    const open = start({ cwd });
    open.uiWithPid("word-count@7");
    await open.untilLine(/^step /);
    process.kill(Number(readFileSync(join(cwd, "pid"), "utf8")), signal);
    await endedCleanly(open, 130);
  });

  test.each(["view", "timer"])("gives the terminal back when a %s throws, and says what it was behind that", async (how) => {
    const open = start();
    open.node(BROKEN_UI, how);
    await open.untilLine(/^step 4 /);
    open.keys("Right");
    await open.untilLine(new RegExp(`^failed with broken ${how}$`));
    await endedCleanly(open, 70);
  });

  it("lets no name send control sequences, and cuts wide characters by their width", async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, "evil.mjs"), evilScenario());
    const open = start({ cwd });
    open.recordTo(join(cwd, "bytes"));
    open.ui("./evil.mjs@3", "--at", "end");
    await open.untilLine(/^step /);
    open.keys("5");
    open.type("/evil");
    open.keys("Enter");
    await open.untilLine(/漢字/);
    for (const columns of [80, 79, 78, 77, 120, 121]) {
      open.resize(columns, 30);
      const screen = await open.until(`${columns} columns`, ([head]) => head?.startsWith("step ") === true);
      expect(screen.every((line) => widthOf(line) <= columns)).toBe(true);
      expect(screen.at(-1)).toBe("");
    }
    for (const panel of ["1", "2", "3", "4", "6"]) {
      open.keys(panel);
      await open.untilLine(new RegExp(`\\[${panel} `));
    }
    open.keys("q");
    await endedCleanly(open, 0);
    expect(open.title).not.toContain("owned");
    const bytes = readFileSync(join(cwd, "bytes"), "utf8");
    expect(bytes).toContain("漢字");
    expect(bytes).not.toMatch(/\u001b\]0;|\u0007|\u009b|\u202e|\u200b|\u001b\[7;7H/);
  });

  it("does without Unicode and colours where the locale or somebody says so", async () => {
    const open = start({ env: { LC_CTYPE: "C" } });
    open.ui("word-count@7", "--no-color");
    const screen = await open.untilLine(/^= \[1 Graph\] /);
    expect(screen.join("")).toMatch(/^[ -~]*$/);
    expect(open.paintedScreen()).not.toMatch(/\u001b\[[0-9;]*3[0-7]m/);
    open.type("q");
    await endedCleanly(open, 0);
  });

  test.each([
    ["garbage.json", "{", /^whitewater: record garbage.json: is not JSON/],
    ["foreign.json", '{"format":"something else"}', /^whitewater: record foreign.json: is no run record/],
    ["missing.json", null, /^whitewater: record missing.json: cannot be read/],
  ])("says what is wrong with %s, and does not touch the terminal", async (name, content, message) => {
    const cwd = temporaryDirectory();
    if (content !== null) writeFileSync(join(cwd, name), content);
    const open = start({ cwd });
    open.recordTo(join(cwd, "bytes"));
    open.ui(name);
    await open.untilLine(message);
    await endedCleanly(open, 2);
    expect(readFileSync(join(cwd, "bytes"), "utf8")).not.toContain("\u001b[?1049h");
  });
});
