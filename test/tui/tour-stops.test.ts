import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { present as presentFor } from "#whitewater/engine/base/assert.js";
import { PartitionedSourceOperator } from "#whitewater/engine/operators/source-operator.js";
import { SinkOperator } from "#whitewater/engine/operators/sink-operator.js";
import type { Task } from "#whitewater/engine/runtime/task.js";
import { readRecord } from "#whitewater/reports/record/read-record.js";
import { journeyOf } from "#whitewater/reports/travel/journey.js";
import { stepOfPlace } from "#whitewater/reports/tui/tour-place.js";
import { TEXT_COLUMNS, TEXT_LINES, tourSteps } from "#whitewater/reports/tui/tour-stops.js";
import { tour } from "#whitewater/scenarios/tour/tour.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const path = fileURLToPath(new URL("../../scenarios/tour/tour.json", import.meta.url));
const { seed, profile, options, plan, maxSteps } = readRecord(path, "scenarios/tour/tour.json");
const request = { seed, profile, fixed: options, plan, oracles: true, checked: false, restoreEvery: false, maxSteps };
const journey = journeyOf(new Simulator(tour), request);
const { tape, machine } = journey;
const steps = tourSteps(tape);
afterAll(() => machine.release());

function present<T>(value: T | undefined | null): T {
  return presentFor(value, "it is there");
}

/** What a stop says, on one line. */
function textOf(stop: number): string {
  return present(steps[stop - 1]).text.join(" ");
}

/** The run stands at this stop from here on. */
function goTo(stop: number): void {
  machine.seek(present(steps[stop - 1]).step);
}

function task(operator: string, subtask: number): Task {
  const found = machine.world.processes.flatMap((living) => (living.kind === "worker" ? living.engine.tasks : []));
  return present(found.find(({ id, chain }) => id.subtask === subtask && chain.operators.some(({ node }) => node.uid === operator)));
}

/** "apple 8, fig 9": the takings of a subtask. */
function takings(subtask: number): string {
  const { keyed } = present(task("totals", subtask).chain.operators.find(({ node }) => node.uid === "totals"));
  const files = machine.world.quietFilesOf(present(machine.world.processes.find(({ kind }) => kind === "worker")).process.host);
  const entries = present(keyed).entries(files).filter(({ state }) => state === "takings");
  return entries.map(({ key, value }) => `${String(key)} ${String(value)}`).sort().join(", ");
}

function offset(till: number): number {
  const [source] = task("tills", till).chain.operators;
  const { operator } = present(source);
  return operator instanceof PartitionedSourceOperator ? present(operator.inspectOffsets()[0]).offset : Number.NaN;
}

function transactions(subtask: number): readonly string[] {
  const { operator } = present(task("report", subtask).chain.operators.find(({ node }) => node.uid === "report"));
  return operator instanceof SinkOperator ? operator.inspectTransactions().map(({ closedBy, state }) => `${state} ${closedBy ?? "open"}`) : [];
}

/** By channel of a totals subtask: whether it is blocked, and what waits in it. */
function channels(subtask: number): readonly string[] {
  return present(task("totals", subtask).input).gate.channels.map(
    (channel) => `${channel.blocked ? "blocked" : "open"}: ${channel.waiting().map((buffer) => (buffer.values.length > 0 ? "sale" : (buffer.event?.kind ?? "nothing"))).join(" ")}`,
  );
}

function events(stop: number): readonly string[] {
  return tape.pointsOf(present(steps[stop - 1]).step).map(({ event, subject, x, y }) => `${event} ${subject} ${x} ${y}`);
}

