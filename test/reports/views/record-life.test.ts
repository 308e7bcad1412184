import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import type { Journey } from "#whitewater/reports/travel/journey.js";
import { journeyOf } from "#whitewater/reports/travel/journey.js";
import { recordIndexOf } from "#whitewater/reports/travel/record-index-of.js";
import { textOf } from "#whitewater/reports/views/line.js";
import type { LifeFact } from "#whitewater/reports/views/record-fact.js";
import type { RecordLife } from "#whitewater/reports/views/record-life.js";
import { lifeOf } from "#whitewater/reports/views/record-life.js";
import { parseRecord } from "#whitewater/reports/views/record-name.js";
import { lifeLines, recordView } from "#whitewater/reports/views/record-view.js";
import { show } from "#whitewater/reports/views/show.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { RunOptions } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { RecordIndex } from "#whitewater/simulator/timetravel/record-index.js";
import { indexRecords } from "#whitewater/simulator/timetravel/record-index.js";
import { PASSAGE } from "#whitewater/simulator/timetravel/record-passages.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";

const CRASH: FaultPlan = [{ id: "f1", kind: "process-crash", process: "worker-1", at: { on: "time", atUs: 7_000_000 } }];
const PLAIN: Partial<RunOptions> = { backend: "heap", mode: "aligned", restore: "full", parallelism: 2, parallelismAfter: 2, failover: "job" };

let libraries: StateLibraries;
beforeAll(async () => {
  libraries = await loadStateLibraries();
});

interface Watched {
  readonly journey: Journey;
  readonly index: RecordIndex;
}

afterAll(() => {
  for (const { journey } of KEPT.values()) journey.machine.release();
});

const KEPT: Map<string, Watched> = new Map();

function watched(scenario: string, fixed: Partial<RunOptions>, plan: FaultPlan | null = CRASH, seed: string = "5"): Watched {
  const name = JSON.stringify([scenario, fixed, plan, seed]);
  const known = KEPT.get(name);
  if (known !== undefined) return known;
  const request: RunRequest = { seed, profile: "swarm", fixed, plan, oracles: true, checked: false, maxSteps: 1_000_000 };
  const journey = journeyOf(new Simulator(present(scenarioNamed(scenario), "the scenario exists"), libraries), request);
  const made = { journey, index: present(recordIndexOf(journey), "its records carry ids") };
  KEPT.set(name, made);
  return made;
}

const LIVES: Map<RecordIndex, readonly RecordLife[]> = new Map();

/** Of all records of the sources, by id. */
function lives({ journey, index }: Watched): readonly RecordLife[] {
  const known = LIVES.get(index) ?? Array.from({ length: index.ids.total }, (_, id) => lifeOf(id, index, journey.tape));
  LIVES.set(index, known);
  return known;
}

function own({ facts }: RecordLife): readonly LifeFact[] {
  return facts.filter(({ derived }) => derived === null);
}

/** Points of a kind of frame, and the records in them. */
function recordsIn({ journey: { tape } }: Watched, kind: number): number {
  let records = 0;
  for (let point = 0; point < tape.points; point += 1) if (tape.kindOf(point) === kind) records += tape.yOf(point);
  return records;
}

/** Passages of all records, also derived ones. */
function passagesOf({ index }: Watched, what: number): number {
  const emitted = new Set(index.passages.emissions().map(({ id }) => id));
  const ids = [...Array.from({ length: index.ids.total }, (_, id) => id), ...emitted];
  return ids.reduce((sum, id) => sum + index.passages.of(id).filter((one) => one.what === what).length, 0);
}

