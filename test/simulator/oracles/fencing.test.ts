import { describe, expect, test } from "vitest";
import type { ProducerSession } from "#whitewater/engine/ports/external-log.js";
import { fencingOracle } from "#whitewater/simulator/oracles/fencing.js";
import type { SimProcess } from "#whitewater/simulator/world/kernel.js";
import { crashAt, crashOf, onEvent, WatchedWorld } from "./watched-world.js";

const JOB_LEASE = "job/leadership";

/** A World whose job runs in its second attempt, and the sessions of a producer that both opened. */
function afterFailover(): { readonly watched: WatchedWorld; readonly opened: (readonly [SimProcess, ProducerSession])[] } {
  const plan = [{ kind: "connection-break", at: onEvent("frameSent", "words[0]", 6) }] as const;
  const watched = new WatchedWorld(fencingOracle, { plan });
  const opened: (readonly [SimProcess, ProducerSession])[] = [];
  watched.world.logObservers.push({
    onProducerOpened: (process, session) => {
      if (session.producerId.endsWith("-0")) opened.push([process, session]);
    },
  });
  watched.runUntil(10_000_000);
  expect(opened.map(([, { epoch }]) => epoch)).toEqual([1, 2]);
  expect(watched.findings).toEqual([]);
  return { watched, opened };
}

test("runs with zombies of every kind find nothing", () => {
  const plan = [
    { kind: "process-pause", process: null, durationUs: 5_000_000, at: onEvent("transactionPrepared", "counts[0]", 3) },
    { kind: "process-pause", process: "jm-1", durationUs: 6_000_000, at: { on: "time", atUs: 12_000_000 } },
    { kind: "lease-loss", lease: JOB_LEASE, at: { on: "time", atUs: 19_000_000 } },
    crashAt("jm-1", 22_000_000),
  ] as const;
  expect(new WatchedWorld(fencingOracle, { plan }).verdict()).toBe("nothing");
});

describe("what a predecessor changes is named", () => {
  test("a write under an epoch that was succeeded, or granted to somebody else", () => {
    const watched = new WatchedWorld(fencingOracle, { plan: [crashAt("jm-1", 7_000_000)] }).runUntil(15_000_000);
    const { world } = watched;
    const before = world.coordination.peek("job/x");
    const after = { key: "job/x", value: "1", version: 1 };
    const write = (process: SimProcess, epoch: number): void => {
      for (const observer of world.coordinationObservers) observer.onWrite?.(process, before, after, { lease: JOB_LEASE, epoch });
    };
    write(watched.processOf("jm-1"), 2);
    expect(watched.findings).toEqual([]);
    write(watched.processOf("jm-1"), 1);
    write(watched.processOf("worker-1"), 2);
    expect(watched.findings).toEqual([
      "jm-1 wrote job/x under epoch 1 although epoch 2 was granted",
      "worker-1 wrote job/x under epoch 2, which was granted to another process",
    ]);
  });

  test("an append or a prepare of an older attempt behind its successor's session, or from elsewhere", () => {
    const { watched, opened } = afterFailover();
    const [first, session] = opened[0] ?? [watched.processOf("worker-1"), { producerId: "", epoch: 0 }];
    const other = ["worker-1", "worker-2"].find((name) => name !== opened[1]?.[0].name) ?? "";
    for (const observer of watched.world.logObservers) {
      observer.onAppend?.(first, session, "t-1", "counts", 0, 0, []);
      observer.onPrepare?.(watched.processOf(other), { ...session, epoch: 2 }, "t-2");
    }
    expect(watched.findings[0]).toMatch(/^worker-\d, attempt 4097, appended to t-1 after attempt 4098 opened the producer$/);
    expect(watched.findings[1]).toMatch(/^worker-\d prepared t-2 in a session that another process opened$/);
  });

  test("an older attempt that aborts a transaction of its successor", () => {
    const { watched, opened } = afterFailover();
    const [, session] = opened[1] ?? [null, { producerId: "", epoch: 0 }];
    const [successor] = opened[1] ?? [watched.processOf("worker-1")];
    for (const observer of watched.world.logObservers) observer.onAppend?.(successor, session, "t-9", "counts", 0, 0, []);
    for (const observer of watched.world.logObservers) observer.onAbort?.(successor, session.producerId, "t-9", "fenced");
    expect(watched.findings).toEqual([]);

    const late = new WatchedWorld(fencingOracle, { plan: [crashOf("words[0]", 6)] });
    const sessions: (readonly [SimProcess, ProducerSession])[] = [];
    late.world.logObservers.push({ onProducerOpened: (process, one) => void sessions.push([process, one]) });
    late.runUntil(12_000_000);
    const mine = sessions.filter(([, { producerId }]) => producerId === sessions[0]?.[1].producerId);
    const [old] = mine[0] ?? [late.processOf("worker-1")];
    const [next, newer] = mine[1] ?? [old, session];
    expect(old).not.toBe(next);
    for (const observer of late.world.logObservers) observer.onAppend?.(next, newer, "t-9", "counts", 0, 0, []);
    for (const observer of late.world.logObservers) observer.onAbort?.(old, newer.producerId, "t-9", "requested");
    expect(late.findings).toEqual([`${old.name}, attempt 4097, aborted the transaction t-9 of attempt 4098`]);
  });

  test("a process without a task of the latest attempt that deletes or overwrites a retained file", () => {
    const watched = new WatchedWorld(fencingOracle, { parallelism: 1 }).runUntil(6_000_000);
    const { world } = watched;
    const idle = world.processes.find(({ kind, engine }) => kind === "worker" && "tasks" in engine && engine.tasks.length === 0);
    const key = world.blobs.keys().find((one) => one.includes("metadata")) ?? "";
    const retained = world.blobs.keys("checkpoints/").at(-1) ?? "";
    if (idle === undefined) throw new Error("a worker has no task");
    world.blobs.applyPut(idle.process, retained, world.blobs.peek(retained) ?? new Uint8Array());
    expect(watched.findings).toEqual([]);
    world.blobs.applyPut(idle.process, retained, new Uint8Array(3));
    world.blobs.applyDelete(watched.processOf("jm-1"), key);
    world.blobs.applyDelete(idle.process, retained);
    expect(watched.findings).toHaveLength(2);
    expect(watched.findings[0]).toMatch(/^worker-\d, a worker without a task of the latest attempt, overwrote .*, which checkpoint \d references$/);
    expect(watched.findings[1]).toMatch(/^worker-\d, a worker without a task of the latest attempt, deleted /);
  });
});
