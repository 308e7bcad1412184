import { afterAll, afterEach, describe, expect, it } from "vitest";
import { fileURLToPath } from "node:url";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { journeyOf } from "#whitewater/reports/travel/journey.js";
import { Explorer } from "#whitewater/reports/tui/explorer.js";
import { actionOf } from "#whitewater/reports/tui/keymap.js";
import { keyNames } from "#whitewater/reports/tui/key-names.js";
import { reduce } from "#whitewater/reports/tui/reducer.js";
import { screenPlan } from "#whitewater/reports/tui/screen-plan.js";
import { atStop } from "#whitewater/reports/tui/tour-moves.js";
import { tourSteps } from "#whitewater/reports/tui/tour-stops.js";
import { firstState, type UiState } from "#whitewater/reports/tui/ui-state.js";
import { show } from "#whitewater/reports/views/show.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { temporaryDirectory } from "../temporary-directory.ts";
import { hasTmux, TmuxTerminal } from "./tmux.ts";

const path = fileURLToPath(new URL("../../scenarios/tour/tour.json", import.meta.url));
const { seed, profile, options, plan, maxSteps } = readRecord(path, "scenarios/tour/tour.json");
const journey = journeyOf(new Simulator(tour), { seed, profile, fixed: options, plan, oracles: true, checked: false, restoreEvery: false, maxSteps });
const stops = tourSteps(journey.tape);
const withTour = new Explorer({ journey, stale: null, branch: null, reproduce: null, tour: stops });
const branch = new Explorer({ journey, stale: null, branch: "without the crash", reproduce: null });
afterAll(() => journey.machine.release());

function begun(columns = 80, rows = 24): UiState {
  return atStop(firstState(0, { columns, rows }), 0, withTour);
}

function press(from: UiState, keys: string, run: Explorer = withTour): UiState {
  let state = from;
  for (const key of keys === "escape" ? [keys] : keyNames(keys, {})) {
    const action = actionOf(key, state);
    if (action !== null) state = reduce(state, action, run).state;
  }
  return state;
}

