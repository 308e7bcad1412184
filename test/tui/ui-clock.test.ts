import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { NO_LIBRARIES } from "#whitewater/engine/state/backends/state-libraries.js";
import { findJourney, type Journey } from "#whitewater/reports/travel/journey.js";
import { Explorer } from "#whitewater/reports/tui/explorer.js";
import { paced } from "#whitewater/reports/tui/frame-pace.js";
import { UiClock } from "#whitewater/reports/tui/ui-clock.js";
import { firstState } from "#whitewater/reports/tui/ui-state.js";
import { UiStore } from "#whitewater/reports/tui/ui-store.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";

const REQUEST = { seed: "2", profile: "calm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 } as const;

let journey: Journey;
let clock: UiClock | null = null;
beforeAll(() => {
  journey = findJourney(wordCount, NO_LIBRARIES, [REQUEST], null);
});
afterAll(() => journey.machine.release());
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  clock?.stop();
  vi.useRealTimers();
});

function ticking(step: number): UiStore {
  const store = new UiStore(firstState(step, { columns: 80, rows: 24 }), new Explorer({ journey, stale: null, branch: null, reproduce: null }));
  clock = new UiClock(store);
  return store;
}

describe("the clock of the screen", () => {
  it("takes a digit for a panel when no other comes", () => {
    const store = ticking(100);
    store.dispatch({ type: "digit", digit: 5 });
    vi.advanceTimersByTime(300);
    expect(store.state).toMatchObject({ focus: "graph", count: 5 });
    vi.advanceTimersByTime(300);
    expect(store.state).toMatchObject({ focus: "events", count: null });
  });

  it("waits anew with each digit, and leaves a number be", () => {
    const store = ticking(100);
    store.dispatch({ type: "digit", digit: 1 });
    vi.advanceTimersByTime(300);
    store.dispatch({ type: "digit", digit: 2 });
    vi.advanceTimersByTime(1000);
    expect(store.state).toMatchObject({ focus: "graph", count: 12 });
    store.dispatch({ type: "step", by: 1 });
    expect(store.state).toMatchObject({ step: 112, count: null });
  });

  it("plays as many steps a second as the speed says, until the end", () => {
    const store = ticking(0);
    store.dispatch({ type: "play" });
    vi.advanceTimersByTime(2050);
    expect(store.state.step).toBeGreaterThanOrEqual(18);
    expect(store.state.step).toBeLessThanOrEqual(21);
    store.dispatch({ type: "play" });
    const { step } = store.state;
    vi.advanceTimersByTime(2000);
    expect(store.state.step).toBe(step);
    const last = store.explorer.steps;
    store.dispatch({ type: "step", by: last - step - 3 });
    store.dispatch({ type: "play" });
    vi.advanceTimersByTime(2000);
    expect(store.state).toMatchObject({ step: last, playing: false });
  });

  it("prepares for seeks while nobody presses a key", () => {
    const store = ticking(100);
    const prepare = vi.spyOn(journey.machine, "prepare");
    store.dispatch({ type: "step", by: 1 });
    expect(prepare).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(prepare).toHaveBeenCalled();
    expect(Math.max(...prepare.mock.calls.map(([steps]) => steps))).toBeLessThanOrEqual(4096);
    prepare.mockRestore();
  });
});

describe("the pace of frames", () => {
  it("tells the first news at once, and the last ones always", () => {
    const listeners: (() => void)[] = [];
    const heard: number[] = [];
    let news = 0;
    const unsubscribe = paced((listener) => {
      listeners.push(listener);
      return () => void listeners.pop();
    }, 33)(() => heard.push(news));
    for (let ms = 0; ms < 100; ms += 10) {
      news += 1;
      for (const listener of listeners) listener();
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(100);
    expect(heard[0]).toBe(1);
    expect(heard.at(-1)).toBe(10);
    expect(heard.length).toBeLessThanOrEqual(5);
    unsubscribe();
    expect(listeners).toEqual([]);
  });
});
