import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { recordOf } from "#whitewater/reports/record/run-record.js";
import { requestFor } from "#whitewater/reports/sweep/run-seed.js";
import { keyNames } from "#whitewater/reports/tui/key-names.js";
import { lineWidth } from "#whitewater/reports/tui/line-cut.js";
import { matching, scenarioEntry, type PickerEntry } from "#whitewater/reports/tui/picker-entry.js";
import { recordEntries } from "#whitewater/reports/tui/picker-files.js";
import { pickerAction } from "#whitewater/reports/tui/picker-keys.js";
import { pickerScreen } from "#whitewater/reports/tui/picker-lines.js";
import { reducePicker } from "#whitewater/reports/tui/picker-reducer.js";
import { chosenEntry, firstPicker, shownEntries, type PickerRequest, type PickerState } from "#whitewater/reports/tui/picker-state.js";
import { PickerStore } from "#whitewater/reports/tui/picker-store.js";
import type { SweepEvent } from "#whitewater/reports/tui/sweep-progress.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { aFinding, fakeResult } from "../reports/fake-simulator.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

const record = (id: string, name: string): PickerEntry => ({ section: "failures", id, name, about: `seed 7  violation  ${id}`, isSound: true });
const ENTRIES: readonly PickerEntry[] = [
  scenarioEntry({ name: "flights", title: "flights and mean delay" }),
  scenarioEntry({ name: "word-count", title: "a running sum of words" }),
  scenarioEntry({ name: "timers", title: "devices that fall silent" }),
  record(".whitewater/b.json", "word-count"),
  { section: "failures", id: ".whitewater/c.json", name: ".whitewater/c.json", about: "is not JSON", isSound: false },
];
const picker = firstPicker(".whitewater", ENTRIES, { columns: 80, rows: 24 });

/** The state after these keys, each by its name or as a text that is typed, and what was asked for. */
function press(from: PickerState, ...keys: readonly string[]): { readonly state: PickerState; readonly requests: readonly PickerRequest[] } {
  let state = from;
  const requests: PickerRequest[] = [];
  const isName = /^(enter|escape|down|up|tab|shift-tab|backspace|ctrl-u|ctrl-c|page-down)$/;
  for (const key of keys.flatMap((text) => (isName.test(text) ? [text] : keyNames(text, {})))) {
    const action = pickerAction(key, state);
    if (action === null) continue;
    const reduction = reducePicker(state, action);
    state = reduction.state;
    if (reduction.request !== null) requests.push(reduction.request);
  }
  return { state, requests };
}

function told(state: PickerState, ...events: readonly SweepEvent[]): PickerState {
  return events.reduce((now, event) => reducePicker(now, { type: "swept", event }).state, state);
}

describe("the filter", () => {
  test.each([
    ["", 5],
    ["word", 2],
    ["WORD sum", 1],
    ["silent", 1],
    ["json", 2],
    ["nothing like it", 0],
  ])("%j leaves %i", (filter, count) => expect(matching(ENTRIES, filter)).toHaveLength(count));

  it("counts while it is typed; enter keeps it, escape drops it", () => {
    const typing = press(picker, "/wor").state;
    expect(shownEntries(typing).map(({ name }) => name)).toEqual(["word-count", "word-count"]);
    expect(typing.filter).toBe("");
    expect(press(typing, "enter").state).toMatchObject({ filter: "wor", prompt: null });
    expect(shownEntries(press(typing, "escape").state)).toHaveLength(5);
    expect(press(press(typing, "enter").state, "escape").state.filter).toBe("");
    expect(press(picker, "/x", "backspace", "backspace").state.prompt).toBe(null);
    expect(press(picker, "/abc", "ctrl-u", "d").state.prompt?.text).toBe("d");
  });
});

