import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Journey } from "#whitewater/reports/travel/journey.js";
import { parseStateArgument } from "#whitewater/reports/views/inspect/state-argument.js";
import type { OperatorState } from "#whitewater/reports/views/inspect/operator-state.js";
import { currentEntries } from "#whitewater/reports/views/inspect/operator-state.js";
import { stateFrame, StateFrames } from "#whitewater/reports/views/inspect/state-frames.js";
import type { StateFacts } from "#whitewater/reports/views/inspect/state-view.js";
import { stateView } from "#whitewater/reports/views/inspect/state-view.js";
import { TimeMachine } from "#whitewater/simulator/timetravel/time-machine.js";
import { firstStep, smallJourney, stepOf, textsOf } from "./small-journeys.ts";

let journey: Journey;
/** A buffer of records reaches the sum in it. */
let step: number;
beforeAll(() => {
  const fixed = { backend: "heap", mode: "aligned", parallelism: 2, parallelismAfter: 2 } as const;
  journey = smallJourney("word-count", "5", { fixed, plan: [{ id: "throws", kind: "user-exception", at: { on: "event", event: "userCall", subject: "sum[0]", x: null, nth: 150, when: "before" } }] });
  step = firstStep(journey, 800, (one) => journey.tape.pointsOf(one).some(({ event, subject, y }) => event === "bufferConsumed" && subject.startsWith("sum") && y > 0));
});
afterAll(() => journey.machine.release());

function texts(argument: string, at: number = step): readonly string[] {
  return textsOf(stateView(journey, at, argument));
}

function facts(argument: string, at: number = step): StateFacts {
  return stateView(journey, at, argument).facts as StateFacts;
}

