import { render } from "ink-testing-library";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findJourney, type Journey } from "#whitewater/reports/travel/journey.js";
import { Explorer } from "#whitewater/reports/tui/explorer.js";
import { Screen } from "#whitewater/reports/tui/screen.js";
import { firstState } from "#whitewater/reports/tui/ui-state.js";
import { UiStore } from "#whitewater/reports/tui/ui-store.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import { NO_LIBRARIES } from "#whitewater/engine/state/backends/state-libraries.js";

const REQUEST = { seed: "2", profile: "swarm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 } as const;
const PLAIN = { colour: false, unicode: true };
/** The pace of frames, and some. */
const FRAME_MS = 90;

let journey: Journey;
beforeAll(() => {
  journey = findJourney(wordCount, NO_LIBRARIES, [REQUEST], null);
});
afterAll(() => journey.machine.release());

interface Opened {
  readonly store: UiStore;
  /** The frame after these keys. */
  after(...keys: readonly string[]): Promise<readonly string[]>;
}

function open(step: number, rows: number, stale: string | null = null): Opened {
  const explorer = new Explorer({ journey, stale, branch: null, reproduce: null });
  const store = new UiStore(firstState(step, { columns: 100, rows }), explorer);
  const { stdin, lastFrame } = render(<Screen store={store} theme={PLAIN} />);
  return {
    store,
    async after(...keys) {
      for (const key of keys) stdin.write(key);
      await new Promise((resolve) => setTimeout(resolve, FRAME_MS));
      return (lastFrame() ?? "").replaceAll(/\u001b\[[0-9;]*m/g, "").split("\n");
    },
  };
}

describe("the screen", () => {
  it("has one line less than the terminal, whatever its size", async () => {
    for (const rows of [24, 10, 37, 60]) {
      const frame = await open(100, rows).after();
      expect(frame).toHaveLength(rows - 1);
      expect(frame.every((line) => line.length <= 100)).toBe(true);
    }
  });

  it("says where it is, and follows the keys", async () => {
    const screen = open(100, 24);
    expect((await screen.after())[0]).toMatch(/^step 100 of [\d,]+ {2}t=\d+\.\d{3}s {2}ok {2}word-count\//);
    expect((await screen.after("10l"))[0]).toMatch(/^step 110 of/);
    expect((await screen.after("\u001b[D", "\u001b[D"))[0]).toMatch(/^step 108 of/);
    expect((await screen.after("\u001b[1;2C"))[0]).toMatch(/^step 1[3-9]8 of/);
    expect((await screen.after("\u001b[H"))[0]).toMatch(/^step 0 of/);
    expect((await screen.after(":ckpt 1\r"))[0]).toMatch(new RegExp(`^step ${screen.store.explorer.place("ckpt 1").toLocaleString("en")} of`));
  });

  it("marks the events of the step", async () => {
    const screen = open(100, 24);
    screen.store.dispatch({ type: "focus", panel: "events" });
    const frame = await screen.after();
    const marked = frame.filter((line) => line.startsWith(">"));
    expect(marked.length).toBe(journey.tape.pointsOf(100).length);
    expect(marked[0]).toContain(" 100 ");
  });

  it("warns of a run that is not the one that was asked for", async () => {
    expect((await open(100, 24, "record x says violation").after())[1]).toContain("STALE: record x says violation");
  });

  it("shows every key", async () => {
    const frame = await open(100, 80).after("?");
    expect(frame.join("\n")).toContain("the violation (again: the next finding)");
    expect(frame.join("\n")).toContain("quit");
  });

  it("says so where it is too small", async () => {
    const frame = await open(100, 7).after();
    expect(frame).toEqual([expect.stringContaining("too small")]);
  });
});