describe("the tour", () => {
  it("begins at its first stop, with what it talks about in sight", () => {
    expect(begun()).toMatchObject({ tour: 0, step: stops[0]?.step, focus: stops[0]?.sight.panel, chosen: { graph: stops[0]?.sight.subject }, opened: { inspector: "state:totals[1]" } });
  });

  it("names only what there is to look into, at each stop", () => {
    for (const { step, title, sight } of stops) {
      expect(show(sight.inspected, journey, step).lines.length, title).toBeGreaterThan(0);
    }
  });

  it("selects a subtask that the graph has, at each stop", () => {
    for (const { sight, step } of stops) {
      const { choices } = withTour.panel("graph", { ...begun(), step });
      expect(choices.indexOf(sight.subject), sight.subject).toBeGreaterThanOrEqual(0);
    }
  });

  it("shows in the graph the barriers and the blocked channel that its texts are about", () => {
    const graph = (stop: number): string => withTour.panel("graph", { ...begun(), step: stops[stop - 1]?.step ?? 0 }).lines(0, 100).map(textOf).join("\n");
    expect(graph(2)).toMatch(/\[0\] running +worker-1 .*ckpt 2 writing/);
    expect(graph(3)).toMatch(/\[1\] running +worker-2 .*ckpt 2 1\/2 barriers\n.*0:q1\(1\) blocked has 2 +1:q2\(1\)\|2@1/);
  });

  it("shows in the inspector what its texts are about", () => {
    const shown = (stop: number): string => show(stops[stop - 1]?.sight.inspected ?? "", journey, stops[stop - 1]?.step ?? 0).lines.map(textOf).join("\n");
    expect(shown(1)).toMatch(/state takings\n +"apple" +8\n +"fig" +9\n~? +"pear" +20\n/);
    expect(shown(2)).toMatch(/next offset 8/);
    expect(shown(2).match(/\|barrier 2\|/g)).toHaveLength(2);
    expect(shown(3)).toMatch(/<- tills\[0\] +1 record, blocked behind its barrier/);
    expect(shown(4)).toMatch(/"apple" +10\n/);
    expect(shown(5)).toMatch(/checkpoint 2 +completed/);
    expect(shown(6)).toMatch(/"apple" +gone 12\n.*"fig" +gone 18\n.*"pear" +gone 30\n/);
    expect(shown(7)).toMatch(/restored from checkpoint 2/);
    expect(shown(8)).toMatch(/visible +\{fruit: "plum", sold: 1, takings: 35\}/);
  });

  it("goes on with n and back with p, and stays where it ends", () => {
    expect(press(begun(), "nn")).toMatchObject({ tour: 2, step: stops[2]?.step });
    expect(press(begun(), "nnp")).toMatchObject({ tour: 1, step: stops[1]?.step });
    expect(press(begun(), "p")).toMatchObject({ tour: 0, message: { text: "this is the first stop of the tour" } });
    expect(press(begun(), "nnnnnnn")).toMatchObject({ tour: 7, message: null });
    expect(press(begun(), "nnnnnnnn")).toMatchObject({ tour: 7, step: stops[7]?.step });
    expect(press(begun(), "nnnnnnnn").message?.text).toContain("the last stop");
  });

  it("lets people look around, and says which step it is about", () => {
    const away = press(begun(), "llll");
    expect(away).toMatchObject({ tour: 0, step: (stops[0]?.step ?? 0) + 4 });
    expect(textOf(withTour.guide(away)[0] ?? [])).toContain(`(it is about step ${stops[0]?.step})`);
    expect(textOf(withTour.guide(begun())[0] ?? [])).toBe("Tour 1/8: a source, and state by key  n next  T ends it");
    expect(press(away, "n")).toMatchObject({ tour: 1, step: stops[1]?.step });
  });

  it("ends with T, not with an escape that closes something else, and then n means again what it means", () => {
    expect(press(press(press(begun(), "escape"), "escape"), "escape").tour).toBe(0);
    const over = press(begun(), "T");
    expect(over.tour).toBe(null);
    expect(withTour.guide(over)).toEqual([]);
    expect(press(over, "n").message?.text).toContain("nothing to search for yet");
  });

  it("goes through its own run, not through a branch of it", () => {
    expect(branch.guide(begun())).toEqual([]);
    expect(press(begun(), "n", branch).message?.text).toContain("b goes back");
  });

  it("leaves room for a panel: on a small screen the text is left out, never cut in two", () => {
    expect(screenPlan(begun(80, 24), withTour).guide).toHaveLength(6);
    for (let rows = 10; rows < 30; rows += 1) {
      const { guide, lines, fits } = screenPlan(begun(80, rows), withTour);
      expect([0, 6]).toContain(guide.length);
      expect(fits && lines >= 4).toBe(true);
    }
    expect(screenPlan({ ...begun(), help: true }, withTour).guide).toEqual([]);
  });
});

let terminal: TmuxTerminal | null = null;
afterEach(() => terminal?.end());

describe.skipIf(!hasTmux)(`the tour in a terminal${hasTmux ? "" : " (tmux is not installed: not run)"}`, () => {
  it.each([
    [80, 24],
    [120, 40],
  ])("goes through all eight stops at %i x %i, whole texts on the screen, and leaves the terminal as it was", async (columns, rows) => {
    terminal = new TmuxTerminal({ columns, rows, cwd: temporaryDirectory() });
    terminal.ui("--tour");
    for (const [i, stop] of stops.entries()) {
      if (i > 0) terminal.type("n");
      // A screen may be caught half drawn: it is waited for whole.
      const text = stop.text.map((line) => `  ${line}`).join("\n");
      const screen = await terminal.until(`stop ${i + 1}, whole`, (lines) => {
        const at = lines.findIndex((line) => line.startsWith(`Tour ${i + 1}/8: ${stop.title}`));
        return at > 0 && lines.slice(at + 1, at + 1 + stop.text.length).join("\n") === text;
      });
      expect(screen[0]).toMatch(new RegExp(`^step ${stop.step} of ${journey.tape.steps} `));
      expect(screen.join("\n")).not.toMatch(/STALE|NOT DETERMINISTIC/);
    }
    terminal.type("p");
    await terminal.untilLine(/^Tour 7\/8/);
    terminal.type("T");
    await terminal.until("the tour is over", (screen) => !screen.some((line) => line.startsWith("Tour ")));
    terminal.type("q");
    await terminal.untilLine(/^ended with 0$/);
    expect(terminal.isAlternate).toBe(false);
    expect(terminal.hasCursor).toBe(true);
  });
});
