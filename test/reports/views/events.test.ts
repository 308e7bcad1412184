import { describe, expect, test } from "vitest";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { parseFilter } from "#whitewater/reports/views/events-filter.js";
import type { EventMatches, StepsOfKey } from "#whitewater/reports/views/events-matches.js";
import { eventsFacts, eventsOf, eventsView } from "#whitewater/reports/views/events-view.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { pointPhrase } from "#whitewater/reports/views/point-text.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { TapePoint } from "#whitewater/simulator/timetravel/run-tape.js";
import { RunTape } from "#whitewater/simulator/timetravel/run-tape.js";
import { repeatableRun } from "#whitewater/simulator/timetravel/simulated-run.js";

const request = { seed: "2", profile: "swarm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 } as const;
const run = repeatableRun(new Simulator(wordCount), request);
if ("verdict" in run) throw new Error("the plan is accepted");
const tape: RunTape = RunTape.of(run);
const NO_KEYS: StepsOfKey = () => {
  throw new Error("nobody asks for keys where a filter names none");
};
const points: readonly TapePoint[] = Array.from({ length: tape.points }, (_, index) => tape.pointAt(index));

function found(filter: string): EventMatches {
  return eventsOf(tape, filter, NO_KEYS);
}

/** What is to be found, by looking at every point. */
function expectFound(filter: string, isIt: (point: TapePoint) => boolean): void {
  const matches = found(filter);
  const expected = points.filter(isIt);
  expect(expected.length).toBeGreaterThan(0);
  expect(expected.length).toBeLessThan(points.length);
  expect(matches.window(0, points.length)).toEqual(expected);
}

describe("a filter of events", () => {
  test("of nothing finds all", () => expect(found("").window(0, points.length)).toEqual(points));

  test("finds kinds", () => expectFound("kind:snapshotTaken", ({ kind }) => kind === TRACE.snapshotTaken));
  test("finds one of several kinds", () =>
    expectFound("kind:snapshotTaken,checkpointCompleted", ({ event }) => event === "snapshotTaken" || event === "checkpointCompleted"));
  test("finds a subtask", () => expectFound("subject:words[0]", ({ subject }) => subject === "words[0]"));
  test("finds all subtasks of a name, and says subtask as well", () => expectFound("subtask:words", ({ subject }) => /^words(\[|$)/.test(subject)));
  test("does not find half a name", () => expect(found("subject:word").count).toBe(0));
  test("finds a process", () => expectFound("process:worker-1", ({ process }) => process === "worker-1"));
  test("finds the outside world", () => expectFound("process:-", ({ process }) => process === null));
  test("finds a word in what is said, in any letters", () => expectFound('"TOOK its"', (point) => /took its/i.test(`${pointPhrase(point)} ${point.event}`)));
  test("finds quoted words with their blank", () => expectFound('"completed checkpoint 2"', (point) => pointPhrase(point).includes("completed checkpoint 2")));
  test("finds the whole of what a point says, and nothing that only looks like it", () => {
    const texts = points.map((point) => pointPhrase(point));
    const different = new Map(points.map((point, i) => [texts[i], point]));
    expect(different.size).toBeGreaterThan(500);
    for (const point of [...different.values()].filter((_, i) => i % 7 === 0)) {
      const phrase = pointPhrase(point);
      const expected = texts.filter((text) => text.toLowerCase().includes(phrase.toLowerCase())).length;
      expect([phrase, found(JSON.stringify(phrase)).count]).toEqual([phrase, expected]);
    }
  });

  test("finds what all words say", () =>
    expectFound("kind:snapshotTaken process:worker-1 checkpoint", ({ event, process }) => event === "snapshotTaken" && process === "worker-1"));
  test("leaves out what is not wanted", () => expectFound("-kind:userCall -process:worker-1", ({ event, process }) => event !== "userCall" && process !== "worker-1"));

  test("finds the steps of a key, which it asks for", () => {
    const matches = eventsOf(tape, "key:ORD", (key) => (key === "ORD" ? [7, 9] : []));
    expect(matches.window(0, 1000)).toEqual([...tape.pointsOf(7), ...tape.pointsOf(9)]);
  });

  test("is worked out once for a tape", () => expect(found("kind:snapshotTaken")).toBe(found("kind:snapshotTaken")));

  test("keeps a bounded number of them", () => {
    const first = found("kind:taskFailed");
    for (let i = 0; i < 20; i += 1) found(`word-${i}`);
    expect(found("kind:taskFailed")).not.toBe(first);
  });

  test.each([
    ["kind:snapshotTakn", /unknown kind "snapshotTakn" \(did you mean snapshotTaken\?\)/],
    ["kind:zzzzzzzzzzzzzz", /unknown kind "zzzzzzzzzzzzzz";/],
    ["knd:snapshotTaken", /unknown field knd: \(did you mean kind:\?\)/],
    ["subject:", /says nothing behind subject:/],
    ['key:"ORD', /a quote that does not end/],
  ])("%s is refused, with the reason and what to give", (filter, reason) => {
    expect(() => parseFilter(filter)).toThrow(reason);
    expect(() => parseFilter(filter)).toThrow(/kind:snapshotTaken.*key:ORD/);
  });

  test("a quote keeps blanks and colons, and a backslash keeps a quote", () => {
    expect(parseFilter('key:"a \\"b\\" c" "kind:x" host-1:table - ').terms).toEqual([
      { isWanted: true, field: "key", text: 'a "b" c' },
      { isWanted: true, field: "word", text: "kind:x" },
      { isWanted: true, field: "word", text: "host-1:table" },
      { isWanted: true, field: "word", text: "-" },
    ]);
  });
});

describe("the list of events", () => {
  const matches = found("kind:checkpointCompleted");
  const steps = matches.window(0, 1000).map(({ step }) => step);

  test("knows where a step stands in it, and the steps before and behind", () => {
    expect(steps.length).toBeGreaterThan(2);
    const [first, second, third] = steps as [number, number, number];
    expect([matches.placeOf(0), matches.placeOf(second), matches.placeBehind(second), matches.placeOf(tape.steps)]).toEqual([0, 1, 2, steps.length]);
    expect([matches.previous(first), matches.next(first)]).toEqual([null, second]);
    expect([matches.previous(second), matches.next(second)]).toEqual([first, third]);
    expect([matches.previous(second + 1), matches.next(second - 1)]).toEqual([second, second]);
    expect(matches.next(tape.steps)).toBeNull();
  });

  test("gives a window", () => {
    expect(matches.window(1, 2).map(({ step }) => step)).toEqual(steps.slice(1, 3));
    expect(matches.window(steps.length, 5)).toEqual([]);
    expect(eventsFacts(matches, "kind:checkpointCompleted", 0, { offset: 1, limit: 2 }).points.map(({ place }) => place)).toEqual([1, 2]);
  });

  test("marks what happened in the step", () => {
    const step = steps[1] as number;
    const { lines, facts } = eventsView(tape, step, "", NO_KEYS);
    const marked = lines.map(textOf).filter((text) => text.startsWith(">"));
    expect(marked).toHaveLength(tape.pointsOf(step).length);
    expect(marked.join("\n")).toMatch(new RegExp(`^>.*${step}.*completed checkpoint`, "m"));
    expect(facts).toMatchObject({ step, filter: "", count: tape.points, previousStep: step - 1 });
  });

  test("says how many match, and where the next is", () => {
    const [first, second] = steps as [number, number];
    const { lines } = eventsView(tape, first, "kind:checkpointCompleted", NO_KEYS);
    expect(textOf(lines[0] ?? [])).toMatch(new RegExp(`^${steps.length} events match kind:checkpointCompleted; 0 before this step; next at step `));
    expect(textOf(lines[0] ?? []).replaceAll(",", "")).toContain(`next at step ${second}`);
  });

  test("says that nothing matches", () => {
    expect(eventsView(tape, 5, "nothing-like-it", NO_KEYS).lines.map(textOf)[0]).toBe("no event matches nothing-like-it");
  });

  test("shows control characters of a filter as they are", () => {
    expect(eventsView(tape, 5, "\u001b[31m", NO_KEYS).lines.map(textOf)[0]).toBe("no event matches \\u{1b}[31m");
  });
});
