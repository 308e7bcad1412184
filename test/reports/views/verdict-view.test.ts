import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failureReport } from "#whitewater/reports/cli/failures.js";
import { failureBlock } from "#whitewater/reports/document/failure-block.js";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { type Journey, journeyOf } from "#whitewater/reports/travel/journey.js";
import { show } from "#whitewater/reports/views/show.js";
import { failureOf, verdictFacts, verdictView } from "#whitewater/reports/views/verdict-view.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { whitewater } from "../cli/in-process.ts";
import { journeyTo, textsOf } from "./journeys.js";

const SHOWN = "scenarios/tour/tour.json";
const root = fileURLToPath(new URL("../../../", import.meta.url));
const { seed, profile, options, maxSteps, plan, findings: recorded } = readRecord(join(root, SHOWN), SHOWN);
const source = { kind: "library", name: "tour", input: null } as const;

let failing: Journey;
let sound: Journey;

beforeAll(() => {
  const request = { seed, profile, fixed: options, plan, oracles: true, checked: false, maxSteps };
  failing = { ...journeyOf(new Simulator(tour), request), origin: { source, record: SHOWN } };
  sound = journeyTo("rolling-upgrade", "6");
}, 120_000);

afterAll(() => {
  failing.machine.release();
  sound.machine.release();
});

describe("the verdict of a failing run", () => {
  test("begins with the failure block, word for word", () => {
    const run = { result: failing.tape.result, checked: false, runs: 1, agreeing: 1 };
    const report = failureReport(run, { tool: "", source, profile, fixed: options, maxSteps }, SHOWN);
    const block = failureBlock(report);
    expect(textsOf(show("verdict", failing, 300).lines).slice(0, block.length)).toEqual(block);
    expect(block.slice(-2)).toEqual([`reproduce:  npx whitewater replay ${SHOWN}`, `explore:    npx whitewater ui ${SHOWN}`]);
  });

  test("has each finding at the step at which its oracle saw it, and where that lies", () => {
    const [first, second] = recorded.map(({ step }) => step);
    if (first === undefined || second === undefined) throw new Error("there are findings");
    expect(second).toBeGreaterThan(first);
    const placesAt = (step: number): readonly string[] => verdictFacts(failing.tape, step, null).findings.map(({ place }) => place);
    expect(placesAt(first - 1)).toEqual(recorded.map(() => "ahead"));
    expect(placesAt(first)).toEqual(recorded.map(({ step }) => (step === first ? "here" : "ahead")));
    expect(placesAt(second)).toEqual(recorded.map(({ step }) => (step === second ? "here" : step < second ? "before" : "ahead")));
    expect(new Set(placesAt(failing.tape.steps))).toEqual(new Set(["before"]));
    const { facts } = verdictView(failing.tape, first, failureOf(failing));
    expect(facts.findings.map(({ index, oracle, message, step, atUs }) => ({ index, oracle, message, step, atUs }))).toEqual(
      recorded.map((finding, index) => ({ index, ...finding })),
    );
  });

  test("says so in words and with a mark, too", () => {
    const [first = 0] = recorded.map(({ step }) => step);
    const { lines, rows } = verdictView(failing.tape, first, failureOf(failing));
    const texts = textsOf(lines);
    expect(rows).toHaveLength(recorded.length);
    for (const { line, finding } of rows) {
      expect(texts[line]).toContain(finding.message);
      expect(texts[line]).toMatch(finding.step === first ? /^> ! step 539, t=\d\.\d{3}s \(here\)/ : /^ {2}! step \d+, t=\d\.\d{3}s \(still to come\)/);
    }
    const later = verdictView(failing.tape, first + 1, failureOf(failing));
    expect(textsOf(later.lines)[rows[0]?.line ?? 0]).toMatch(/^ {2}! .*\(before\)/);
  });

  test("is plain data", () => {
    const { facts } = verdictView(failing.tape, 10, failureOf(failing));
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
  });

  test("says that a run which is another one when it is taken again is not determined", () => {
    const deviation = { step: 64, expected: "aa", actual: "bb" };
    const machine = Object.create(failing.machine, { deviation: { value: deviation } }) as Journey["machine"];
    expect(failureOf({ ...failing, machine })).toEqual(expect.objectContaining({ runs: 2, agreeing: 1 }));
  });

  test("names no command that makes a branch again", () => {
    const branch = { of: failing } as unknown as NonNullable<Journey["branch"]>;
    const { facts, lines } = verdictView(failing.tape, 10, failureOf({ ...failing, branch }));
    expect(facts.failure).toEqual(expect.objectContaining({ reproduce: [], record: null, verdict: "violation" }));
    expect(textsOf(lines).filter((text) => /^(reproduce|record):/.test(text))).toEqual([]);
    expect(textsOf(lines)).toContain("a branch of another run: only a record of it makes it again");
  });

  test("is what replay prints", async () => {
    const { stdout } = await whitewater(root, ["replay", SHOWN, "--show", "verdict", "--at", "violation"]);
    expect(stdout.split("\n").slice(2, -1)).toEqual(textsOf(show("verdict", failing, recorded[0]?.step ?? 0).lines));
  });
});

test("the verdict of a sound run says what happened in it, and has no failure", () => {
  const { facts, lines } = verdictView(sound.tape, 10, failureOf(sound));
  expect(facts).toEqual(expect.objectContaining({ verdict: "ok", failure: null, findings: [] }));
  const { steps, checkpointsCompleted, digest, plan: planned, faults } = sound.tape.result;
  expect(textsOf(lines)[0]).toBe("verdict  ok");
  expect(textsOf(lines)[1]).toContain(`${checkpointsCompleted} checkpoints completed, 2 restarts`);
  expect(textsOf(lines)[1]).toContain(`${String(steps).replace(/(\d)(\d{3})$/, "$1,$2")} steps`);
  const fired = faults.filter(({ outcome }) => outcome === "fired").length;
  expect(textsOf(lines)[2]).toBe(`${fired} of ${planned.length} faults fired; digest ${digest}`);
});
