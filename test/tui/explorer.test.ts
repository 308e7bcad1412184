import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_LIBRARIES } from "#whitewater/engine/state/backends/state-libraries.js";
import { findJourney, type Journey } from "#whitewater/reports/travel/journey.js";
import { Explorer } from "#whitewater/reports/tui/explorer.js";
import { PANELS } from "#whitewater/reports/tui/panel-name.js";
import { firstState, type UiState } from "#whitewater/reports/tui/ui-state.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";

const REQUEST = { seed: "2", profile: "swarm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 } as const;

let journey: Journey;
beforeAll(() => {
  journey = findJourney(wordCount, NO_LIBRARIES, [REQUEST], null);
});
afterAll(() => journey.machine.release());

function at(step: number, changes: Partial<UiState> = {}): UiState {
  return { ...firstState(step, { columns: 100, rows: 40 }), ...changes };
}

function explorerOf(over: Partial<Journey> = {}): Explorer {
  return new Explorer({ journey: { ...journey, ...over }, stale: null, branch: null, reproduce: null });
}

describe("what an explorer shows", () => {
  it("is in lines without control characters, as many as it says, in every panel and at any step", () => {
    const explorer = explorerOf();
    for (const panel of PANELS) {
      for (const step of [0, 1, 77, explorer.steps]) {
        const view = explorer.panel(panel, at(step));
        expect(view.lines(0, view.length + 10)).toHaveLength(view.length);
        const text = view.lines(0, view.length).map(textOf).join("");
        expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        if (view.anchor !== null) expect(view.anchor).toBeLessThan(Math.max(1, view.length));
        for (let i = 0; i < Math.min(50, view.choices.count); i += 1) {
          const choice = view.choices.at(i);
          expect(view.choices.indexOf(choice?.id ?? "")).toBe(i);
          expect(choice?.line).toBeLessThan(view.length);
        }
      }
    }
  });

  it("is worked out once for each step and choice", () => {
    const explorer = explorerOf();
    const view = explorer.panel("events", at(77));
    expect(explorer.panel("events", at(77, { focus: "verdict", rows: 80 }))).toBe(view);
    expect(explorer.panel("events", at(78))).not.toBe(view);
    expect(explorer.panel("events", at(77, { filter: "kind:snapshotTaken" })).length).toBeLessThan(view.length);
  });

  it("is the neighbours of a step", () => {
    const explorer = explorerOf();
    const { tape } = journey;
    const isCheckpoint = (step: number): boolean => tape.pointsOf(step).some(({ event }) => ["checkpointCompleted", "checkpointAborted"].includes(event));
    const next = explorer.neighbour("checkpoint", 0, 1, at(0)) ?? -1;
    expect(isCheckpoint(next)).toBe(true);
    for (let step = 1; step < next; step += 1) expect(isCheckpoint(step)).toBe(false);
    const search = at(0, { search: "kind:checkpointCompleted" });
    const first = explorer.neighbour("match", -1, 1, search);
    expect(tape.pointsOf(first ?? 0).some(({ event }) => event === "checkpointCompleted")).toBe(true);
    expect(explorer.neighbour("match", explorer.steps + 1, -1, search)).toBeGreaterThan(first ?? 0);
  });

  it("is nothing rather than something wrong where the run taken again is another one", () => {
    const machine = new Proxy(journey.machine, {
      get(target, name) {
        if (name === "deviation") return { step: 200, expected: "aa", actual: "bb" };
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const explorer = explorerOf({ machine });
    expect(explorer.banner).toMatch(/^NOT DETERMINISTIC: .*since step 136 at the earliest; digest bb, was aa/);
    const shown = (step: number): string => explorer.panel("checkpoints", at(step)).lines(0, 1).map(textOf).join("");
    expect(shown(135)).not.toContain("cannot be shown");
    expect(shown(136)).toContain("cannot be shown");
    expect(explorer.panel("events", at(300)).length).toBe(journey.tape.points);
  });
});
