import { describe, expect, test } from "vitest";
import { diffState, entryOf } from "#whitewater/reports/views/inspect/diff-state.js";
import type { StateEntry } from "#whitewater/reports/views/inspect/state-entry.js";
import { listEntry, timerEntry } from "#whitewater/reports/views/inspect/state-entry.js";

function keyed(key: StateEntry["key"], value: unknown, more: Partial<StateEntry> = {}): StateEntry {
  return { part: "keyed", subtask: 0, state: "s", key, namespace: "", at: null, value, applied: null, ...more };
}

function said(before: readonly StateEntry[], now: readonly StateEntry[]): readonly string[] {
  return diffState(before, now).map((change) => `${change.mark}${String(entryOf(change).key ?? entryOf(change).value)}`);
}

describe("differences of state", () => {
  test("are what is new, what is gone and what is another value", () => {
    const changes = diffState([keyed("a", 1), keyed("b", { n: 1 }), keyed("c", 1)], [keyed("d", 1), keyed("b", { n: 2 }), keyed("a", 1)]);
    expect(changes.map(({ mark, before, now }) => [mark, before?.value, now?.value])).toEqual([
      ["~", { n: 1 }, { n: 2 }],
      ["-", 1, undefined],
      ["+", undefined, 1],
    ]);
  });

  test("are none between equal values, and tell apart what a job can tell apart", () => {
    expect(diffState([keyed("a", { x: Number.NaN, y: [1n] })], [keyed("a", { y: [1n], x: Number.NaN })])).toEqual([]);
    expect(said([keyed("a", 0)], [keyed("a", -0)])).toEqual(["~a"]);
    expect(said([keyed(1, 0)], [keyed("1", 0)])).toEqual(["+1", "-1"]);
    expect(said([keyed("a", 0, { namespace: 1 })], [keyed("a", 0, { namespace: "1" })])).toHaveLength(2);
  });

  test("show a record that changed no value", () => {
    const with2 = keyed("a", 1, { applied: { count: 2, sum: 9, last: 5 } });
    expect(said([keyed("a", 1, { applied: { count: 1, sum: 4, last: 4 } })], [with2])).toEqual(["~a"]);
    expect(said([keyed("a", 1, { applied: { count: 2, sum: 9, last: 4 } })], [with2])).toEqual([]);
  });

  test("follow a key into another subtask", () => {
    expect(diffState([keyed("a", 1)], [keyed("a", 1, { subtask: 3 })])).toEqual([]);
  });

  test("count elements of a list as often as they are there, wherever they stand", () => {
    const list = (...values: readonly unknown[]): readonly StateEntry[] => values.map((value, at) => listEntry("split-list", "l", at, value, 0));
    expect(said(list(1, 2, 2), list(2, 1, 2))).toEqual([]);
    expect(said(list(1, 2, 2), list(2, 1))).toEqual(["-2"]);
    expect(said(list(1), list(1, 1))).toEqual(["+1"]);
  });

  test("of timers go by when they fire", () => {
    const timer = (timestampMs: number): StateEntry => timerEntry("event-timer", { key: "k", namespace: "", timestampMs }, 0);
    expect(diffState([timer(1), timer(2)], [timer(2), timer(3)]).map(({ mark, before, now }) => `${mark}${(now ?? before)?.at}`)).toEqual(["-1", "+3"]);
  });
});
