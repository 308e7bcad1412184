import { describe, expect, test } from "vitest";
import { AlternatingUnderTest } from "./handler-under-test.ts";

describe("unaligned barriers", () => {
  test("take the snapshot at the first one, and persist until the last one", () => {
    const task = new AlternatingUnderTest(3, 0);
    task.barrier(1, 1);
    expect(task.news()).toEqual(["persist 1", "trigger 1 unaligned"]);
    expect(task.handler.alignedChannels()).toEqual([1]);
    task.barrier(0, 1);
    expect(task.news()).toEqual([]);
    expect(task.handler.isPending).toBe(true);
    task.barrier(2, 1);
    expect(task.news()).toEqual(["finish 1", "stop 1"]);
    expect(task.handler.isPending).toBe(false);
    expect(task.blocked.size).toBe(0);
  });

  test("are complete at once over a single channel", () => {
    const task = new AlternatingUnderTest(1, 0);
    task.barrier(0, 5);
    expect(task.news()).toEqual(["persist 5", "trigger 5 unaligned", "finish 5", "stop 5"]);
  });

  test("of a newer checkpoint give the older one up, whose late barriers change nothing", () => {
    const task = new AlternatingUnderTest(3, 0);
    task.barrier(0, 1);
    task.news();
    task.barrier(0, 2);
    expect(task.news()).toEqual(["stop 1", "abort 1 subsumed", "persist 2", "trigger 2 unaligned"]);
    task.barrier(1, 1);
    expect(task.news()).toEqual([]);
    task.barrier(1, 2);
    task.barrier(2, 2);
    expect(task.news()).toEqual(["finish 2", "stop 2"]);
  });

  test("of a cancelled checkpoint are ignored, whether they came before the cancellation or after", () => {
    const task = new AlternatingUnderTest(3, 0);
    task.barrier(0, 1);
    task.handler.cancel(1, 1);
    expect(task.news()).toEqual(["persist 1", "trigger 1 unaligned", "stop 1", "abort 1 cancelled"]);
    task.barrier(2, 1);
    task.handler.cancel(0, 2);
    task.barrier(1, 2);
    task.handler.cancel(2, 2);
    expect(task.news()).toEqual(["stop 2", "abort 2 cancelled"]);
    task.barrier(0, 3);
    expect(task.news()).toEqual(["persist 3", "trigger 3 unaligned"]);
  });

  test("count the end of a channel as its barrier", () => {
    const task = new AlternatingUnderTest(3, 0);
    task.barrier(0, 1);
    task.handler.endOfPartition(0);
    task.handler.endOfPartition(1);
    expect(task.news()).toEqual(["persist 1", "trigger 1 unaligned"]);
    task.barrier(2, 1);
    expect(task.news()).toEqual(["finish 1", "stop 1"]);
    task.barrier(2, 2);
    expect(task.news()).toEqual(["persist 2", "trigger 2 unaligned", "finish 2", "stop 2"]);
  });

  test("are lost where a channel has seen a newer one already", () => {
    const task = new AlternatingUnderTest(2, 0);
    task.newerSeen = 2;
    task.barrier(0, 1);
    expect(task.news()).toEqual(["stop 1", "abort 1 subsumed"]);
    expect(task.handler.isPending).toBe(false);
    task.barrier(1, 2);
    expect(task.news()).toEqual(["persist 2", "trigger 2 unaligned"]);
  });

  test("that are aligned (a savepoint's) block and wait as ever, and have no timer", () => {
    const task = new AlternatingUnderTest(2, 0);
    task.barrier(0, 1, "aligned");
    expect([...task.blocked]).toEqual([0]);
    expect(task.timer).toBe(null);
    task.barrier(1, 1, "aligned");
    expect(task.news()).toEqual(["trigger 1 aligned", "stop 1"]);
    expect(task.blocked.size).toBe(0);
  });
});