describe("watching records", () => {
  test.each([
    ["flights", PLAIN, CRASH],
    ["flights", { ...PLAIN, mode: "unaligned", backend: "sqlite" }, null],
    ["word-count", { ...PLAIN, backend: "lsm", restore: "incremental" }, null],
    ["two-pipelines", { backend: "heap" }, null],
    ["flights-late", { backend: "heap" }, null],
  ] as const)("does not change the run (%s, %j)", (scenario, fixed, plan) => {
    const { index, journey } = watched(scenario, fixed, plan);
    expect(journey.tape.result.verdict).toBe("ok");
    expect(index.deviation).toBeNull();
    expect(index.historyProblem).toBeNull();
    expect(index.passages.count).toBeGreaterThan(index.ids.total);
  });

  test("says so where the run is not the one on the tape", () => {
    const { journey } = watched("flights", PLAIN);
    const other = watched("flights", PLAIN, []);
    const index = present(indexRecords(other.journey.run, journey.tape), "its records carry ids");
    expect(index.deviation).not.toBeNull();
    expect(lifeOf(0, index, journey.tape).problems.join()).toMatch(/another one from step \d+ on/);
  });

  test("follows nothing where records carry no ids", () => {
    const request: RunRequest = { seed: "5", profile: "swarm", fixed: PLAIN, plan: CRASH, oracles: false, checked: false, maxSteps: 1_000_000 };
    const journey = journeyOf(new Simulator(present(scenarioNamed("flights"), "the scenario exists"), libraries), request);
    expect(recordIndexOf(journey)).toBeNull();
    expect(() => recordView(journey, 1, "31")).toThrow(/carry no ids/);
    expect(() => show("events:key:ORD", journey, 1)).toThrow(/carry no ids/);
    journey.machine.release();
  });

  test("sees every record in every buffer that was sent and that arrived", () => {
    const run = watched("flights", PLAIN);
    expect(passagesOf(run, PASSAGE.sent)).toBe(recordsIn(run, PORT_TRACE.frameSent));
    expect(passagesOf(run, PASSAGE.arrived)).toBe(recordsIn(run, PORT_TRACE.frameDelivered));
    // Those that were lost were sent twice.
    expect(passagesOf(run, PASSAGE.sent)).toBeGreaterThan(run.index.ids.total);
  });

  test("sees every result in its committed transaction", () => {
    const { index, journey } = watched("flights", PLAIN);
    const written = new Set(index.passages.emissions().map(({ id }) => id));
    let committed = 0;
    for (const id of written) {
      for (const { what, detail } of index.passages.of(id)) {
        if (what !== PASSAGE.written) continue;
        const transaction = index.transactions.get(index.passages.textOf(detail) ?? "");
        if ((transaction?.committedAt ?? null) !== null) committed += 1;
      }
    }
    const world = journey.machine.seek(journey.tape.steps);
    const inLog = world.log.inspect().transactions.filter(({ status }) => status === "committed");
    expect(inLog.length).toBeGreaterThan(2);
    expect(committed).toBe(inLog.reduce((sum, { records }) => sum + records, 0));
  });

  test("keeps the index of a journey", () => {
    const { journey, index } = watched("flights", PLAIN);
    expect(recordIndexOf(journey)).toBe(index);
  });
});

