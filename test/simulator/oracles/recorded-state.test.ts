import { describe, expect, test } from "vitest";
import { MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import { cutTo } from "#whitewater/simulator/oracles/recorded-state.js";
import type { RecordedOperator } from "#whitewater/simulator/oracles/recorded-state.js";
import type { KeyedSection } from "#whitewater/simulator/reference/snapshot-reader.js";

/** A section of key groups from `first` on: one entry and one timer each, and the watermarks. */
function section(first: number, watermarks: readonly number[]): KeyedSection {
  const groups = watermarks.map((_, at) => first + at);
  const timers = groups.map((keyGroup) => ({ key: `k${keyGroup}`, namespace: "", timestampMs: keyGroup, keyGroup }));
  return {
    maxParallelism: 8,
    firstKeyGroup: first,
    watermarks,
    watermarkMs: Math.min(...watermarks),
    states: [],
    entries: groups.map((keyGroup) => ({ state: "s", kind: "value", key: `k${keyGroup}`, namespace: "", value: keyGroup, keyGroup })),
    eventTimers: timers,
    processingTimers: timers.slice(0, 1),
  };
}

function operator(sections: readonly (KeyedSection | null)[]): RecordedOperator {
  const parts = sections.map((keyed) => (keyed === null ? null : { keyed, lists: new Map() }));
  return { uid: "sum", vertex: { vertex: 1, isFinished: false, uids: ["sum"], subtasks: parts.map(() => null) }, parts };
}

describe("keyed state of old subtasks, cut to a range", () => {
  const whole = operator([section(0, [5, 6, 7]), section(3, [9, 4, 8]), section(6, [3, 3])]);

  test("is what lies in it, of however many subtasks, with the least watermark of its key groups", () => {
    const cut = cutTo(whole, { start: 2, end: 4 });
    expect(cut.entries.map(({ value }) => value)).toEqual([2, 3, 4]);
    expect(cut.eventTimers.map(({ timestampMs }) => timestampMs)).toEqual([2, 3, 4]);
    expect(cut.processingTimers.map(({ timestampMs }) => timestampMs)).toEqual([3]);
    expect(cut.watermarkMs).toBe(4);
    expect(cutTo(whole, { start: 0, end: 0 }).watermarkMs).toBe(5);
  });

  test("is the section itself where one subtask had just that range", () => {
    expect(cutTo(whole, { start: 3, end: 5 })).toBe(whole.parts[1]?.keyed);
  });

  test("is nothing, before any watermark, where nothing was recorded of it", () => {
    const nothing = { entries: [], eventTimers: [], processingTimers: [], watermarkMs: MIN_WATERMARK };
    expect(cutTo(operator([null, section(4, [1, 1, 1, 1])]), { start: 0, end: 3 })).toEqual(nothing);
  });
});
