import { afterEach, describe, expect, test, vi } from "vitest";
import { ReduceOperator } from "#whitewater/engine/operators/reduce-operator.js";
import { SinkOperator } from "#whitewater/engine/operators/sink-operator.js";
import { committedOutputOracle } from "#whitewater/simulator/oracles/committed-output.js";
import type { OracleKind } from "#whitewater/simulator/oracles/oracle.js";
import { provenanceOracle } from "#whitewater/simulator/oracles/provenance.js";
import { referenceStateOracle } from "#whitewater/simulator/oracles/reference-state.js";
import { restoreFidelityOracle } from "#whitewater/simulator/oracles/restore-fidelity.js";
import { APPLIED_TWICE, survivingHistoryOracle } from "#whitewater/simulator/oracles/surviving-history.js";
import { crashOf, onEvent, WatchedWorld } from "./watched-world.js";
import type { WatchOptions } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** The barrier of one channel comes late: meanwhile records of the other are applied that come again after the crash. */
const late = { kind: "frame-delay", delayUs: 900_000, at: onEvent("frameSent", "words[0]", 5) } as const;
const AT_LEAST_ONCE: WatchOptions = { mode: "at-least-once", plan: [late, crashOf("sum -> counts[0]", 6)] };

test.each([provenanceOracle, survivingHistoryOracle, committedOutputOracle, restoreFidelityOracle])("$name allows that a record comes again", (kind) => {
  expect(new WatchedWorld(kind, AT_LEAST_ONCE).verdict()).toBe("nothing");
});

test("that a record was applied twice is a declared path", () => {
  const watched = new WatchedWorld(survivingHistoryOracle, AT_LEAST_ONCE).runToEnd();
  expect([watched.findings, watched.reached.get(APPLIED_TWICE)]).toEqual([[], 1]);
});

test("the oracle of exactly-once state does not apply", () => {
  expect(() => new WatchedWorld(referenceStateOracle, AT_LEAST_ONCE)).toThrow(/does not apply/);
});

/** The element of that number is lost. */
function losing(prototype: object, number: number): void {
  const operator = prototype as { processElement: (value: unknown, timestampMs: number) => void };
  const original = operator.processElement;
  let seen = 0;
  vi.spyOn(operator, "processElement").mockImplementation(function (this: unknown, value, timestampMs) {
    seen += 1;
    if (seen !== number) original.call(this, value, timestampMs);
  });
}

describe("a record that is lost is named", () => {
  const verdict = (kind: OracleKind): string => new WatchedWorld(kind, { ...AT_LEAST_ONCE, plan: [] }).verdict();

  test("by the state that lacks it", () => {
    losing(ReduceOperator.prototype, 40);
    expect(verdict(provenanceOracle)).toMatch(/^checkpoint \d+, sum: key ".*": expected \d+ records?, got \d+/);
  });

  test("by the history that lacks it", () => {
    losing(ReduceOperator.prototype, 40);
    expect(verdict(survivingHistoryOracle)).toMatch(/^checkpoint \d+, sum: record \d+ of words\/\d is before the stored offset, but never reached it$/);
  });

  test("by the output that lacks it", () => {
    losing(SinkOperator.prototype, 40);
    expect(verdict(committedOutputOracle)).toMatch(/^counts: \{word: ".*", count: \d+\} never became visible$/);
  });
});
