import { afterEach, describe, expect, test, vi } from "vitest";
import { ChannelStateWriter } from "#whitewater/engine/checkpoint/channel-state-writer.js";
import type { ChannelContents } from "#whitewater/engine/checkpoint/channel-state.js";
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
const ORACLES = [restoreFidelityOracle, provenanceOracle, referenceStateOracle, survivingHistoryOracle, committedOutputOracle, watermarksAndTimersOracle];

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
