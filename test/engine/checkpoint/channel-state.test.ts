import { describe, expect, test } from "vitest";
import { ChannelStatePersister } from "#whitewater/engine/checkpoint/channel-state-persister.js";
import { ChannelStateWriter } from "#whitewater/engine/checkpoint/channel-state-writer.js";
import { recordsInFlight } from "#whitewater/engine/checkpoint/channel-state.js";
import { decodeSnapshotFile, encodeSnapshotFile } from "#whitewater/engine/checkpoint/snapshot-file.js";
import { handleOf } from "#whitewater/engine/checkpoint/checksummed-file.js";

function persister() {
  const persisted: string[] = [];
  return { persisted, channel: new ChannelStatePersister<string>((id, data) => void persisted.push(`${id}:${data}`)) };
}

describe("one channel's part of a checkpoint", () => {
  test("is what waited when it began, and what arrives until the barrier", () => {
    const { channel, persisted } = persister();
    channel.maybePersist("before");
    expect(channel.startPersisting(1, ["a", "b"])).toBe(true);
    channel.maybePersist("c");
    expect(channel.barrierArrived(1)).toBe(true);
    channel.maybePersist("d");
    channel.stopPersisting(1);
    channel.maybePersist("e");
    expect(persisted).toEqual(["1:a", "1:b", "1:c"]);
  });

  test("is only what waited before the barrier where that came first", () => {
    const { channel, persisted } = persister();
    expect(channel.barrierArrived(1)).toBe(true);
    channel.maybePersist("behind");
    expect(channel.startPersisting(1, ["a"])).toBe(true);
    channel.maybePersist("behind too");
    expect(persisted).toEqual(["1:a"]);
    expect(channel.status).toBe("received");
  });

  test("is lost where the barrier of a newer checkpoint is here already", () => {
    const { channel, persisted } = persister();
    channel.barrierArrived(2);
    expect(channel.startPersisting(1, ["a"])).toBe(false);
    expect(persisted).toEqual([]);
    expect(channel.startPersisting(2, ["b"])).toBe(true);
    expect(persisted).toEqual(["2:b"]);
  });

  test("takes no barrier of a checkpoint that is over", () => {
    const { channel } = persister();
    channel.startPersisting(1, []);
    channel.stopPersisting(1);
    expect(channel.barrierArrived(1)).toBe(false);
    expect(channel.status).toBe("completed");
    expect(channel.barrierArrived(2)).toBe(true);
  });

  test("a barrier of the next checkpoint does not end this one's by mistake, nor the end of this one the next one's", () => {
    const { channel, persisted } = persister();
    channel.startPersisting(1, []);
    expect(channel.barrierArrived(2)).toBe(true);
    channel.stopPersisting(1);
    expect(channel.status).toBe("received");
    channel.startPersisting(2, ["a"]);
    channel.maybePersist("behind");
    expect(persisted).toEqual(["2:a"]);
  });

  test("begins anew where a newer checkpoint starts while an older barrier is awaited", () => {
    const { channel, persisted } = persister();
    channel.startPersisting(1, ["a"]);
    channel.startPersisting(2, ["a"]);
    channel.maybePersist("b");
    expect(channel.barrierArrived(1)).toBe(false);
    channel.maybePersist("c");
    channel.barrierArrived(2);
    expect(persisted).toEqual(["1:a", "2:a", "2:b", "2:c"]);
  });
});

describe("the channel state of a subtask", () => {
  const buffer = (value: string) => ({ values: [value], timestamps: [1], watermarkMs: null });

  test("is complete when all barriers arrived and every awaited output has sent its own", () => {
    const writer = new ChannelStateWriter(1, true);
    let told = 0;
    writer.awaitOutput();
    writer.awaitOutput();
    writer.whenComplete(() => (told += 1));
    writer.finishOutput();
    writer.finishInputs();
    expect(writer.isComplete).toBe(false);
    writer.finishOutput();
    expect(told).toBe(1);
    expect(writer.state()).toBe(null);
  });

  test("is complete at once where nothing is awaited", () => {
    let told = 0;
    new ChannelStateWriter(1, false).whenComplete(() => (told += 1));
    expect(told).toBe(1);
  });

  test("keeps the order within a channel, and lists channels in an order of their own", () => {
    const writer = new ChannelStateWriter(1, true);
    writer.addInput({ edge: "b", fromSubtask: 1, toSubtask: 0 }, buffer("x"));
    writer.addInput({ edge: "b", fromSubtask: 0, toSubtask: 0 }, buffer("y"));
    writer.addInput({ edge: "a", fromSubtask: 2, toSubtask: 0 }, buffer("v"));
    writer.addInput({ edge: "b", fromSubtask: 1, toSubtask: 0 }, buffer("z"));
    writer.finishInputs();
    const state = writer.state();
    expect(state?.inputs.map(({ edge, fromSubtask, buffers }) => [edge, fromSubtask, ...buffers.flatMap((one) => one.values)])).toEqual([
      ["a", 2, "v"],
      ["b", 0, "y"],
      ["b", 1, "x", "z"],
    ]);
    expect(recordsInFlight(state?.inputs ?? [])).toBe(4);
  });

  test("comes back from the subtask's file as it was, records, timestamps and watermarks", () => {
    const writer = new ChannelStateWriter(3, true);
    writer.addInput({ edge: "a->b", fromSubtask: 0, toSubtask: 1 }, { values: [{ id: 1n }, -0], timestamps: [5, -7], watermarkMs: 4 });
    writer.addOutput({ edge: "b/late->c", fromSubtask: 1, toSubtask: 0 }, { values: [], timestamps: [], watermarkMs: 9 });
    writer.finishInputs();
    const channels = writer.state();
    const file = encodeSnapshotFile({ checkpointId: 3, vertex: 1, subtask: 1, operators: [], channels });
    const opened = decodeSnapshotFile(file, handleOf("key", file));
    expect(opened).toEqual({ ok: true, snapshot: { checkpointId: 3, vertex: 1, subtask: 1, operators: [], channels } });
  });
});