describe("choosing", () => {
  it("goes up and down, from section to section, and never out of the list", () => {
    expect(chosenEntry(picker)?.id).toBe(".whitewater/b.json");
    expect(chosenEntry(press(picker, "j").state)?.id).toBe(".whitewater/c.json");
    expect(chosenEntry(press(picker, "jjk").state)?.id).toBe(".whitewater/c.json");
    expect(chosenEntry(press(picker, "k").state)?.id).toBe(".whitewater/b.json");
    expect(chosenEntry(press(picker, "G").state)?.id).toBe("timers");
    expect(chosenEntry(press(picker, "page-down").state)?.id).toBe("timers");
    expect(chosenEntry(press(picker, "Gg").state)?.id).toBe(".whitewater/b.json");
    expect(chosenEntry(press(picker, "tab").state)?.id).toBe("flights");
    expect(chosenEntry(press(picker, "tab", "tab").state)?.id).toBe(".whitewater/b.json");
    expect(chosenEntry(press(picker, "shift-tab").state)?.id).toBe("flights");
  });

  it("keeps what is chosen where the filter leaves it, and has nothing where it leaves nothing", () => {
    const { state } = press(picker, "Gk", "/wo");
    expect(chosenEntry(state)?.id).toBe("word-count");
    const { state: none, requests } = press(picker, "/zzz", "enter", "j", "enter");
    expect(chosenEntry(none)).toBe(null);
    expect(requests).toEqual([]);
  });

  it("opens a record as it is and a scenario at a seed, and says why a broken file cannot be opened", () => {
    expect(press(picker, "enter").requests).toEqual([{ type: "open", target: ".whitewater/b.json" }]);
    expect(press(picker, "tab", "enter", "enter").requests).toEqual([{ type: "open", target: "flights@1" }]);
    expect(press(picker, "tab", "enter", "backspace", "42", "enter").requests).toEqual([{ type: "open", target: "flights@42" }]);
    expect(press(picker, "tab", "enter", "escape", "enter").requests).toEqual([]);
    const broken = press(picker, "j", "enter");
    expect(broken.requests).toEqual([]);
    expect(broken.state.message).toEqual({ text: "cannot be opened: is not JSON", tone: "bad" });
  });
});

describe("a sweep from the picker", () => {
  const began: SweepEvent = { type: "began", scenarios: ["flights"], seeds: "1-3", planned: 3 };
  const failure = (seed: string) => ({ scenario: "flights", seed, verdict: "violation" as const, oracle: "fencing", message: "two leaders", target: `${seed}.json` });
  const run = (seed: string): SweepEvent => ({ type: "run", scenario: "flights", tracePoints: 5, virtualTimeUs: 5, sometimes: {}, failure: failure(seed) });

  it("is asked for with its seeds, for the chosen scenario or all", () => {
    expect(press(picker, "tab", "s", "enter").requests).toEqual([{ type: "sweep", scenario: "flights", seeds: "1-100" }]);
    expect(press(picker, "tab", "s", "ctrl-u", "7", "enter").requests).toEqual([{ type: "sweep", scenario: "flights", seeds: "7" }]);
    expect(press(picker, "S", "enter").requests).toEqual([{ type: "sweep", scenario: null, seeds: "1-100" }]);
    expect(press(picker, "s").state).toMatchObject({ prompt: null, message: { tone: "warn" } });
  });

  it("is watched while it runs, left and come back to, and its failures are opened", () => {
    expect(press(picker, "w").state).toMatchObject({ view: "list", message: { text: expect.stringContaining("no sweep yet") } });
    const watched = press(told(picker, began, run("1"), run("2")), "w").state;
    expect(watched.view).toBe("sweep");
    expect(press(watched, "enter").requests).toEqual([{ type: "open", target: "1.json" }]);
    expect(press(watched, "jjj", "enter").requests).toEqual([{ type: "open", target: "2.json" }]);
    expect(press(watched, "c").requests).toEqual([{ type: "cancel" }]);
    expect(press(watched, "q")).toMatchObject({ state: { view: "list" }, requests: [] });
    expect(press(watched, "escape").state.view).toBe("list");
    expect(press(watched, "ctrl-c").requests).toEqual([{ type: "quit" }]);
    expect(press(told(picker, began), "w", "j", "enter").requests).toEqual([]);
  });

  it("draws no frame for each run, but with the time, and at its end", () => {
    const store = new PickerStore(picker);
    let frames = 0;
    const stop = store.subscribe(() => (frames += 1));
    for (const event of [began, run("1"), run("2"), run("3")]) store.dispatch({ type: "swept", event });
    expect([frames, store.state.sweep.runs]).toEqual([1, 3]);
    store.dispatch({ type: "swept", event: { type: "time", elapsedMs: 250 } });
    store.dispatch({ type: "swept", event: { type: "ended", end: "complete", elapsedMs: 300 } });
    expect(frames).toBe(3);
    stop();
    store.dispatch({ type: "help" });
    expect(frames).toBe(3);
  });

  it("is one at a time", () => {
    const running = told(picker, began, run("1"));
    expect(press(running, "S").state).toMatchObject({ prompt: null, view: "sweep", message: { tone: "warn" } });
    const over = told(running, { type: "ended", end: "complete", elapsedMs: 10 });
    expect(press(over, "S", "enter").requests).toHaveLength(1);
  });
});

