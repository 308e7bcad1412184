import { describe, expect, test } from "vitest";
import { BarrierTracker } from "#whitewater/engine/checkpoint/barrier-tracker.js";
import { barrierOf } from "./handler-under-test.ts";

function trackerOf(channelCount: number) {
  const said: string[] = [];
  const tracker = new BarrierTracker(channelCount, {
    triggerCheckpoint: ({ checkpointId }) => void said.push(`trigger ${checkpointId}`),
    abortCheckpoint: (id) => void said.push(`abort ${id}`),
  });
  return { tracker, said, barrier: (channel: number, id: number) => tracker.barrier(channel, barrierOf(id, "aligned")) };
}

describe("barriers of at-least-once jobs", () => {
  test("trigger a checkpoint when they were seen on every channel", () => {
    const { tracker, said, barrier } = trackerOf(3);
    for (const channel of [0, 2]) barrier(channel, 1);
    expect(tracker.alignedChannels()).toEqual([0, 2]);
    barrier(1, 1);
    expect(said).toEqual(["trigger 1"]);
    expect(tracker.isPending).toBe(false);
  });

  test("of several checkpoints are counted side by side: a newer one aborts no older one", () => {
    const { said, barrier } = trackerOf(2);
    barrier(0, 1);
    barrier(0, 2);
    barrier(0, 3);
    barrier(1, 1);
    barrier(1, 2);
    expect(said).toEqual(["trigger 1", "trigger 2"]);
    barrier(1, 3);
    expect(said.at(-1)).toBe("trigger 3");
  });

  test("drop all older checkpoints when one is complete", () => {
    const { tracker, said, barrier } = trackerOf(2);
    barrier(0, 1);
    barrier(0, 2);
    barrier(1, 2);
    expect(said).toEqual(["trigger 2"]);
    expect(tracker.isPending).toBe(false);
    barrier(1, 1);
    expect(said).toEqual(["trigger 2"]);
  });

  test("are forgotten beyond fifty checkpoints, the oldest first", () => {
    const { said, barrier } = trackerOf(2);
    for (let id = 1; id <= 51; id += 1) barrier(0, id);
    barrier(1, 1);
    expect(said).toEqual([]);
    barrier(1, 2);
    expect(said).toEqual(["trigger 2"]);
  });

  test("of a cancelled checkpoint trigger nothing; the cancellation is told once", () => {
    const { tracker, said, barrier } = trackerOf(3);
    barrier(0, 1);
    tracker.cancel(1, 1);
    tracker.cancel(2, 1);
    expect(said).toEqual(["abort 1"]);
    barrier(0, 1);
    tracker.cancel(0, 2);
    for (const channel of [1, 2]) barrier(channel, 2);
    expect(said).toEqual(["abort 1", "abort 2"]);
    for (const channel of [0, 1, 2]) barrier(channel, 3);
    expect(said.at(-1)).toBe("trigger 3");
  });

  test("abort what is older than a cancelled checkpoint, since its barrier will not come any more", () => {
    const { tracker, said, barrier } = trackerOf(2);
    barrier(0, 1);
    barrier(0, 2);
    tracker.cancel(1, 3);
    expect(said).toEqual(["abort 1", "abort 2", "abort 3"]);
    expect(tracker.isPending).toBe(false);
  });

  test("count the end of a channel in every pending checkpoint", () => {
    const { tracker, said, barrier } = trackerOf(3);
    barrier(0, 1);
    barrier(1, 1);
    barrier(0, 2);
    tracker.endOfPartition(2);
    expect(said).toEqual(["trigger 1"]);
    barrier(1, 2);
    expect(said).toEqual(["trigger 1", "trigger 2"]);
    barrier(0, 3);
    barrier(1, 3);
    expect(said.at(-1)).toBe("trigger 3");
  });

  test("trigger at once over a single channel", () => {
    const { tracker, said, barrier } = trackerOf(1);
    barrier(0, 1);
    tracker.cancel(0, 2);
    barrier(0, 3);
    expect(said).toEqual(["trigger 1", "abort 2", "trigger 3"]);
  });
});
