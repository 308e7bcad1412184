import { afterEach, describe, expect, test, vi } from "vitest";
import { AlignedBarrierHandler } from "#whitewater/engine/checkpoint/aligned-barrier-handler.js";
import { InputGate } from "#whitewater/engine/runtime/input-gate.js";
import { consistentCutOracle } from "#whitewater/simulator/oracles/consistent-cut.js";
import { crashOf, onEvent, WatchedWorld } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([1, 2, 4])("at parallelism %i every completed checkpoint cuts between the same records, also after a crash", (parallelism) => {
  const plan = [crashOf("words[0]", 6)];
  expect(new WatchedWorld(consistentCutOracle, { parallelism, plan }).verdict()).toBe("nothing");
});

describe("a cut through a channel is named", () => {
  /** The barrier of one channel comes half a second after those of the others. */
  const late = { kind: "frame-delay", delayUs: 500_000, at: onEvent("frameSent", "words[0]", 3) } as const;

  test("not where a channel waits for the barriers of the others", () => {
    expect(new WatchedWorld(consistentCutOracle, { plan: [late] }).verdict()).toBe("nothing");
  });

  test("a gate that goes on reading behind a barrier", () => {
    vi.spyOn(InputGate.prototype, "block").mockImplementation(() => undefined);
    const watched = new WatchedWorld(consistentCutOracle, { plan: [late] }).runUntil(8_000_000);
    expect(watched.findings[0]).toMatch(
      /^checkpoint 3 cuts through from words\[1\] to sum -> counts\[\d\] in attempt \d+: \d+ records sent before the barrier, \d+ received before the snapshot$/,
    );
  });

  test("a task that takes its snapshot at the first barrier", () => {
    const barrier = AlignedBarrierHandler.prototype.barrier;
    vi.spyOn(AlignedBarrierHandler.prototype, "barrier").mockImplementation(function (this: AlignedBarrierHandler, _channel, one) {
      if (one.checkpointId <= this.currentCheckpointId) return;
      for (let channel = 0; channel < 2; channel += 1) barrier.call(this, channel, one);
    });
    const watched = new WatchedWorld(consistentCutOracle, { plan: [late] }).runUntil(8_000_000);
    expect(watched.findings[0]).toMatch(/^checkpoint \d+ cuts through from words/);
  });
});
