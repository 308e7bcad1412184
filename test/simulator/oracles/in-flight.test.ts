import { afterEach, describe, expect, test, vi } from "vitest";
import { ChannelStateWriter } from "#whitewater/engine/checkpoint/channel-state-writer.js";
import type { ChannelContents, InFlightBuffer } from "#whitewater/engine/checkpoint/channel-state.js";
import { InFlightAssignment } from "#whitewater/engine/restore/in-flight-assignment.js";
import type { CheckpointRecord } from "#whitewater/simulator/oracles/checkpoint-records.js";
import { CheckpointRecords } from "#whitewater/simulator/oracles/checkpoint-records.js";
import { committedOutputOracle } from "#whitewater/simulator/oracles/committed-output.js";
import { inFlightIn } from "#whitewater/simulator/oracles/in-flight.js";
import type { OracleKind } from "#whitewater/simulator/oracles/oracle.js";
import { provenanceOracle } from "#whitewater/simulator/oracles/provenance.js";
import { referenceStateOracle } from "#whitewater/simulator/oracles/reference-state.js";
import { restoreFidelityOracle } from "#whitewater/simulator/oracles/restore-fidelity.js";
import { survivingHistoryOracle } from "#whitewater/simulator/oracles/surviving-history.js";
import { watermarksAndTimersOracle } from "#whitewater/simulator/oracles/watermarks-and-timers.js";
import { crashOf, onEvent, WatchedWorld } from "./watched-world.js";
import type { WatchOptions } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

const crash = [crashOf("sum -> counts[0]", 6)];
const UNALIGNED: WatchOptions = { mode: "unaligned", plan: crash };
const RESCALED: WatchOptions = {
  mode: "unaligned",
  parallelismAfter: 3,
  plan: [{ kind: "rescale", at: onEvent("checkpointCompleted", "jm-1", null, 5), parallelism: 3 }],
};
/** Back-pressure: data waits at senders too. */
const OVERTAKING: WatchOptions = {
  scenario: "hot-key",
  mode: "unaligned",
  seed: "6",
  parallelism: 2,
  parallelismAfter: 3,
  plan: [{ kind: "rescale", parallelism: 3, at: onEvent("checkpointCompleted", "jm-1", 3) }],
};
const ORACLES = [restoreFidelityOracle, provenanceOracle, referenceStateOracle, survivingHistoryOracle, committedOutputOracle, watermarksAndTimersOracle];

type ChangeOfBuffers = (buffers: readonly InFlightBuffer[]) => readonly InFlightBuffer[];

function without(buffer: InFlightBuffer | undefined): InFlightBuffer {
  const { values, timestamps, watermarkMs } = buffer as InFlightBuffer;
  return { values: values.slice(1), timestamps: timestamps.slice(1), watermarkMs };
}

describe("a job that is restored with in-flight data is found right", () => {
  test.each(ORACLES)("by $name, also with another parallelism", (kind) => {
    expect([UNALIGNED, RESCALED].map((options) => new WatchedWorld(kind, options).verdict())).toEqual(["nothing", "nothing"]);
  });

  test("by which it is seen that checkpoints hold some", () => {
    const { world } = new WatchedWorld(provenanceOracle, UNALIGNED);
    const records = CheckpointRecords.of(world);
    let inFlight = 0;
    records.listen({
      recordWritten: (record: CheckpointRecord) => {
        for (const some of inFlightIn(record, records).values()) inFlight += some.length;
      },
    });
    while (!world.isOver && world.step());
    expect(inFlight).toBeGreaterThan(10);
  });
});

function found(kind: OracleKind, options: WatchOptions): string {
  return new WatchedWorld(kind, options).runUntil(14_000_000).findings[0] ?? "nothing";
}

/** Restores other in-flight data than what the checkpoint holds. */
function restoring(change: (channels: readonly ChannelContents[]) => readonly ChannelContents[]): void {
  const channels = InFlightAssignment.prototype.channels;
  vi.spyOn(InFlightAssignment.prototype, "channels").mockImplementation(function (this: InFlightAssignment, snapshotIn) {
    const { inputs, outputs } = channels.call(this, snapshotIn);
    return { inputs: change(inputs), outputs: change(outputs) };
  });
}

