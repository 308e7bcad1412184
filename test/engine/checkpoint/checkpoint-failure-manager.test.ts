import { CheckpointFailureManager, type AbortReason } from "#whitewater/engine/checkpoint/checkpoint-failure-manager.js";
import { describe, expect, test } from "vitest";

const COUNTED: readonly AbortReason[] = ["declined", "expired", "finalize", "partly-finished"];
const NOT_COUNTED: readonly AbortReason[] = ["subsumed", "failover", "shutdown", "requested", "unaligned", "task-not-running"];

describe("failed checkpoints", () => {
  test.each(COUNTED)("with nothing tolerated, one that ends as %s fails the job", (reason) => {
    expect(new CheckpointFailureManager(0).failed(1, reason)).toBe(true);
  });

  test.each(NOT_COUNTED)("one that ends as %s never counts", (reason) => {
    const manager = new CheckpointFailureManager(0);
    expect(manager.failed(1, reason)).toBe(false);
    expect(manager.failures).toBe(0);
  });

  test("n are tolerated, the next fails the job, and the count begins anew", () => {
    const manager = new CheckpointFailureManager(2);
    expect([1, 2, 3, 4].map((id) => manager.failed(id, "expired"))).toEqual([false, false, true, false]);
  });

  test("one checkpoint counts once, however many tasks decline it", () => {
    const manager = new CheckpointFailureManager(1);
    for (let task = 0; task < 5; task += 1) expect(manager.failed(7, "declined")).toBe(false);
    expect(manager.failures).toBe(1);
  });

  test("a late failure of a checkpoint at or below the last success does not count (FLINK-18336)", () => {
    const manager = new CheckpointFailureManager(0);
    manager.succeeded(3);
    expect(manager.failed(3, "declined")).toBe(false);
    manager.succeeded(5);
    expect(manager.failed(4, "declined")).toBe(false);
    expect(manager.failed(5, "expired")).toBe(false);
    expect(manager.failed(6, "expired")).toBe(true);
  });

  test("a success with a newer id clears the count, one with an older id does not", () => {
    const manager = new CheckpointFailureManager(2);
    manager.succeeded(4);
    manager.failed(5, "expired");
    manager.succeeded(3);
    expect(manager.failures).toBe(1);
    manager.succeeded(6);
    expect(manager.failures).toBe(0);
  });
});
