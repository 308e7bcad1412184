import { afterEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../temporary-directory.ts";
import { hasTmux, TmuxTerminal, type Started } from "./tmux.ts";

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

async function quitCleanly(open: TmuxTerminal, code: number): Promise<void> {
  await open.untilLine(new RegExp(`^ended with ${code}$`));
  expect(open.isAlternate).toBe(false);
  expect(open.hasCursor).toBe(true);
  open.type("stty -a | grep -oE ' (icanon|echo) '");
  open.keys("Enter");
  await open.untilLine(/^ echo ?$/);
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
    await open.until("ten steps back", (screen) => stepOn(screen) === end - 10);
    open.keys("Right");
    await open.until("one step on", (screen) => stepOn(screen) === end - 9);
    open.type(":612");
    await open.untilLine(/^:612_$/);
    open.keys("Enter");
    await open.until("step 612", (screen) => stepOn(screen) === 612);
    open.type("q");
    await quitCleanly(open, 0);
  });
});
