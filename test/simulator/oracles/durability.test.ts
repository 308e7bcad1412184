import { afterEach, describe, expect, test, vi } from "vitest";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { SimBlobStore } from "#whitewater/simulator/hosts/sim-blob-store.js";
import { durabilityOracle } from "#whitewater/simulator/oracles/durability.js";
import { crashOf, WatchedWorld } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a run with a crash finds nothing", () => {
  expect(new WatchedWorld(durabilityOracle, { plan: [crashOf("words[0]", 6)] }).verdict()).toBe("nothing");
});

describe("what is promised before it is durable is named", () => {
  test("a store that says ok and keeps nothing", () => {
    vi.spyOn(SimBlobStore.prototype, "applyPut").mockImplementation(() => undefined);
    const watched = new WatchedWorld(durabilityOracle).runUntil(5_000_000);
    expect(watched.findings[0]).toMatch(/^worker-\d acknowledged checkpoint 1 although checkpoints\/chk-1\/.* is not in the blob store$/);
    expect(watched.findings.some((finding) => /^checkpoint 1 completed although .*metadata/.test(finding))).toBe(true);
  });

  test("a store that keeps something else", () => {
    const applyPut = SimBlobStore.prototype.applyPut;
    vi.spyOn(SimBlobStore.prototype, "applyPut").mockImplementation(function (this: SimBlobStore, process, key, bytes) {
      const damaged = bytes.slice();
      damaged[8] = (damaged[8] ?? 0) ^ 1;
      applyPut.call(this, process, key, damaged);
    });
    const watched = new WatchedWorld(durabilityOracle).runUntil(5_000_000);
    expect(watched.findings[0]).toMatch(/acknowledged checkpoint 1 although .* has another checksum$/);
  });

  test("a completed checkpoint that is aborted", () => {
    const watched = new WatchedWorld(durabilityOracle).runUntil(6_000_000);
    const jobManager = watched.processOf("jm-1");
    watched.world.kernel.point(jobManager, TRACE.checkpointAborted, jobManager.subject, 2, 4);
    expect(watched.findings).toEqual(["checkpoint 2 was aborted after its record was written"]);
  });

  test("a record of an id below the last one", () => {
    const watched = new WatchedWorld(durabilityOracle).runUntil(6_000_000);
    const [record] = watched.world.coordination.registers("job/checkpoints/");
    const fence = { lease: "job/leadership", epoch: 1 };
    watched.world.coordination.compareAndSet(watched.processOf("jm-1"), "job/checkpoints/1", 0, record?.value ?? "", fence);
    expect(watched.findings[0]).toMatch(/^checkpoint 1 completed although .* is of checkpoint \d$/);
    expect(watched.findings[1]).toMatch(/^checkpoint 1 completed after checkpoint \d$/);
  });
});

test("ids of an attempt rise, and stay below those of a later attempt, in whatever order they are triggered", () => {
  const watched = new WatchedWorld(durabilityOracle);
  const jobManager = watched.processOf("jm-1");
  const trigger = (id: number, attempt: number): void =>
    watched.world.kernel.point(jobManager, TRACE.checkpointTriggered, jobManager.subject, id, attempt);
  trigger(1, 10);
  trigger(4, 20);
  trigger(3, 10);
  trigger(5, 20);
  expect(watched.findings).toEqual([]);
  trigger(5, 20);
  trigger(4, 10);
  trigger(2, 30);
  expect(watched.findings).toEqual([
    "checkpoint 5 of attempt 20 was triggered after checkpoint 5 of attempt 20",
    "checkpoint 4 of attempt 10 is not below checkpoint 4 of the later attempt 20",
    "checkpoint 2 of attempt 30 was triggered after checkpoint 4 of attempt 10",
    "checkpoint 2 of attempt 30 was triggered after checkpoint 5 of attempt 20",
  ]);
});