describe("the picker's screen", () => {
  const text = (state: PickerState): readonly string[] => pickerScreen(state).map(({ line }) => textOf(line).trimEnd());

  it("has a line less than the terminal, whatever is shown", () => {
    for (const rows of [10, 24, 60]) {
      for (const keys of ["", "?", "/word"]) {
        expect(pickerScreen(press({ ...picker, rows }, keys).state)).toHaveLength(rows - 1);
      }
    }
  });

  it("shows sections, marks what is chosen, and says what is broken without a colour", () => {
    const lines = text(picker);
    expect(lines.slice(2, 6)).toEqual([
      "Records in .whitewater, newest first",
      "> word-count                 seed 7  violation  .whitewater/b.json",
      "  ! .whitewater/c.json  is not JSON",
      "",
    ]);
    expect(pickerScreen(picker).filter(({ reversed }) => reversed)).toHaveLength(1);
    expect(text(press(picker, "/zzz", "enter").state)).toContain("  none with that");
    expect(text({ ...picker, entries: [] })).toContain("  none yet: a sweep that finds something leaves them there; T is the tour");
  });

  it("keeps what is chosen in sight", () => {
    const many = Array.from({ length: 90 }, (_, i) => record(`r${i}.json`, `run-${i}`));
    for (const keys of ["", "jjjjjjjjjjjjjjjjjjjjjjjj", "G"]) {
      const { state } = press({ ...picker, entries: many, rows: 12 }, keys);
      expect(text(state).filter((line) => line.startsWith("> ")), keys).toHaveLength(1);
    }
    expect(text({ ...picker, entries: Array.from({ length: 300 }, (_, i) => record(`r${i}.json`, "run")) })).toContain("Records in .whitewater, the newest 300");
  });

  it("lets no control character through", () => {
    const evil: PickerEntry = { section: "failures", id: "\u001b[2J", name: "\u001b[2J", about: "\u0007\u202e", isSound: false };
    const message = { text: "\u001b[31m", tone: "bad" as const };
    const lines = text({ ...picker, directory: "\u001b]0;x\u0007", entries: [evil], filter: "", message });
    expect(lines.join("")).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(lines.join("")).toContain("\\u{1b}[2J");
    expect(lineWidth(pickerScreen(picker)[0]?.line ?? [])).toBeLessThan(80);
  });
});

describe("records of a directory", () => {
  const directory = temporaryDirectory();
  const settings = { profile: "swarm", fixed: {}, maxSteps: 1000, selfCheckMillionths: 0 } as const;
  const result = fakeResult(requestFor("7", settings, false), { verdict: "violation", findings: [aFinding()] });
  const sound = recordOf({ result, checked: false, runs: 2, agreeing: 2 }, { tool: "0.1.0", source: { kind: "library", name: "fake", input: null }, ...settings });
  const write = (name: string, content: string, ageSeconds: number): void => {
    writeFileSync(join(directory, name), content);
    utimesSync(join(directory, name), 1_000_000 - ageSeconds, 1_000_000 - ageSeconds);
  };
  write("old.json", JSON.stringify(sound), 500);
  write("new.json", JSON.stringify(sound), 5);
  write("changed.json", JSON.stringify({ ...sound, seed: "8" }), 50);
  write("broken.json", "{", 100);
  write("notes.txt", "no record", 1);
  mkdirSync(join(directory, "views.json"));

  it("come newest first, broken ones with the reason, and nothing else", () => {
    const entries = recordEntries("failures", directory, "runs");
    expect(entries.map(({ id, isSound }) => [id, isSound])).toEqual([
      ["runs/new.json", true],
      ["runs/changed.json", false],
      ["runs/broken.json", false],
      ["runs/old.json", true],
    ]);
    expect(entries[0]).toMatchObject({ name: "fake", about: expect.stringMatching(/^seed 7 {2}violation {2}exactly-once state {2}1 fault {2}runs\/new\.json$/) });
    expect(entries[1]?.about).toMatch(/^was changed after it was written/);
    expect(entries[2]?.about).toMatch(/^is not JSON/);
  });

  it("are none where there is no directory, and a line where it cannot be read", () => {
    expect(recordEntries("failures", join(directory, "absent"), "absent")).toEqual([]);
    expect(recordEntries("failures", join(directory, "notes.txt"), "notes.txt")).toMatchObject([{ isSound: false, about: expect.stringContaining("cannot be read") }]);
  });
});