describe("the state of an operator", () => {
  test("is compared with the step before, and what differs is marked where it stands too", () => {
    const [{ compared, subtasks } = { compared: null, subtasks: [] }] = facts("sum").operators;
    expect(compared).toMatchObject({ with: "step", step: step - 1, isKnown: true });
    const changes = compared?.changes.items ?? [];
    expect(changes.length).toBeGreaterThan(0);
    for (const { mark, part, before, now } of changes) {
      expect([mark, part, before === null]).toEqual([before === null ? "+" : "~", "keyed", mark === "+"]);
      expect(now).toMatch(/^\{count: \d+, word: ".*"\} {2}\d+ records?, last #\d+$/);
    }
    const marked = subtasks.flatMap(({ entries }) => entries.items.filter(({ mark }) => mark !== " "));
    expect(marked.map(({ key }) => key).sort()).toEqual(changes.map(({ key }) => key).sort());
    const shown = texts("sum");
    expect(shown[0]).toBe("  sum  reduce, in sum -> counts  2 subtasks");
    expect(shown[1]).toBe(`  ${changes.length} difference${changes.length === 1 ? "" : "s"} to step ${step - 1}`);
    expect(shown.filter((text) => /^[+~] {5}"/.test(text))).toHaveLength(changes.length);
  });

  test("shows values as the user made them, and the ids that they carry beside them", () => {
    const entries = facts("sum").operators[0]?.subtasks.flatMap((subtask) => subtask.entries.items) ?? [];
    expect(entries.length).toBeGreaterThan(10);
    for (const { key, value } of entries) {
      const [, count, records] = /^\{count: (\d+), word: ".*"\} {2}(\d+) record/.exec(value) ?? [];
      expect([key, count]).toEqual([key, records]);
    }
  });

  test("can be that of one subtask, of a vertex by its name, and of what is chained to it", () => {
    expect(facts("sum[1]").operators[0]?.subtasks.map(({ name }) => name)).toEqual(["sum[1]"]);
    expect(facts("sum -> counts").operators.map(({ name }) => name)).toEqual(["sum", "counts"]);
    expect(facts("sum -> counts[0]").operators.flatMap(({ subtasks }) => subtasks.map(({ name }) => name))).toEqual(["sum[0]", "counts[0]"]);
  });

  test("can be compared with any other step, and with the reference", () => {
    const later = facts(`sum~${step}`, step + 200).operators[0]?.compared;
    const earlier = facts(`sum~${step + 200}`, step).operators[0]?.compared;
    expect(later?.changes.total).toBeGreaterThan(facts("sum").operators[0]?.compared?.changes.total ?? 0);
    const turned = { "+": "-", "-": "+", "~": "~" } as const;
    expect(earlier?.changes.items.map(({ mark, key, before, now }) => ({ mark, key, before, now }))).toEqual(
      later?.changes.items.map(({ mark, key, before, now }) => ({ mark: turned[mark], key, before: now, now: before })),
    );
    expect(texts("sum~reference")[1]).toBe("  no difference to the reference");
    expect(texts("words~reference")[1]).toMatch(/^\? not compared with the reference: the operator keeps no keyed state/);
  });

  test("is bounded by a window, whose totals are those of all", () => {
    const all = facts(`sum~${step - 300}`).operators[0];
    const part = facts(`sum~${step - 300},from=1,limit=2`).operators[0];
    expect(part?.compared?.changes).toMatchObject({ total: all?.compared?.changes.total, offset: 1, items: all?.compared?.changes.items.slice(1, 3) });
    expect(part?.subtasks[0]?.entries).toMatchObject({ total: all?.subtasks[0]?.entries.total, items: all?.subtasks[0]?.entries.items.slice(1, 3) });
    const filtered = facts('sum,key="the"').operators[0]?.subtasks.flatMap(({ entries }) => entries.items.map(({ key }) => key));
    expect(filtered).toEqual(['"the"']);
    expect(texts("sum,limit=1").filter((text) => text.includes("entries 1 to 1 of"))).toHaveLength(2);
  });

  test("is refused where there is no such operator, or no such subtask, with what there is", () => {
    expect(() => facts("summ")).toThrow(/the operator summ: is none of this job \(did you mean sum\?\); choose one of: words, sum, counts/);
    expect(() => facts("sum[2]")).toThrow(/the operator sum\[2\]: has the subtasks 0 to 1 at this moment/);
    expect(() => facts("sum~nowhere")).toThrow(/the place "nowhere"/);
  });
});

describe("going back over steps", () => {
  test.each([
    ["word-count", "sum", 900],
    ["flights", "delays", 1_500],
  ])("shows of %s what going forwards shows", (scenario, operator, from) => {
    const own = smallJourney(scenario, "1", { fixed: { backend: "heap", mode: "aligned" } });
    const steps = Array.from({ length: 12 }, (_, i) => from + i);
    const shown = (order: readonly number[]): ReadonlyMap<number, string> => new Map(order.map((one) => [one, JSON.stringify(stateView(own, one, operator).facts)]));
    const back = shown(steps.toReversed());
    const { entries } = (stateView(own, from, operator).facts as StateFacts).operators[0]?.subtasks[0] ?? {};
    expect(entries?.total).toBeGreaterThan(5);
    const fresh = { ...own, machine: new TimeMachine(own.run, own.tape) };
    for (const one of steps) expect(JSON.stringify(stateView(fresh, one, operator).facts)).toBe(back.get(one));
    expect(new Set(back.values()).size).toBeGreaterThan(1);
    fresh.machine.release();
    own.machine.release();
  });
});

describe("frames that are large", () => {
  test("are those of their steps, in whatever order they are asked for", () => {
    const machine = new TimeMachine(journey.run, journey.tape);
    const frames = new StateFrames(machine, "sum", 3);
    const values = (states: readonly OperatorState[] | undefined): string => JSON.stringify(states?.map(currentEntries));
    const fresh = new TimeMachine(journey.run, journey.tape);
    for (const one of [step, step - 1, step, step + 5, step + 4, step + 5, step - 40]) {
      expect(values(frames.at(one)?.states), String(one)).toBe(values(stateFrame(fresh.seek(one), "sum")?.states));
    }
    machine.release();
    fresh.release();
  });
});

describe("what goes through a task", () => {
  test("is what waits, is under way and is not sent, from the receiver to the sender", () => {
    const at = firstStep(journey, 400, (one) => textsOf(stateView(journey, one, `sum~${one}`)).some((text) => /on the wire: #\d+ \{count: 1/.test(text)));
    const channels = facts(`sum~${at}`, at).operators[0]?.subtasks.flatMap(({ inputs }) => inputs) ?? [];
    expect(channels).toHaveLength(4);
    const sent = channels.flatMap(({ elements }) => elements.items.filter(({ part, kind }) => part === "on the wire" && kind === "record"));
    expect(sent.length).toBeGreaterThan(0);
    for (const { id, text } of sent) expect([id, text]).toEqual([expect.any(Number), expect.stringMatching(/^\{count: 1, word: "\w+"\}$/)]);
    // The same from the other end.
    const outputs = facts(`words~${at}`, at).operators[0]?.subtasks.flatMap((subtask) => subtask.outputs) ?? [];
    const sorted = (all: typeof channels): readonly string[] => all.map(({ from, to, elements }) => JSON.stringify([from, to, elements])).sort();
    expect(sorted(outputs)).toEqual(sorted(channels));
  });

  test("are barriers, and channels that are blocked behind one", () => {
    const at = firstStep(journey, 400, (one) => textsOf(stateView(journey, one, `sum~${one}`)).some((text) => text.includes("blocked behind its barrier")));
    const shown = texts(`sum~${at}`, at);
    expect(shown.some((text) => /<- words\[\d\] {2}.*blocked behind its barrier/.test(text))).toBe(true);
    expect(shown.some((text) => /\|barrier \d+\|/.test(text))).toBe(true);
  });
});

describe("a sink", () => {
  test("shows its transactions: how far they are, and behind which checkpoint they were begun", () => {
    const prepared = stepOf(journey, "transactionPrepared", 400);
    const transactions = facts(`counts~${prepared}`, prepared).operators[0]?.subtasks.flatMap(({ entries }) => entries.items.filter(({ part }) => part === "transaction")) ?? [];
    const told = transactions.map(({ state, value }) => `${state} ${value}`);
    expect(told.some((text) => /^counts\/counts-\d\/\d+-\d+-\d+ prepared, \d+ records? in the log, prepared there, begun behind (no checkpoint|checkpoint \d+), closed by checkpoint \d+/.test(text))).toBe(true);
  });
});

describe("a subtask that is not there", () => {
  test("is said to be nowhere, or failed", () => {
    expect(texts("sum", 0).filter((text) => text.startsWith("! "))).toEqual(["! sum[0]  in no living process at this moment", "! sum[1]  in no living process at this moment"]);
    const failed = stepOf(journey, "taskFailed");
    const shown = ["words", "sum"].flatMap((name) => texts(`${name}~${failed}`, failed));
    expect(shown.some((text) => /^! \w+\[\d\] {2}failed/.test(text))).toBe(true);
  });
});

describe("the argument", () => {
  test.each([
    ["sum", "sum", null, { offset: 0, limit: 50, filter: "" }],
    ["sum[1]~612", "sum[1]", "612", { offset: 0, limit: 50, filter: "" }],
    ["a, b~ckpt:4", "a, b", "ckpt:4", { offset: 0, limit: 50, filter: "" }],
    ["sum~reference,key=ORD,from=50,limit=7", "sum", "reference", { offset: 50, limit: 7, filter: "ORD" }],
    ["a~b~1", "a~b", "1", { offset: 0, limit: 50, filter: "" }],
    ["a,from=x", "a,from=x", null, { offset: 0, limit: 50, filter: "" }],
  ])("%s", (text, operator, against, window) => expect(parseStateArgument(text)).toEqual({ operator, against, window }));
});
