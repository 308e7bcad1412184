import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decisionOf } from "#whitewater/reports/travel/checkpoint-span.js";
import type { Journey } from "#whitewater/reports/travel/journey.js";
import { runIndexOf } from "#whitewater/reports/travel/run-index.js";
import { show } from "#whitewater/reports/views/show.js";
import { cellOf, TIMELINE_MARKS, type TimelineMark, timelineFacts, timelineView } from "#whitewater/reports/views/timeline-view.js";
import type { Finding } from "#whitewater/simulator/run-result.js";
import type { RunTape } from "#whitewater/simulator/timetravel/run-tape.js";
import { journeyTo, textsOf } from "./journeys.js";

let flights: Journey;
let upgrade: Journey;

beforeAll(() => {
  flights = journeyTo("flights", "4");
  upgrade = journeyTo("rolling-upgrade", "6");
}, 120_000);

afterAll(() => {
  flights.machine.release();
  upgrade.machine.release();
});

/** The same run, in which something was found at these steps. */
function withFindings(tape: RunTape, steps: readonly number[]): RunTape {
  const findings = steps.map((step): Finding => ({ oracle: "exactly-once state", message: "one too many", step, atUs: 0 }));
  return new Proxy(tape, {
    get: (of, name) => {
      if (name === "result") return { ...of.result, findings };
      const value = Reflect.get(of, name, of) as unknown;
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
}

describe("the timeline of a run", () => {
  test.each([1, 2, 40, 78, 200, 9000])("has exactly %i cells, which hold every step once", (width) => {
    const { tape } = flights;
    const { cells } = timelineFacts(tape, width, 17);
    expect(cells).toHaveLength(width);
    expect(cells.filter(({ hasCursor }) => hasCursor)).toHaveLength(1);
    for (let step = 0; step <= tape.steps; step += 1) {
      const cell = cells[cellOf(step, tape.steps, width)];
      expect(step >= (cell?.first ?? NaN) && step <= (cell?.last ?? NaN), `${step}`).toBe(true);
    }
    expect(cellOf(0, tape.steps, width)).toBe(0);
    if (width <= tape.steps) expect(cellOf(tape.steps, tape.steps, width)).toBe(width - 1);
  });

  test("shows the most important of what lies in a cell", () => {
    for (const { tape } of [flights, upgrade]) {
      const index = runIndexOf(tape);
      const { cells } = timelineFacts(tape, 60, 0);
      for (const { first, last, mark } of cells) {
        const lies = (step: number | null): boolean => step !== null && step >= first && step <= last;
        const seen: TimelineMark[] = ["quiet"];
        if (index.faults.some(({ step }) => lies(step))) seen.push("fault");
        if (index.restarts.some(({ step }) => lies(step))) seen.push("restart");
        if (index.versions.some(({ step }) => lies(step))) seen.push("version");
        if (index.leaders.slice(1).some(({ step }) => lies(step))) seen.push("leader");
        for (const span of index.checkpoints) {
          if (span.triggerStep <= last && (decisionOf(span) ?? tape.steps) >= first) seen.push("checkpoint running");
          if (lies(span.abortStep)) seen.push("checkpoint aborted");
          if (lies(span.completeStep)) seen.push(span.isSavepoint ? "savepoint" : span.subsumeStep === null ? "checkpoint complete" : "checkpoint subsumed");
          if (lies(span.completeStep ?? span.abortStep ?? span.abandonStep) && span.completeStep === null && span.abortStep === null) seen.push("checkpoint abandoned");
        }
        const most = Math.max(...seen.map((one) => TIMELINE_MARKS.indexOf(one)));
        expect(mark, `steps ${first} to ${last}`).toBe(TIMELINE_MARKS[most]);
      }
      expect(new Set(cells.map(({ mark }) => mark)).size).toBeGreaterThan(4);
    }
  });

  test("shows a violation before all else", () => {
    const [fault] = runIndexOf(flights.tape).faults;
    const step = fault?.step ?? NaN;
    const tape = withFindings(flights.tape, [step, flights.tape.steps + 3]);
    const { facts, lines } = timelineView(tape, 78, step);
    expect(facts.cells[cellOf(step, tape.steps, 78)]?.mark).toBe("violation");
    expect(facts.cells.at(-1)?.mark).toBe("violation");
    const [run = "", legend = ""] = textsOf(lines);
    expect(run[cellOf(step, tape.steps, 78)]).toBe("!");
    expect(run.endsWith("!")).toBe(true);
    expect(legend).toContain("! violation");
  });

  test.each([
    ["at the start", 0],
    ["in the middle", 2500],
    ["at the end", 5675],
  ])("has the cursor under it, and what fits of a legend beside it (%s)", (_where, step) => {
    for (const width of [1, 12, 78, 160]) {
      const [run = "", under = "", ...more] = textsOf(timelineView(flights.tape, width, step).lines);
      expect(more).toEqual([]);
      expect(run).toHaveLength(width);
      expect(under.length).toBeLessThanOrEqual(width);
      expect(under.indexOf("▲")).toBe(cellOf(step, flights.tape.steps, width));
      if (width >= 78) expect(under).toContain("▼ fault  R restart");
    }
  });

  test("can be drawn in ASCII, with as many different marks", () => {
    for (const { tape } of [flights, upgrade]) {
      const fancy = textsOf(timelineView(tape, 120, 100).lines);
      const plain = textsOf(timelineView(tape, 120, 100, true).lines);
      expect(plain.join("")).toMatch(/^[ -~]+$/);
      expect(plain.map((text) => text.length)).toEqual(fancy.map((text) => text.length));
      expect(new Set(plain[0]).size).toBe(new Set(fancy[0]).size);
      expect(new Set(plain[0]).size).toBeGreaterThan(5);
    }
  });

  test("is to be had as text", () => {
    expect(textsOf(show("timeline", flights, 400).lines)).toEqual(textsOf(timelineView(flights.tape, 78, 400).lines));
  });
});