describe.each([["the same parallelism", UNALIGNED], ["another parallelism", RESCALED]])("restored with %s", (_name, options) => {
  test("in-flight data that is lost is named", () => {
    restoring(() => []);
    expect(found(provenanceOracle, options)).toMatch(/^checkpoint \d+, sum: key ".*": expected \d+ records, got \d+/);
    expect(found(referenceStateOracle, options)).toMatch(/^checkpoint \d+, sum: key ".*": expected /);
    expect(found(survivingHistoryOracle, options)).toMatch(/^checkpoint \d+, sum: record \d+ of words\/\d is before the stored offset, but never reached it$/);
  });

  test("in-flight data that is replayed twice is named", () => {
    restoring((channels) => channels.map((one) => ({ ...one, buffers: [...one.buffers, ...one.buffers] })));
    expect(found(provenanceOracle, options)).toMatch(/^checkpoint \d+, sum: key ".*": expected \d+ records, got \d+/);
    expect(found(survivingHistoryOracle, options)).toMatch(/^sum\[\d\] saw record \d+ of words\/\d twice$/);
  });

  test.each([
    ["one record lost", (buffers) => buffers.with(0, without(buffers[0]))],
    ["a buffer twice", (buffers) => [buffers[0] as InFlightBuffer, ...buffers]],
    ["a record at another time", (buffers) => buffers.with(0, { ...(buffers[0] as InFlightBuffer), timestamps: (buffers[0]?.timestamps ?? []).map((at) => at + 1) })],
    ["a watermark that promises more", (buffers) => [...buffers, { values: [], timestamps: [], watermarkMs: 99_999 }]],
  ] satisfies readonly [string, ChangeOfBuffers][])("%s is named by the oracle of restore fidelity, for what it is", (_what, change) => {
    restoring((channels) => channels.map((one) => ({ ...one, buffers: change(one.buffers) })));
    expect(found(restoreFidelityOracle, options)).toMatch(
      /^\w.*\[\d\], attempt \d+, restored from checkpoint \d+: the channel \S+->\S+ from \d to \d, at the (sender|receiver): element \d+ of \d+ is .*, recorded is .* of \d+$/,
    );
  });

  test("data that goes back into another channel is named by the oracle of restore fidelity", () => {
    restoring((channels) => channels.map((one) => ({ ...one, fromSubtask: 1 - one.fromSubtask, toSubtask: 1 - one.toSubtask })));
    expect(found(restoreFidelityOracle, options)).toMatch(/: the channel \S+->\S+ from \d to \d, at the (sender|receiver): element 0 of \d+ is .*, recorded is .*$/);
  });
});

describe("under back-pressure, what lay at both ends", () => {
  const back: WatchOptions = { ...OVERTAKING, parallelism: 3, plan: [crashOf("clicks-of -> counts[0]", 5)] };

  test("is found right when it goes back", () => {
    expect(new WatchedWorld(restoreFidelityOracle, back).verdict()).toBe("nothing");
  });

  test.each([[2, 3], [3, 1], [3, 2], [4, 2]])("is found right when it is dealt out anew, from %i subtasks to %i", (parallelism, parallelismAfter) => {
    const plan: WatchOptions["plan"] = [3, 8].map((checkpointId) => {
      return { kind: "rescale", parallelism: checkpointId === 3 ? parallelismAfter : parallelism, at: onEvent("checkpointCompleted", "jm-1", checkpointId) };
    });
    expect(new WatchedWorld(restoreFidelityOracle, { ...OVERTAKING, parallelism, parallelismAfter, plan }).verdict()).toBe("nothing");
  });

  test.each([["receiver", "inputs"], ["sender", "outputs"]] as const)("and is named when it does not, at the %s", (end, side) => {
    const channels = InFlightAssignment.prototype.channels;
    vi.spyOn(InFlightAssignment.prototype, "channels").mockImplementation(function (this: InFlightAssignment, snapshotIn) {
      const restored = channels.call(this, snapshotIn);
      return { ...restored, [side]: restored[side].map((one) => ({ ...one, buffers: one.buffers.slice(1) })) };
    });
    expect(found(restoreFidelityOracle, back)).toMatch(new RegExp(`, at the ${end}: element \\d+ of \\d+ is .*, recorded is .* of \\d+$`));
  });
});

describe("a checkpoint", () => {
  /** Writes other in-flight data than what there is. */
  function writing(change: (channels: readonly ChannelContents[]) => readonly ChannelContents[]): void {
    const state = ChannelStateWriter.prototype.state;
    vi.spyOn(ChannelStateWriter.prototype, "state").mockImplementation(function (this: ChannelStateWriter) {
      const written = state.call(this);
      return written === null ? null : { inputs: change(written.inputs), outputs: change(written.outputs) };
    });
  }

  test("that forgets what was in flight is named when it completes", () => {
    writing(() => []);
    expect(found(provenanceOracle, { mode: "unaligned" })).toMatch(/^checkpoint \d+, sum: key ".*": expected \d+ records?, got \d+/);
    expect(found(survivingHistoryOracle, { mode: "unaligned" })).toMatch(/is before the stored offset, but never reached it$/);
  });

  test("that keeps a record twice, as in flight, is named when it completes", () => {
    writing((channels) => channels.map((one) => ({ ...one, buffers: [...one.buffers, ...one.buffers] })));
    expect(found(provenanceOracle, { mode: "unaligned" })).toMatch(/^checkpoint \d+: record \d+ of words\/\d is in flight on words->sum, but was not sent there before the cut, or twice$/);
  });
});