describe("barriers with a timeout", () => {
  test("stay aligned when all of them arrive in time", () => {
    const task = new AlternatingUnderTest(2, 100);
    task.announced(0, 1);
    expect(task.timer).toEqual({ checkpointId: 1, dueMs: 100 });
    task.barrier(0, 1, "timed");
    expect([...task.blocked]).toEqual([0]);
    task.announced(1, 1);
    task.passUntil(99);
    task.barrier(1, 1, "timed");
    expect(task.news()).toEqual(["trigger 1 aligned", "stop 1"]);
    expect(task.timer).toBe(null);
  });

  test("count the time from the trigger, of which some has passed by the first announcement", () => {
    const task = new AlternatingUnderTest(2, 100);
    task.passUntil(70);
    task.announced(1, 1, 20);
    expect(task.timer?.dueMs).toBe(120);
    task.passUntil(500);
    expect(task.news()).toEqual(["persist 1", "trigger 1 unaligned", "take 1@1"]);
    task.announced(0, 2, 20);
    expect(task.news()).toEqual(["stop 1", "abort 1 subsumed"]);
    expect(task.timer?.dueMs).toBe(500);
  });

  test("turn unaligned when the time is over: blocked channels run again, barriers that wait count as arrived", () => {
    const task = new AlternatingUnderTest(3, 100);
    task.announced(0, 1);
    task.barrier(0, 1, "timed");
    task.announced(2, 1);
    task.passUntil(100);
    expect(task.news()).toEqual(["persist 1", "trigger 1 unaligned", "take 1@2"]);
    expect(task.blocked.size).toBe(0);
    expect(task.handler.alignedChannels()).toEqual([0, 2]);
    task.announced(1, 1);
    expect(task.news()).toEqual(["take 1@1", "finish 1", "stop 1"]);
  });

  test("turn unaligned at the first barrier that comes ahead of its data", () => {
    const task = new AlternatingUnderTest(3, 100);
    task.announced(0, 1);
    task.barrier(0, 1, "timed");
    task.barrier(1, 1, "unaligned");
    expect(task.news()).toEqual(["persist 1", "trigger 1 unaligned"]);
    expect(task.blocked.size).toBe(0);
    expect(task.timer).toBe(null);
    task.barrier(2, 1, "unaligned");
    expect(task.news()).toEqual(["finish 1", "stop 1"]);
  });

  test("never turn unaligned at the last one, be it too late or not", () => {
    const task = new AlternatingUnderTest(2, 100);
    task.announced(0, 1);
    task.barrier(0, 1, "timed");
    task.announced(1, 1);
    // The timer is late, as on a busy thread.
    task.nowMs = 250;
    task.barrier(1, 1, "timed");
    expect(task.news()).toEqual(["trigger 1 aligned", "stop 1"]);
    task.passUntil(300);
    expect(task.news()).toEqual([]);
  });

  test("turn unaligned at a barrier that comes too late and is not the last", () => {
    const task = new AlternatingUnderTest(2, 100);
    task.nowMs = 100;
    task.barrier(0, 1, "timed");
    expect(task.news()).toEqual(["persist 1", "trigger 1 unaligned"]);
  });

  test("time out at once where nothing of the timeout is left", () => {
    const task = new AlternatingUnderTest(2, 100);
    task.nowMs = 130;
    task.announced(0, 1);
    expect(task.timer?.dueMs).toBe(130);
    task.passUntil(130);
    expect(task.news()).toEqual(["persist 1", "trigger 1 unaligned", "take 1@0"]);
  });

  test("are given up by a cancellation that overtakes an announced barrier", () => {
    const task = new AlternatingUnderTest(2, 100);
    task.announced(0, 1);
    task.handler.cancel(1, 1);
    expect(task.news()).toEqual(["stop 1", "abort 1 cancelled"]);
    expect(task.timer).toBe(null);
    task.barrier(0, 1, "timed");
    task.passUntil(1000);
    expect(task.news()).toEqual([]);
    expect(task.blocked.size).toBe(0);
  });

  test("of a newer checkpoint give the older alignment up when they are announced", () => {
    const task = new AlternatingUnderTest(2, 100);
    task.barrier(0, 1, "timed");
    task.announced(1, 2, 10);
    expect(task.news()).toEqual(["stop 1", "abort 1 subsumed"]);
    expect(task.blocked.size).toBe(0);
    expect(task.timer).toEqual({ checkpointId: 2, dueMs: 110 });
  });

  test("complete an alignment whose last channel ends", () => {
    const task = new AlternatingUnderTest(2, 100);
    task.barrier(0, 1, "timed");
    task.handler.endOfPartition(1);
    expect(task.news()).toEqual(["trigger 1 aligned", "stop 1"]);
    expect(task.blocked.size).toBe(0);
    expect(task.timer).toBe(null);
  });
});