describe("the stops of the tour", () => {
  it("are eight, each later than the one before", () => {
    const numbers = steps.map(({ step }) => step);
    expect(numbers).toHaveLength(8);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  it("have texts that fit on the smallest screen", () => {
    for (const { title, text } of steps) {
      expect(text.length, title).toBeLessThanOrEqual(TEXT_LINES);
      for (const line of text) expect(line.length, line).toBeLessThanOrEqual(TEXT_COLUMNS);
      expect(text.join(""), title).toMatch(/^[\x20-\x7e]+$/);
    }
  });
});

describe("what the tour says", () => {
  it("1: apple, fig and pear are in keyed state of one subtask, and more than checkpoint 1 has", () => {
    goTo(1);
    expect(takings(1)).toBe("apple 8, fig 9, pear 20");
    expect(textOf(1)).toContain("(apple 8, fig 9, pear 20 by now)");
    const completed = stepOfPlace({ event: "checkpointCompleted", subject: "jm-1", x: 1, nth: 1 }, tape);
    expect(completed).toBeLessThan(present(steps[0]).step);
    machine.seek(completed);
    expect(takings(1)).not.toBe("apple 8, fig 9, pear 20");
  });

  it("2: the barrier of tills[0] goes into both channels behind 8 sales", () => {
    goTo(2);
    expect(offset(0)).toBe(8);
    expect(textOf(2)).toContain("its offset, 8, and sends");
    expect(events(2).filter((event) => event === "frameSent tills[0] 2 0")).toHaveLength(2);
    expect(events(2)).toContain("snapshotTaken tills[0] 2 0");
    machine.seek(present(steps[2]).step);
    expect(offset(0)).toBeGreaterThan(8);
  });

  it("3: one channel is blocked with a sale in it, and a sale is ahead of the barrier in the other", () => {
    goTo(3);
    expect(channels(1)).toEqual(["blocked: sale", "open: sale barrier"]);
  });

  it("4: the snapshot has what was there at the cut, and three of four tasks have acknowledged", () => {
    const taken = stepOfPlace({ event: "snapshotTaken", subject: "totals -> report[1]", x: 2, nth: 1 }, tape);
    machine.seek(taken);
    expect(takings(1)).toBe("apple 8, fig 12, pear 25");
    expect(textOf(4)).toContain("apple 8, fig 12, pear 25.");
    goTo(4);
    expect(takings(1)).toBe("apple 10, fig 12, pear 25");
    expect(textOf(4)).toContain("apple is 10 by now");
    const third = stepOfPlace({ event: "checkpointAcked", subject: "jm-1", x: 2, nth: 3 }, tape);
    const fourth = stepOfPlace({ event: "checkpointAcked", subject: "jm-1", x: 2, nth: 4 }, tape);
    expect(third).toBeLessThan(present(steps[3]).step);
    expect(fourth).toBeGreaterThan(present(steps[3]).step);
  });

  it("5: checkpoint 2 is the one to go back to, checkpoint 1 goes, and sinks have not committed yet", () => {
    goTo(5);
    expect(events(5)).toEqual(expect.arrayContaining(["checkpointCompleted jm-1 2 4097", "checkpointSubsumed jm-1 1 0"]));
    expect(transactions(0)).toEqual(["prepared 2"]);
    expect(transactions(1)).toEqual(["prepared 2", "written open"]);
    expect(stepOfPlace({ event: "transactionCommitted", subject: "report[1]", x: 2, nth: 1 }, tape)).toBeGreaterThan(present(steps[4]).step);
  });

  it("6: the crash takes what worker-2 had added and has open since checkpoint 2", () => {
    machine.seek(present(steps[5]).step - 1);
    expect(takings(1)).toBe("apple 12, fig 18, pear 30");
    expect(textOf(6)).toContain("apple 12, fig 18, pear 30;");
    expect(transactions(1)).toEqual(["written open"]);
    expect(offset(0) + offset(1) - 8 - 9).toBe(7);
    expect(textOf(6)).toContain("Seven sales were read since");
    goTo(6);
    expect(machine.world.processNamed("worker-2")).toBeNull();
    expect(tape.result.faults.map(({ outcome, step }) => ({ outcome, step }))).toEqual([{ outcome: "fired", step: present(steps[5]).step }]);
  });

  it("7: the restore brings back the takings of checkpoint 2, and the offsets that go with them", () => {
    goTo(7);
    expect(takings(1)).toBe("apple 8, fig 12, pear 25");
    expect(textOf(7)).toContain("apple 8, fig 12, pear 25 again");
    expect([offset(0), offset(1)]).toEqual([8, 9]);
    expect(textOf(7)).toContain("from offsets 8 and 9");
    expect(task("totals", 1).restoredFrom).toBe(2);
  });

  it("8: what was committed is 1 plum for 35 where 5 for 35 were expected", () => {
    const [finding] = tape.result.findings;
    expect(present(finding).step).toBe(present(steps[7]).step);
    expect(present(finding).message).toContain('expected {fruit: "plum", takings: 35, sold: 5}, got {fruit: "plum", sold: 1, takings: 35}');
    expect(textOf(8)).toContain("5 plums for 35. Committed was 1 plum for 35.");
  });
});

describe("stepOfPlace", () => {
  it("says what a run has not", () => {
    expect(() => stepOfPlace({ event: "processCrashed", subject: "worker-2", x: null, nth: 2 }, tape)).toThrow("this run has no processCrashed of worker-2, number 2");
    const calm = journeyOf(new Simulator(tour), { ...request, plan: [] });
    expect(() => stepOfPlace("violation", calm.tape)).toThrow("this run has no violation");
    calm.machine.release();
  });
});
