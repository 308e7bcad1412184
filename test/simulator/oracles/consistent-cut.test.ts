import { afterEach, describe, expect, test, vi } from "vitest";
import { AlignedBarrierHandler } from "#whitewater/engine/checkpoint/aligned-barrier-handler.js";
import type { ChannelContents, ChannelState, InFlightBuffer } from "#whitewater/engine/checkpoint/channel-state.js";
import { ChannelStateWriter } from "#whitewater/engine/checkpoint/channel-state-writer.js";
import { InputGate } from "#whitewater/engine/runtime/input-gate.js";
import { consistentCutOracle } from "#whitewater/simulator/oracles/consistent-cut.js";
import { crashOf, onEvent, WatchedWorld } from "./watched-world.js";
import type { WatchOptions } from "./watched-world.js";

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

describe("where barriers overtake", () => {
  const OVERTAKING: WatchOptions = { scenario: "hot-key", mode: "unaligned", seed: "6", parallelism: 3 };

  /** Every checkpoint keeps other records of a channel than there were, at that end. */
  function writing(side: keyof ChannelState, change: <T>(records: readonly T[]) => readonly T[]): string {
    const state = ChannelStateWriter.prototype.state;
    vi.spyOn(ChannelStateWriter.prototype, "state").mockImplementation(function (this: ChannelStateWriter) {
      const written = state.call(this);
      if (written === null) return null;
      const buffers = (one: ChannelContents): readonly InFlightBuffer[] => {
        const values = change(one.buffers.flatMap((buffer) => buffer.values));
        return [{ values, timestamps: change(one.buffers.flatMap(({ timestamps }) => timestamps)), watermarkMs: null }];
      };
      return { ...written, [side]: written[side].map((one) => ({ ...one, buffers: buffers(one) })) };
    });
    return new WatchedWorld(consistentCutOracle, OVERTAKING).runUntil(8_000_000).findings[0] ?? "nothing";
  }

  test.each<[string, WatchOptions["plan"]]>([
    ["over an undisturbed job", []],
    ["after a crash, from which a job goes on with in-flight data", [crashOf("clicks-of -> counts[0]", 5)]],
  ])("the oracle is silent %s", (_when, plan) => {
    expect(new WatchedWorld(consistentCutOracle, { ...OVERTAKING, ...(plan !== undefined && { plan }) }).verdict()).toBe("nothing");
  });

  test.each<[string, <T>(records: readonly T[]) => readonly T[]]>([
    ["is missing", (records) => records.slice(1)],
    ["is there twice", (records) => [...records, ...records.slice(-1)]],
  ])("a record that %s in the state of an input is named", (_what, change) => {
    expect(writing("inputs", change)).toMatch(
      /^checkpoint \d+ cuts through from \S+\[\d\] to \S.*\[\d\] in attempt \d+: \d+ records sent before the barrier, \d+ received before the snapshot(, \d+ in flight)?$/,
    );
  });

  test("a record in the place of another is named", () => {
    const found = writing("inputs", (records) => [...records.slice(0, -1), ...records.slice(0, 1)]);
    expect(found).toMatch(/^checkpoint \d+ has other records in flight from \S+\[\d\] to \S.*\[\d\] in attempt \d+ than those sent and not consumed$/);
  });

  test.each<[string, <T>(records: readonly T[]) => readonly T[]]>([
    ["is missing", (records) => records.slice(1)],
    ["is there twice", (records) => [...records.slice(0, 1), ...records]],
  ])("a record that %s in the state of an output is named when the sender goes on", (_what, change) => {
    expect(writing("outputs", change)).toMatch(/^checkpoint \d+ has other records waiting at the sender of channel \d to \d of edge \d in attempt \d+ than it sends next$/);
  });
});
