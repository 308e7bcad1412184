import { mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_LIBRARIES } from "#whitewater/engine/state/backends/state-libraries.js";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { findJourney, type Journey } from "#whitewater/reports/travel/journey.js";
import { Explorer } from "#whitewater/reports/tui/explorer.js";
import type { Request } from "#whitewater/reports/tui/ui-action.js";
import { Terminal } from "#whitewater/reports/tui/terminal.js";
import { UiRequests } from "#whitewater/reports/tui/ui-requests.js";
import { firstState } from "#whitewater/reports/tui/ui-state.js";
import { UiStore } from "#whitewater/reports/tui/ui-store.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import { temporaryDirectory } from "../temporary-directory.ts";

const PATH = fileURLToPath(new URL("../../scenarios/tour/tour.json", import.meta.url));
const { seed, profile, options, plan, maxSteps, digest, findings } = readRecord(PATH, "tour.json");
const REQUEST = { seed, profile, fixed: options, plan, oracles: true, checked: false, maxSteps };
const FAULT = plan[0]?.id ?? "";
const STRIKES = 304;

let journey: Journey;
let store: UiStore;
let requests: UiRequests;
let cwd: string;

beforeEach(() => {
  journey = findJourney(tour, NO_LIBRARIES, [REQUEST], digest);
  cwd = mkdtempSync(join(temporaryDirectory(), "ui"));
  const explorer = new Explorer({ journey, stale: null, branch: null, reproduce: ["replay", "tour.json"] });
  store = new UiStore(firstState(400, { columns: 100, rows: 40 }), explorer);
  // Nothing is written to a terminal that was not taken.
  requests = new UiRequests(new Terminal(process), cwd, { source: { kind: "library", name: "tour", input: null }, tool: "0.1.0" });
});
afterEach(() => {
  requests.release();
  journey.machine.release();
});

/** Asks, and waits until it is done. */
async function ask(what: Request): Promise<void> {
  requests.carryOut(what, store);
  await new Promise((resolve) => setTimeout(resolve, 100));
}

function choose(panel: "faults" | "checkpoints"): void {
  store.dispatch({ type: "focus", panel });
  store.dispatch({ type: "choose", by: -1 });
}

function shown(panel: "faults" | "verdict"): string {
  const view = store.explorer.panel(panel, store.state);
  return view.lines(0, view.length).map(textOf).join("\n");
}

describe("a branch", () => {
  it("has a fault switched off, begins where it parts from the run, and leads back to where one was", async () => {
    choose("faults");
    await ask("toggle");
    expect(store.explorer.branch).toBe("without faults");
    expect(store.state.step).toBe(STRIKES);
    expect(store.explorer.journey.tape.result.verdict).toBe("ok");
    expect(store.state.message?.text).toContain("ok, the original: violation");
    expect(shown("faults")).toMatch(new RegExp(`^- ${FAULT} +switched off`, "m"));
    store.dispatch({ type: "step", by: 5 });
    await ask("back");
    expect(store.explorer.journey).toBe(journey);
    expect(store.state.step).toBe(400);
    await ask("back");
    expect([store.explorer.branch, store.state.step]).toEqual(["without faults", STRIKES + 5]);
  });

  it("is not made twice, and gone when the fault is on again", async () => {
    choose("faults");
    await ask("toggle");
    const branch = store.explorer;
    await ask("toggle");
    expect(store.explorer.journey).toBe(journey);
    await ask("toggle");
    expect(store.explorer).toBe(branch);
  });

  it("is compared with the run that it came from", async () => {
    choose("faults");
    await ask("toggle");
    store.dispatch({ type: "go", to: "end" });
    await ask("compare");
    expect(store.state).toMatchObject({ step: STRIKES, focus: "verdict" });
    const text = shown("verdict");
    expect(text).toMatch(new RegExp(`they part at 2.000s: step ${STRIKES} of the run`));
    expect(text).toMatch(/^~ verdict +violation +ok$/m);
    expect(text.split("\n- exactly-once output")).toHaveLength(findings.length + 1);
  });

  it("can be made again by a record, which copying writes", async () => {
    choose("faults");
    await ask("toggle");
    await ask("copy");
    const [file] = readdirSync(join(cwd, ".whitewater"));
    expect(requests.copied).toEqual([expect.stringContaining(`npx whitewater replay .whitewater/${file} --at ${STRIKES}`)]);
    const record = readRecord(join(cwd, ".whitewater", file ?? ""), "branch");
    expect([record.plan, record.verdict, record.digest]).toEqual([[], "ok", store.explorer.journey.tape.result.digest]);
  });

  it("begins from the chosen checkpoint in a fresh cluster", async () => {
    store.dispatch({ type: "go", to: "end" });
    choose("checkpoints");
    store.dispatch({ type: "choose", by: -9 });
    await ask("restore");
    expect(store.explorer.branch).toBe("from checkpoint 1");
    expect(store.state.step).toBe(0);
    await ask("copy");
    expect(store.state.message).toMatchObject({ tone: "bad", text: expect.stringContaining("begins from checkpoint 1") });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it("begins from the last complete checkpoint where none is chosen", async () => {
    await ask("restore");
    expect(store.explorer.branch).toBe("from checkpoint 2");
  });

  it.each([
    ["toggle", "toggle: no fault is chosen; choose one in panel 4 with j and k"],
    ["back", "back: nothing has branched off from this run; r restores a checkpoint, t toggles a fault"],
    ["compare", "compare: this run is no branch; r restores a checkpoint, t toggles a fault"],
  ] as const)("is not there: %s says so", async (what, text) => {
    await ask(what);
    expect(store.state.message).toEqual({ text, tone: "bad" });
    expect(store.explorer.journey).toBe(journey);
  });

  it("is refused where no checkpoint is complete", async () => {
    store.dispatch({ type: "go", to: "start" });
    await ask("restore");
    expect(store.state.message?.text).toBe("restore: no checkpoint is complete at step 0; go to where one is (c)");
  });
});
