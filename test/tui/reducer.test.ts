import { describe, expect, it, test } from "vitest";
import { reduce } from "#whitewater/reports/tui/reducer.js";
import { leapOf } from "#whitewater/reports/tui/moves.js";
import { inspectedView } from "#whitewater/reports/tui/panels/inspector-panel.js";
import { firstState, selectedSubject } from "#whitewater/reports/tui/ui-state.js";
import { fakeRun, press } from "./fake-run.ts";

describe("moving in time", () => {
  test.each([
    [["l"], 401],
    [["h"], 399],
    [["right", "right", "left"], 401],
    [["10l"], 410],
    [["10", "h"], 390],
    [["2", "escape", "l"], 401],
    [["9999l"], 1000],
    [["5000h"], 0],
    [["L"], 420],
    [["shift-left"], 380],
    [["3H"], 340],
    [["g"], 0],
    [["home"], 0],
    [["G"], 1000],
    [["end"], 1000],
    [["612G"], 612],
    [["C"], 300],
    [["2C"], 200],
    [["9C"], 100],
    [["F"], 150],
    [["v"], 420],
    [["vv"], 430],
    [["vvv"], 420],
    [[":612", "enter"], 612],
    [[":612", "escape"], 400],
    [[":12", "backspace", "7", "enter"], 17],
    [[":12", "ctrl-u", "33", "enter"], 33],
    [["/x", "enter"], 500],
    [["ma", "l", "'a"], 400],
    [["ma", "l", "`a", "m", "b"], 400],
    [["G", "''"], 400],
    [["G", "''", "''"], 1000],
  ])("%j from step 400 is step %i", (keys, step) => expect(press(400, ...keys).state.step).toBe(step));

  it("says so where there is nothing further", () => {
    const { state } = press(400, "c");
    expect(state.step).toBe(400);
    expect(state.message?.text).toBe("no further checkpoint");
  });

  it("goes on with a search from the other end", () => {
    expect(press(400, "/x", "enter", "n").state).toMatchObject({ step: 500, message: { text: "the search went on from the start" } });
    expect(press(400, "n").state.message?.text).toBe("nothing to search for yet: type / and a text");
  });

  it("says what is wrong with a place, and stays", () => {
    const { state } = press(400, ":nowhere", "enter");
    expect(state).toMatchObject({ step: 400, prompt: null, message: { text: "nowhere: is no place; give a step", tone: "bad" } });
  });

  it("knows no mark that was not set", () => {
    expect(press(400, "'q").state).toMatchObject({ step: 400, awaiting: null, message: { text: "there is no mark q" } });
    expect(press(400, "m1").state).toMatchObject({ marks: {}, message: { text: "a mark is a letter" } });
  });

  it("leaps a fiftieth, as a round number", () => {
    expect([0, 400, 1000, 2707, 100_000].map(leapOf)).toEqual([10, 10, 20, 50, 2000]);
  });
});

describe("playing", () => {
  it("goes on with time, and stops at the end", () => {
    const { state } = press(990, "space");
    const later = reduce(state, { type: "tick", steps: 4 }, fakeRun).state;
    expect(later).toMatchObject({ step: 994, playing: true });
    expect(reduce(later, { type: "tick", steps: 40 }, fakeRun).state).toMatchObject({ step: 1000, playing: false });
    expect(press(1000, "space").state.playing).toBe(false);
  });

  it("stops for whoever moves, and for nobody who looks", () => {
    const { state } = press(10, "space");
    expect(press(state, "l").state).toMatchObject({ playing: false, step: 11 });
    expect(press(state, "tab").state.playing).toBe(true);
    expect(press(state, "space").state.playing).toBe(false);
    expect(reduce(press(state, "space").state, { type: "tick", steps: 4 }, fakeRun).state.step).toBe(10);
  });

  it("has speeds", () => {
    expect(press(10, "+").state.message?.text).toBe("plays 20 steps a second");
    expect(press(10, "-", "-", "-", "-", "-").state.message?.text).toBe("plays 1 steps a second");
  });
});

