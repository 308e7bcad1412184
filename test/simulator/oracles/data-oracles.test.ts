import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CompletedStore } from "#whitewater/engine/checkpoint/completed-store.js";
import { ReduceOperator } from "#whitewater/engine/operators/reduce-operator.js";
import { SinkOperator } from "#whitewater/engine/operators/sink-operator.js";
import { WindowOperator } from "#whitewater/engine/operators/window-operator.js";
import { ProcessOperator } from "#whitewater/engine/operators/process-operator.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { committedOutputOracle } from "#whitewater/simulator/oracles/committed-output.js";
import type { OracleKind } from "#whitewater/simulator/oracles/oracle.js";
import { provenanceOracle } from "#whitewater/simulator/oracles/provenance.js";
import { referenceStateOracle } from "#whitewater/simulator/oracles/reference-state.js";
import { survivingHistoryOracle } from "#whitewater/simulator/oracles/surviving-history.js";
import { crashAt, crashOf, WatchedWorld } from "./watched-world.js";
import type { WatchOptions } from "./watched-world.js";

beforeEach(() => {
  vi.restoreAllMocks();
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Process = (value: unknown, timestampMs: number) => void;
interface Processing {
  processElement: Process;
}

/** What an operator does with the element of that number instead of processing it once. */
function atElement(prototype: object, number: number, instead: (process: Process, value: unknown, timestampMs: number) => void): void {
  const operator = prototype as Processing;
  const original = operator.processElement;
  let count = 0;
  vi.spyOn(operator, "processElement").mockImplementation(function (this: unknown, value, timestampMs) {
    count += 1;
    const process: Process = (one, atMs) => original.call(this, one, atMs);
    if (count === number) instead(process, value, timestampMs);
    else process(value, timestampMs);
  });
}

function twice(process: Process, value: unknown, timestampMs: number): void {
  process(value, timestampMs);
  process(value, timestampMs);
}

/** The record with another value, its id as before. */
function changed(change: (value: never) => unknown): (process: Process, record: unknown, timestampMs: number) => void {
  return (process, record, timestampMs) => {
    const { value } = record as { readonly value: never };
    process({ ...(record as object), value: change(value) }, timestampMs);
  };
}

function verdict(kind: OracleKind, options: WatchOptions): string {
  return new WatchedWorld(kind, options).verdict();
}

const STATE_AND_OUTPUT = [provenanceOracle, referenceStateOracle, survivingHistoryOracle, committedOutputOracle];

describe("a job whose processes crash recovers without a finding", () => {
  test.each([
    ["founding-checkpointing", "elements[0]"],
    ["word-count", "words[0]"],
    ["flights", "flights[0]"],
    ["sparse", "readings[0]"],
    ["timers", "heartbeats[1]"],
  ])("%s", (scenario, subtask) => {
    const plan = [crashOf(subtask, 3), crashAt("worker-2", 7_300_000), crashAt("jm-1", 15_000_000)];
    for (const kind of STATE_AND_OUTPUT) expect(verdict(kind, { scenario, plan })).toBe("nothing");
  });

  test("flights-late, whose output depends on the schedule", () => {
    const plan = [crashAt("worker-1", 5_100_000), crashAt("worker-2", 9_300_000), crashAt("jm-1", 15_000_000)];
    for (const kind of [provenanceOracle, survivingHistoryOracle, committedOutputOracle]) {
      expect(verdict(kind, { scenario: "flights-late", plan })).toBe("nothing");
    }
  });
});

describe("a record applied twice is seen", () => {
  beforeEach(() => {
    atElement(ReduceOperator.prototype, 100, twice);
  });

  test("by the shadow in the state", () => {
    expect(verdict(provenanceOracle, {})).toMatch(/^checkpoint \d+, sum: key "\w+": expected (\d+) records?, got \d+$/);
  });

  test("by the value in the state", () => {
    const found = verdict(referenceStateOracle, {});
    const [, expected, got] = /^checkpoint \d+, sum: key "\w+": expected \{word: "\w+", count: (\d+)\}, got \{word: "\w+", count: (\d+)\}$/.exec(found) ?? [];
    expect(Number(got)).toBe(Number(expected) + 1);
  });

  test("by its id in the history", () => {
    expect(verdict(survivingHistoryOracle, {})).toMatch(/^sum\[\d\] saw record \d+ of words\/\d twice$/);
  });

  test("by a count in the output that is skipped or wrong", () => {
    const options = { plan: [crashAt("worker-1", 6_200_000)] };
    expect(verdict(committedOutputOracle, options)).toMatch(/^counts: key "\w+": \d+ records? never became visible|^counts: key "\w+", record \d+: expected/);
  });
});

describe("a record that got lost is seen", () => {
  beforeEach(() => {
    atElement(WindowOperator.prototype, 150, () => undefined);
  });

  test("by the shadow in the state", () => {
    const cell = /^checkpoint \d+, delays: key "[A-Z]{3}" window \[2001-\d\d-\d\d, 2001-\d\d-\d\d\): expected (\d+) records?, got (\d+)$/;
    const [, expected, got] = cell.exec(verdict(provenanceOracle, { scenario: "flights" })) ?? [];
    expect(Number(got)).toBe(Number(expected) - 1);
  });

  test("by the value in the state", () => {
    expect(verdict(referenceStateOracle, { scenario: "flights" })).toMatch(/^checkpoint \d+, delays: key "[A-Z]{3}" window /);
  });

  test("by its id in the history, in a job with late records too", () => {
    const found = /^checkpoint \d+, \w+: record \d+ of flights\/\d is before the stored offset, but never reached it$/;
    expect(verdict(survivingHistoryOracle, { scenario: "flights" })).toMatch(found);
    vi.restoreAllMocks();
    atElement(WindowOperator.prototype, 150, () => undefined);
    expect(verdict(survivingHistoryOracle, { scenario: "flights-late" })).toMatch(found);
  });

  test("by the output", () => {
    expect(verdict(committedOutputOracle, { scenario: "flights" })).toMatch(/^airport-delays: key "[A-Z]{3}", record \d+: expected \{/);
  });
});

describe("a record that is not what it was is seen", () => {
  test("by the value in the state, where count and ids are right", () => {
    atElement(WindowOperator.prototype, 150, changed((flight: { delay: number }) => ({ ...flight, delay: flight.delay + 1 })));
    expect(verdict(referenceStateOracle, { scenario: "flights" })).toMatch(/totalDelay: -?\d+\}, got /);
    vi.restoreAllMocks();
    atElement(WindowOperator.prototype, 150, changed((flight: { delay: number }) => ({ ...flight, delay: flight.delay + 1 })));
    expect(verdict(provenanceOracle, { scenario: "flights" })).toBe("nothing");
  });

  test("by the replay of the history, in a job with late records", () => {
    const later = changed((flight: { delay: number }) => ({ ...flight, delay: flight.delay + 1 }));
    const original = WindowOperator.prototype.processElement;
    vi.spyOn(WindowOperator.prototype, "processElement").mockImplementation(function (this: WindowOperator, value, timestampMs) {
      const process: Process = (one, atMs) => original.call(this, one, atMs);
      later(process, value, timestampMs);
    });
    const options = { scenario: "flights-late" };
    expect(verdict(survivingHistoryOracle, options)).toMatch(/^checkpoint \d+, (departures|arrivals): key "[A-Z]{3}" window .*expected \[/);
    // Whichever topic's records become visible first: windows over changed flights, or a changed late flight.
    expect(verdict(committedOutputOracle, options)).toMatch(
      /^((departure|arrival)-delays: key "[A-Z]{3}", record 1: expected \{|late-flights: \{.*\} is visible more often than expected$)/,
    );
  });

  test("by the final state of a process function", () => {
    atElement(ProcessOperator.prototype, 200, twice);
    expect(verdict(provenanceOracle, { scenario: "timers" })).toMatch(/silences: key "device-\d+": expected \d+ records?, got \d+$/);
  });
});

test("a late record that is applied is seen by the replay of the history", () => {
  const late = WindowOperator.prototype.processElement;
  vi.spyOn(WindowOperator.prototype, "processElement").mockImplementation(function (this: WindowOperator, value, timestampMs) {
    const { backend } = this as unknown as { readonly backend: { watermarkMs: number } };
    const watermarkMs = backend.watermarkMs;
    // Tolerates a day more than the job says.
    backend.watermarkMs = Math.max(Number.MIN_SAFE_INTEGER, watermarkMs - 86_400_000);
    late.call(this, value, timestampMs);
    backend.watermarkMs = watermarkMs;
  });
  const found = verdict(survivingHistoryOracle, { scenario: "flights-late" });
  expect(found).toMatch(/record \d+ of flights\/\d of 2001-\S+ was applied at watermark 2001-/);
});

test("an offset that is ahead of the state is seen at the next checkpoint", () => {
  const update = OperatorStateBackend.prototype.update;
  vi.spyOn(OperatorStateBackend.prototype, "update").mockImplementation(function (this: OperatorStateBackend, name, values) {
    const ahead = (values as readonly { readonly partition: number; readonly offset: number }[]).map((one) => {
      return name === "offsets" && one.partition === 0 && one.offset > 20 ? { ...one, offset: one.offset + 1 } : one;
    });
    update.call(this, name, ahead);
  });
  expect(new WatchedWorld(provenanceOracle).runUntil(10_000_000).findings[0]).toMatch(/^checkpoint \d+, sum: key "\w+": expected \d+ records?, got \d+$/);
  expect(new WatchedWorld(survivingHistoryOracle).runUntil(10_000_000).findings[0]).toMatch(/words\/0 is before the stored offset, but never reached it$/);
});

test("a restore from an older checkpoint breaks the surviving history", () => {
  const retained = Object.getOwnPropertyDescriptor(CompletedStore.prototype, "retained")?.get;
  vi.spyOn(CompletedStore.prototype, "retained", "get").mockImplementation(function (this: CompletedStore) {
    const all = retained?.call(this) as CompletedStore["retained"];
    const asked = new Error("who asks").stack ?? "";
    return asked.includes("RestorePoint.current") ? all.slice(0, 1) : all;
  });
  const found = new WatchedWorld(survivingHistoryOracle, { plan: [crashOf("sum -> counts[0]", 6)] }).runUntil(20_000_000).findings;
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/^sum\[\d\]: attempt \d+ went on from checkpoint \d+, not from checkpoint \d+, the latest completed$/);
});

test("records of a partition that overtake each other are seen", () => {
  let held: readonly [unknown, number] | null = null;
  const original = ReduceOperator.prototype.processElement;
  vi.spyOn(ReduceOperator.prototype, "processElement").mockImplementation(function (this: ReduceOperator, record, timestampMs) {
    const { id } = record as { readonly id: number };
    if (id === 11) {
      held = [record, timestampMs];
      return;
    }
    original.call(this, record, timestampMs);
    if (held !== null && id === 12) original.call(this, ...held);
  });
  const { findings } = new WatchedWorld(survivingHistoryOracle, { parallelism: 1 }).runUntil(10_000_000);
  expect(findings).toEqual(["sum[0] saw record 11 of words/0 after record 12 of words/0"]);
});

test("output that is written twice is seen when it becomes visible", () => {
  atElement(SinkOperator.prototype, 50, twice);
  const found = verdict(committedOutputOracle, {});
  expect(found).toMatch(/^counts: key "\w+", record \d+: expected .*, got .* \(visible for the second time, first as record \d+\)$/);
  vi.restoreAllMocks();
  atElement(SinkOperator.prototype, 50, twice);
  expect(verdict(referenceStateOracle, {})).toBe("nothing");
});

test("late output that is lost is seen", () => {
  let late = 0;
  const write = SinkOperator.prototype.processElement;
  vi.spyOn(SinkOperator.prototype, "processElement").mockImplementation(function (this: SinkOperator, record, timestampMs) {
    const { value } = record as { readonly value: { readonly origin?: string } };
    if (value.origin !== undefined && ++late === 3) return;
    write.call(this, record, timestampMs);
  });
  expect(verdict(committedOutputOracle, { scenario: "flights-late" })).toMatch(/^late-flights: \{.*never became visible/);
});
