import { AlignedBarrierHandler } from "#whitewater/engine/checkpoint/aligned-barrier-handler.js";
import { describe, expect, test } from "vitest";

/** Three channels; everything the handler asks of its task, in order. */
function handlerOfThree() {
  const blocked = new Set<number>();
  const said: string[] = [];
  const handler = new AlignedBarrierHandler(3, {
    blockChannel: (channel) => void blocked.add(channel),
    unblockChannel: (channel) => void blocked.delete(channel),
    unblockAll: () => blocked.clear(),
    triggerCheckpoint: (id) => void said.push(`trigger ${id}`),
    abortCheckpoint: (id, reason) => void said.push(`abort ${id} ${reason === 1 ? "subsumed" : "cancelled"}`),
  });
  return { handler, said, blocked: () => [...blocked].sort() };
}

describe("aligned barriers", () => {
  test("follow Flink's AlignedCheckpointsTest, step by step", () => {
    const { handler, said, blocked } = handlerOfThree();
    handler.barrier(1, 1);
    expect(blocked()).toEqual([1]);
    handler.barrier(2, 1);
    expect(blocked()).toEqual([1, 2]);
    handler.barrier(0, 1);
    expect(said).toEqual(["trigger 1"]);
    expect(blocked()).toEqual([]);
    handler.barrier(0, 2);
    handler.barrier(2, 2);
    expect(blocked()).toEqual([0, 2]);
    handler.cancel(2);
    expect(said.at(-1)).toBe("abort 2 cancelled");
    expect(blocked()).toEqual([]);
    handler.barrier(1, 3);
    handler.barrier(2, 3);
    handler.barrier(0, 3);
    expect(said.at(-1)).toBe("trigger 3");
    handler.cancel(4);
    expect(said.at(-1)).toBe("abort 4 cancelled");
    handler.barrier(2, 4);
    expect(blocked()).toEqual([]);
    handler.barrier(0, 4);
    handler.barrier(2, 5);
    handler.barrier(1, 5);
    handler.barrier(0, 5);
    expect(said.at(-1)).toBe("trigger 5");
    handler.cancel(6);
    handler.cancel(6);
    handler.barrier(0, 6);
    expect(blocked()).toEqual([]);
    expect(said).toEqual(["trigger 1", "abort 2 cancelled", "trigger 3", "abort 4 cancelled", "trigger 5", "abort 6 cancelled"]);
  });

  test("give an alignment up when the barrier of a newer checkpoint comes", () => {
    const { handler, said, blocked } = handlerOfThree();
    handler.barrier(0, 7);
    handler.barrier(1, 8);
    expect(said).toEqual(["abort 7 subsumed"]);
    expect(blocked()).toEqual([1]);
    expect(handler.currentCheckpointId).toBe(8);
  });

  test("ignore a late barrier of an alignment given up, and leave its channel open", () => {
    const { handler, said, blocked } = handlerOfThree();
    handler.barrier(0, 7);
    handler.barrier(0, 8);
    handler.barrier(1, 7);
    expect(said).toEqual(["abort 7 subsumed"]);
    expect(blocked()).toEqual([0]);
    expect(handler.alignedChannels()).toEqual([0]);
  });

  test("ignore the cancellation of a checkpoint that is complete", () => {
    const { handler, said } = handlerOfThree();
    for (const channel of [0, 1, 2]) handler.barrier(channel, 1);
    handler.cancel(1);
    expect(said).toEqual(["trigger 1"]);
    expect(handler.isPending).toBe(false);
  });

  test("are pending from the first barrier to the last", () => {
    const { handler } = handlerOfThree();
    expect(handler.isPending).toBe(false);
    handler.barrier(2, 1);
    expect(handler.isPending).toBe(true);
    handler.barrier(0, 1);
    handler.barrier(1, 1);
    expect(handler.isPending).toBe(false);
  });
});