describe("looking around", () => {
  it("takes a digit alone for a panel, and a number for a count", () => {
    const digit = press(10, "5").state;
    expect(digit.focus).toBe("graph");
    expect(reduce(digit, { type: "digits-ended" }, fakeRun).state).toMatchObject({ focus: "events", count: null });
    expect(press(10, "5", "/").state).toMatchObject({ focus: "events", count: null, prompt: { kind: "search" } });
    expect(press(10, "5", "x")).toMatchObject({ state: { focus: "events" }, requests: ["export"] });
    expect(reduce(press(10, "50").state, { type: "digits-ended" }, fakeRun).state).toMatchObject({ focus: "graph", count: 50 });
  });

  it("goes from panel to panel", () => {
    expect(press(10, "tab").state).toMatchObject({ focus: "inspector", recent: ["inspector", "graph", "events", "checkpoints", "faults", "verdict"] });
    expect(press(10, "shift-tab").state.focus).toBe("verdict");
  });

  it("chooses what is in a panel", () => {
    expect(press(10, "j").state.chosen.graph).toBe("first");
    expect(press(10, "jj").state.chosen.graph).toBe("second");
    expect(press(10, "9j").state.chosen.graph).toBe("third");
    expect(press(10, "k").state.chosen.graph).toBe("third");
    expect(press(50, "j").state.chosen.graph).toBe("third");
  });

  it("scrolls where there is nothing to choose, between the ends", () => {
    const { state } = press(10, "shift-tab", "j", "j");
    expect(state.scroll.verdict).toBe(2);
    expect(press(state, "page-down").state.scroll.verdict).toBe(12);
    expect(press(state, "99k").state.scroll.verdict).toBe(-3);
    expect(press(state, "999j").state.scroll.verdict).toBe(40);
  });

  it("opens what is chosen, each panel in its own way", () => {
    expect(press(10, "j", "enter").state.focus).toBe("inspector");
    const checkpoints = { ...firstState(10, { columns: 80, rows: 24 }), focus: "checkpoints" as const };
    const opened = press(checkpoints, "jj", "enter").state;
    expect(opened.opened.checkpoints).toBe("second");
    expect(press(opened, "escape").state.opened.checkpoints).toBe(null);
    const events = { ...checkpoints, focus: "events" as const };
    expect(press(events, "jj", "enter").state).toMatchObject({ step: 50, before: 10 });
    expect(press(events, "jjj", "enter").state).toMatchObject({ step: 10, message: { text: "it has no place in this run" } });
    expect(press(events, "enter").state.message?.text).toBe("choose something with j and k first");
  });

  it("folds, zooms, filters, shifts, and undoes one thing at a time", () => {
    expect(press(10, "jj", "o").state.folded).toEqual(["sum"]);
    expect(press(10, "jj", "o", "o").state.folded).toEqual([]);
    const { state } = press(10, "z", "&rpc", "enter", "?");
    expect(state).toMatchObject({ zoomed: true, filter: "rpc", help: true });
    expect(press(state, "escape").state).toMatchObject({ zoomed: true, filter: "rpc", help: false });
    expect(press(state, "escape", "escape").state).toMatchObject({ zoomed: false, filter: "rpc" });
    expect(press(state, "escape", "escape", "escape").state.filter).toBe("");
    expect(press(10, '&"', "enter").state).toMatchObject({ filter: "", prompt: null, message: { tone: "bad" } });
    expect(press(10, ">", ">", "<").state.shift.graph).toBe(16);
  });

  it("inspects what is chosen last, in the graph or in the list of the inspector", () => {
    const inspecting = press(10, "j", "enter").state;
    expect(selectedSubject(inspecting)).toBe("first");
    const other = press(inspecting, "jj", "enter").state;
    expect(other.opened.inspector).toBe("second");
    expect(press(other, "shift-tab", "j").state).toMatchObject({ opened: { inspector: null }, chosen: { graph: "second" } });
    expect(press(other, "escape").state).toMatchObject({ opened: { inspector: null }, chosen: { graph: "first" } });
    expect(press(other, "escape", "escape").state.chosen.graph).toBe(null);
    expect(press(10, "e").state.message?.text).toBe("choose something in the graph or the inspector first");
    expect(press(10, "j", "e").state.step).toBe(20);
  });

  it("looks into what a command names", () => {
    expect(press(10, ":record 31 of words/0", "enter").state).toMatchObject({ focus: "inspector", opened: { inspector: "record:31 of words/0" } });
    expect(press(10, ":state:sum[1]", "enter").state.opened.inspector).toBe("state:sum[1]");
    expect(press(10, ":jm-1", "enter").state.opened.inspector).toBe("jm-1");
    const followed = press(press(10, ":record 3", "enter").state, "jj", "enter").state;
    expect(followed).toMatchObject({ step: 50, opened: { inspector: "record:3" } });
  });

  it("compares state with the reference, the step before, or a mark", () => {
    expect(press(10, "d").state).toMatchObject({ against: "reference", focus: "inspector" });
    expect(press(10, "d", "d").state.against).toBe(null);
    expect(press(10, "ma", "l", "Da").state).toMatchObject({ step: 11, against: "10" });
    expect(press(10, "Dq").state).toMatchObject({ against: null, message: { text: "there is no mark q" } });
    expect(inspectedView(press(10, "j", "d").state)).toBe("state:first~reference,limit=200");
  });

  it("filters entries in the inspector, and events elsewhere", () => {
    expect(press(10, "tab", "&ORD", "enter").state).toMatchObject({ entryFilter: "ORD", filter: "" });
    expect(inspectedView(press(10, "j", "tab", "&ORD", "enter").state)).toBe("state:first,key=ORD,limit=200");
  });

  it("keeps typing out of the keys", () => {
    expect(press(10, "/quit l").state).toMatchObject({ step: 10, prompt: { kind: "search", text: "quit l" } });
    expect(press(10, "/", "backspace").state.prompt).toBe(null);
  });
});

describe("what needs more than the screen", () => {
  test.each([
    [["q"], ["quit"]],
    [[":q", "enter"], ["quit"]],
    [["ctrl-c"], ["quit"]],
    [["/", "ctrl-c"], ["quit"]],
    [["?", "q"], []],
    [["y"], ["copy"]],
    [["x"], ["export"]],
    [["r", "t", "b", "B"], ["restore", "toggle", "back", "compare"]],
  ])("%j asks for %j", (keys, requests) => expect(press(10, ...keys).requests).toEqual(requests));

  it("begins another run where it is told to, with nothing chosen but the subtask", () => {
    const { state } = press(900, "j", "tab", "tab", "j", "space");
    const changed = reduce(state, { type: "run-changed", step: 70 }, fakeRun).state;
    expect(changed).toMatchObject({ step: 70, playing: false, chosen: { graph: "first", checkpoints: null } });
  });
});
