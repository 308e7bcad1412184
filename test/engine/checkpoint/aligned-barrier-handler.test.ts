import { AlignedBarrierHandler } from "#whitewater/engine/checkpoint/aligned-barrier-handler.js";
import { describe, expect, test } from "vitest";

/** Three channels; everything the handler asks of its task, in order. */
function handlerOfThree() {
  const barrierOf = (checkpointId: number) => ({ checkpointId, triggeredAtUs: 0, isSavepoint: false, alignment: "aligned" }) as const;
  const blocked = new Set<number>();
  const said: string[] = [];
  const handler = new AlignedBarrierHandler(3, {
    blockChannel: (channel) => void blocked.add(channel),
    unblockChannel: (channel) => void blocked.delete(channel),
    unblockAll: () => blocked.clear(),
    triggerCheckpoint: ({ checkpointId, alignment }) => void said.push(`trigger ${checkpointId}${alignment === "aligned" ? "" : " unaligned"}`),
    abortCheckpoint: (id, reason) => void said.push(`abort ${id} ${reason === 1 ? "subsumed" : "cancelled"}`),
  });
  return {
    handler,
    said,
    blocked: () => [...blocked].sort(),
    barrier: (channel: number, checkpointId: number) => handler.barrier(channel, barrierOf(checkpointId)),
    cancel: (checkpointId: number) => handler.cancel(0, checkpointId),
  };
}

describe("aligned barriers", () => {
  test("follow Flink's AlignedCheckpointsTest, step by step", () => {
    const { said, blocked, barrier, cancel } = handlerOfThree();
    barrier(1, 1);
    expect(blocked()).toEqual([1]);
    barrier(2, 1);
    expect(blocked()).toEqual([1, 2]);
    barrier(0, 1);
    expect(said).toEqual(["trigger 1"]);
    expect(blocked()).toEqual([]);
    barrier(0, 2);
    barrier(2, 2);
    expect(blocked()).toEqual([0, 2]);
    cancel(2);
    expect(said.at(-1)).toBe("abort 2 cancelled");
    expect(blocked()).toEqual([]);
    barrier(1, 3);
    barrier(2, 3);
    barrier(0, 3);
    expect(said.at(-1)).toBe("trigger 3");
    cancel(4);
    expect(said.at(-1)).toBe("abort 4 cancelled");
    barrier(2, 4);
    expect(blocked()).toEqual([]);
    barrier(0, 4);
    barrier(2, 5);
    barrier(1, 5);
    barrier(0, 5);
    expect(said.at(-1)).toBe("trigger 5");
    cancel(6);
    cancel(6);
    barrier(0, 6);
    expect(blocked()).toEqual([]);
    expect(said).toEqual(["trigger 1", "abort 2 cancelled", "trigger 3", "abort 4 cancelled", "trigger 5", "abort 6 cancelled"]);
  });

  test("give an alignment up when the barrier of a newer checkpoint comes", () => {
    const { handler, said, blocked, barrier } = handlerOfThree();
    barrier(0, 7);
    barrier(1, 8);
    expect(said).toEqual(["abort 7 subsumed"]);
    expect(blocked()).toEqual([1]);
    expect(handler.currentCheckpointId).toBe(8);
  });

  test("ignore a late barrier of an alignment given up, and leave its channel open", () => {
    const { handler, said, blocked, barrier } = handlerOfThree();
    barrier(0, 7);
    barrier(0, 8);
    barrier(1, 7);
    expect(said).toEqual(["abort 7 subsumed"]);
    expect(blocked()).toEqual([0]);
    expect(handler.alignedChannels()).toEqual([0]);
  });

  test("ignore the cancellation of a checkpoint that is complete", () => {
    const { handler, said, barrier, cancel } = handlerOfThree();
    for (const channel of [0, 1, 2]) barrier(channel, 1);
    cancel(1);
    expect(said).toEqual(["trigger 1"]);
    expect(handler.isPending).toBe(false);
  });

  test("are pending from the first barrier to the last", () => {
    const { handler, barrier } = handlerOfThree();
    expect(handler.isPending).toBe(false);
    barrier(2, 1);
    expect(handler.isPending).toBe(true);
    barrier(0, 1);
    barrier(1, 1);
    expect(handler.isPending).toBe(false);
  });

  test("take the end of a channel for its barrier, and wait for it no longer", () => {
    const { handler, said, blocked, barrier } = handlerOfThree();
    barrier(0, 1);
    barrier(1, 1);
    handler.endOfPartition(2);
    expect(said).toEqual(["trigger 1"]);
    expect(blocked()).toEqual([]);
    barrier(0, 2);
    barrier(1, 2);
    expect(said).toEqual(["trigger 1", "trigger 2"]);
  });

  test("count a channel once whose barrier came before its end", () => {
    const { handler, said, blocked, barrier } = handlerOfThree();
    barrier(0, 1);
    handler.endOfPartition(0);
    handler.endOfPartition(0);
    expect(blocked()).toEqual([]);
    barrier(1, 1);
    expect(said).toEqual([]);
    handler.endOfPartition(2);
    expect(said).toEqual(["trigger 1"]);
  });

  test("give the older up when a newer one is cancelled", () => {
    const { said, blocked, barrier, cancel } = handlerOfThree();
    barrier(0, 1);
    cancel(2);
    expect(said).toEqual(["abort 1 subsumed", "abort 2 cancelled"]);
    expect(blocked()).toEqual([]);
    barrier(1, 1);
    barrier(1, 2);
    expect(said).toHaveLength(2);
  });
});