describe("the life of a record", () => {
  test("goes from the log through the job into a checkpoint, in order", () => {
    const run = watched("flights", PLAIN, []);
    const life = lifeOf(31, run.index, run.journey.tape);
    const said = own(life).map(({ where, what }) => `${where}: ${what}`);
    expect(said).toEqual([
      "flights/0: arrived in the log at offset 31",
      "flights[0]: read",
      expect.stringMatching(/^flights\[0\]: sent to delays -> airport-delays\[[01]\] in a buffer of \d+ records?$/),
      expect.stringMatching(/^delays -> airport-delays\[[01]\]: arrived from flights\[0\] in a buffer of \d+ records?$/),
      expect.stringMatching(/^delays\[[01]\]: added to key [A-Z]{3}, window \[2001-01-01, 2001-01-29\)$/),
      expect.stringMatching(/^checkpoint \d+: completed with offset \d+ of flights\/0: behind it$/),
      expect.stringMatching(/^checkpoint \d+: completed with it in what delays\[[01]\] has applied$/),
    ]);
    expect(life).toMatchObject({ id: 31, name: "record 31 of flights/0", applied: [{ operator: "delays", times: 1, late: 0, isRight: true }], problems: [] });
  });

  test("ends in the transaction with which its result was committed", () => {
    const run = watched("flights", PLAIN, []);
    const derived = lifeOf(31, run.index, run.journey.tape).facts.filter((fact) => fact.derived !== null);
    expect(derived.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^emitted derived record \d+ as result of key [A-Z]{3}, window \[2001-01-01, 2001-01-29\)$/),
      expect.stringMatching(/^written to transaction airport-delays/),
      expect.stringMatching(/was prepared$/),
      expect.stringMatching(/was committed: the result is visible$/),
    ]);
  });

  test("leads to the results of the window that it was added to, and to no others", () => {
    for (const { facts } of lives(watched("flights", PLAIN))) {
      const cell = (what: string): string => what.slice(what.indexOf("key "));
      const added = new Set(facts.filter(({ what }) => what.startsWith("added to key")).map(({ what }) => cell(what)));
      const results = facts.filter(({ what }) => what.startsWith("emitted derived record")).map(({ what }) => cell(what));
      expect(added.size).toBe(1);
      expect([...new Set(results)]).toEqual([...added]);
    }
  });

  test("of every record: in order, within the run, applied once in what survived", () => {
    const run = watched("flights", PLAIN);
    for (const life of lives(run)) {
      const steps = life.facts.map(({ step }) => step);
      expect(steps.every((step, i) => i === 0 || step >= (steps[i - 1] as number))).toBe(true);
      expect(steps.at(-1)).toBeLessThanOrEqual(run.journey.tape.steps);
      expect(life.facts[0]?.what).toMatch(/^arrived in the log/);
      expect(life.facts[1]?.what).toBe("read");
      expect(life.applied).toEqual([{ operator: "delays", times: 1, late: 0, isRight: true }]);
    }
  });

  test("says what a crash lost, and that it was read again by a later attempt", () => {
    const all = lives(watched("flights", PLAIN)).map(own);
    const lost = all.filter((facts) => facts.some(({ what }) => what.startsWith("LOST")));
    const kept = all.filter((facts) => facts.some(({ what }) => what.startsWith("kept")));
    expect(lost.length).toBeGreaterThan(5);
    expect(kept.length).toBeGreaterThan(5);
    for (const facts of lost) {
      const at = facts.findIndex(({ what }) => what.startsWith("LOST"));
      const restart = present(facts[at], "it was found");
      expect(restart).toMatchObject({ where: "restart", tone: "bad" });
      expect(restart.what).toMatch(/first of all: .*worker-1 crashed \(incarnation 1\)/);
      const again = facts.slice(at).find(({ what }) => what === "read again");
      expect(again?.attempt).toBe(restart.attempt);
      expect(facts.findLast(({ what }, i) => i < at && what === "read")?.attempt).toBeLessThan(restart.attempt ?? 0);
    }
    for (const facts of kept) expect(facts.some(({ what }) => what === "read again")).toBe(false);
  });

  test("knows in which checkpoints a record is in flight, and that it comes from there after a restart", () => {
    const run = watched("hot-key", { backend: "heap", mode: "unaligned", restore: "full", failover: "job" }, null);
    const all = lives(run).map(own);
    const inFlight = all.filter((facts) => facts.some(({ what }) => /completed with it in flight on \S+->\S+$/.test(what)));
    expect(inFlight.length).toBeGreaterThan(50);
    const restored = all.filter((facts) => facts.some(({ what }) => what.endsWith("from the in-flight data of the checkpoint")));
    expect(restored.length).toBeGreaterThan(0);
    for (const facts of restored) {
      expect(facts.some(({ what }) => /^kept: checkpoint \d+ has it in flight on \S+->\S+ \(/.test(what))).toBe(true);
    }
  });

  test("tells what a process function emitted for it, and what its timer emitted for the key", () => {
    const said = lives(watched("timers", { backend: "heap" }, null)).flatMap(({ facts }) => facts.map(({ what }) => what));
    expect(said.some((what) => /^emitted derived record \d+ for record \d+$/.test(what))).toBe(true);
    expect(said.some((what) => /^emitted derived record \d+ at timer [\d.]+s of key device-\d$/.test(what))).toBe(true);
  });

  test("of a record that comes too late says so", () => {
    const run = watched("flights-late", { backend: "heap" }, null);
    const late = lives(run).filter(({ facts }) => facts.some(({ what }) => what.startsWith("came too late for its window")));
    expect(late.length).toBeGreaterThan(0);
    for (const { applied } of late) expect(applied.reduce((sum, one) => sum + one.late, 0)).toBeGreaterThan(0);
  });

  test("shows a record that was applied twice, where once is right", () => {
    const { journey } = watched("flights", PLAIN);
    const index = present(indexRecords(journey.run, journey.tape), "its records carry ids");
    const place = index.passages.of(31).find(({ what }) => what === PASSAGE.settled)?.place;
    const number = index.passages.places.indexOf(present(place, "a checkpoint has it"));
    index.passages.add(PASSAGE.settled, 31, journey.tape.steps, number, 99, 1);
    const life = lifeOf(31, index, journey.tape);
    expect(life.applied).toEqual([{ operator: "delays", times: 2, late: 0, isRight: false }]);
    expect(textOf(lifeLines(life, 0).at(-1) ?? [])).toMatch(/^! in the surviving history, delays applied it 2 times \(once is right\), up to checkpoint \d+/);
  });

  test("as lines: the important part in 78 columns, the step at hand and what went wrong marked", () => {
    const run = watched("flights", PLAIN);
    const id = lives(run).findIndex((life) => own(life).some(({ what }) => what.startsWith("LOST")));
    const lost = present(own(lifeOf(id, run.index, run.journey.tape)).find(({ what }) => what.startsWith("LOST")), "it was found");
    const lines = recordView(run.journey, lost.step, String(id)).lines.map(textOf);
    expect(lines[0]).toMatch(new RegExp(`^the life of record \\d+ of flights/\\d  \\(id ${id}\\)$`));
    const marked = lines.filter((text) => text.startsWith(">"));
    expect(marked).toHaveLength(1);
    expect(marked[0]).toMatch(new RegExp(`^> *${lost.step} .*!restart +LOST: checkpoint \\d+`));
    expect(marked[0]?.slice(0, 78)).toMatch(/LOST: checkpoint \d+ is from before it/);
  });

  test("shows what comes from outside as it is", () => {
    const life: RecordLife = {
      id: 1,
      name: "record 1 of \u001b[31mtopic/0",
      value: '"\u001b]52;c;x\u0007"',
      timestamp: null,
      facts: [{ step: 1, atUs: 0, attempt: 1, where: "a\nb", what: "key \u202e", derived: null, tone: "plain" }],
      applied: [{ operator: "op\u001b[0m", times: 1, late: 1, isRight: null }],
      upTo: 3,
      problems: ["\u0000"],
    };
    for (const text of lifeLines(life, 1).map(textOf)) expect(text).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});

describe("the name of a record", () => {
  test.each([
    ["31", 31],
    [" 31 ", 31],
    ["flights/0@31", 31],
    ["record 31 of flights/0", 31],
    ["31 of flights/0", 31],
  ])("%j is a record", (name, id) => expect(parseRecord(name, watched("flights", PLAIN).index)).toBe(id));

  test("of another partition is counted from its first record", () => {
    const { index } = watched("flights", PLAIN);
    const id = parseRecord("flights/1@2", index);
    expect(index.ids.describe(id)).toBe("record 2 of flights/1");
  });

  test("of a derived record is what findings call it", () => {
    const { index } = watched("flights", PLAIN);
    const id = present(index.passages.emissions()[0], "something was emitted").id;
    expect(parseRecord(`derived record ${id}`, index)).toBe(id);
    expect(parseRecord(index.ids.describe(id), index)).toBe(id);
  });

  test.each([
    ["", /is none/],
    ["x", /is none/],
    ["99999999", /have the records 0 to \d+, and nothing derived has this number/],
    ["flight/0@1", /did you mean flights\?/],
    ["nowhere/0@1", /it has flights/],
    ["flights/99@1", /has \d partitions/],
    ["flights/0@999999", /has \d+ records/],
  ])("%j is refused, with the reason and what to give", (name, reason) => {
    const { index } = watched("flights", PLAIN);
    expect(() => parseRecord(name, index)).toThrow(reason);
    expect(() => parseRecord(name, index)).toThrow(/record:31/);
  });
});

describe("events of a key", () => {
  test("are those of the steps in which a record with it is applied", () => {
    const { journey, index } = watched("flights", PLAIN);
    const steps = new Set(index.passages.stepsOfKey("ORD"));
    const life = lives({ journey, index }).find(({ facts }) => facts.some(({ what }) => what.startsWith("added to key ORD")));
    const added = life?.facts.find(({ what }) => what.startsWith("added to key ORD"));
    expect(steps).toContain(added?.step);
    const { facts } = show("events:key:ORD subject:delays", journey, added?.step ?? 0) as { facts: { count: number; points: readonly { step: number; subject: string }[] } };
    expect(facts.count).toBeGreaterThan(0);
    for (const { step, subject } of facts.points) {
      expect(steps).toContain(step);
      expect(subject).toMatch(/^delays\[\d\]$/);
    }
    expect(index.passages.stepsOfKey("no such key")).toEqual([]);
  });
});
