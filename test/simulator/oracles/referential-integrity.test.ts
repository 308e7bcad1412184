import { afterEach, describe, expect, test, vi } from "vitest";
import { CompletedStore } from "#whitewater/engine/checkpoint/completed-store.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { JobManager } from "#whitewater/engine/runtime/job-manager.js";
import { referentialIntegrityOracle } from "#whitewater/simulator/oracles/referential-integrity.js";
import { crashAt, crashOf, onEvent, WatchedWorld } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("what a retained checkpoint references", () => {
  test("is there all the time, whatever crashes", () => {
    const plan = [crashOf("words[0]", 4), crashAt("jm-1", 12_000_000), { kind: "blob-late-delete", delayUs: 3_000_000, at: onEvent("blobDeleteIssued", "jm-1", null, 5) }] as const;
    expect(new WatchedWorld(referentialIntegrityOracle, { plan }).verdict()).toBe("nothing");
  });

  test("is missed when it is deleted, replaced or damaged", () => {
    const watched = new WatchedWorld(referentialIntegrityOracle).runUntil(6_000_000);
    const { blobs, coordination } = watched.world;
    const record = coordination.registers("job/checkpoints/").at(-1)?.key ?? "";
    const id = record.slice(record.lastIndexOf("/") + 1);
    const [first = "", second = "", third = ""] = blobs.keys(`checkpoints/chk-${id}/`);
    const worker = watched.processOf("worker-1");
    blobs.applyDelete(worker, first);
    blobs.applyPut(worker, second, new Uint8Array(2));
    blobs.applyPut(worker, third, (blobs.peek(third) ?? new Uint8Array(1)).slice());
    expect(watched.findings).toEqual([
      `worker-1 deleted ${first}, which checkpoint ${id} references`,
      `worker-1 overwrote ${second}, which checkpoint ${id} references, with something else`,
    ]);
    const damaged = blobs.peek(third);
    if (damaged !== null) damaged[9] = (damaged[9] ?? 0) ^ 1;
    watched.conclude("stuck");
    const [missing, replaced, ...others] = watched.findings.slice(2).sort();
    expect(missing).toMatch(new RegExp(`^checkpoint ${id} is retained, but ${first} (is not in the blob store)$`));
    expect(replaced).toMatch(new RegExp(`^checkpoint ${id} is retained, but ${second} holds 2 bytes, not \\d+$`));
    expect(others).toEqual([`checkpoint ${id} is retained, but ${third} has another checksum`]);
  });
});

describe("what a version of the job was started from without a claim", () => {
  const watchedVersion = (takesForItsOwn: boolean): WatchedWorld => {
    const plan = [{ kind: "cancel-job", at: onEvent("checkpointCompleted", "jm-1", null, 10) }] as const;
    const watched = new WatchedWorld(referentialIntegrityOracle, { scenario: "resume-without-claim", backend: "changelog:heap", restore: "incremental", plan });
    watched.world.kernel.on(TRACE.storeRecovered, () => {
      const { engine } = watched.engineOf("jm-1");
      const latest = engine instanceof JobManager ? engine.master?.store.latest() : null;
      if (takesForItsOwn && latest) (latest as { isOwned: boolean }).isOwned = true;
    });
    return watched.runToEnd();
  };

  test("stays, and no later checkpoint names any of its files", () => {
    const { findings, world } = watchedVersion(false);
    expect({ findings, upgrades: world.upgrades }).toEqual({ findings: [], upgrades: 1 });
  });

  test("is missed where the new version takes it for its own", () => {
    const { findings, world } = watchedVersion(true);
    const id = world.startedFrom?.snapshot.checkpointId ?? -1;
    expect(findings[0]).toMatch(new RegExp(`^checkpoint ${id + 1} names .* of checkpoint ${id}, from which the job was started without a claim$`));
    expect(findings).toContain(`jm-1 removed checkpoint ${id}, on which the job has no claim`);
  });
});

describe("what nothing references any more", () => {
  test("is gone when the job has finished", () => {
    const watched = new WatchedWorld(referentialIntegrityOracle);
    expect(watched.verdict()).toBe("nothing");
    expect(watched.world.blobs.keys().length).toBeGreaterThan(0);
  });

  test("is missed by a leader that removes records and keeps the files", () => {
    vi.spyOn(CompletedStore.prototype, "discardFiles").mockImplementation(() => undefined);
    const { findings } = new WatchedWorld(referentialIntegrityOracle).runToEnd();
    expect(findings.length).toBeGreaterThan(20);
    expect(findings[0]).toMatch(/is left behind, and no checkpoint references it: jm-1 removed its record and did not delete it$/);
  });

  test("is missed by a leader that gives a checkpoint up and keeps its files", () => {
    const discardFiles = CompletedStore.prototype.discardFiles;
    vi.spyOn(CompletedStore.prototype, "discardFiles").mockImplementation(function (this: CompletedStore, id, keys) {
      if (id !== 6) discardFiles.call(this, id, keys);
    });
    const plan = [{ kind: "process-crash", process: "worker-3", at: onEvent("checkpointAcked", "jm-1", 6, 2) }] as const;
    const { findings } = new WatchedWorld(referentialIntegrityOracle, { plan, parallelism: 4 }).runToEnd();
    expect(findings.length).toBeGreaterThan(0);
    for (const finding of findings) expect(finding).toMatch(/chk-6\/.*: jm-1 knew of it and did not delete it$/);
  });

  const leftBy = (worker: string, after: (watched: WatchedWorld, key: string) => void): readonly string[] => {
    const watched = new WatchedWorld(referentialIntegrityOracle).runUntil(6_000_000);
    const key = "checkpoints/chk-99/v0-s0-a1";
    watched.world.blobs.applyPut(watched.processOf(worker), key, new Uint8Array(1));
    watched.world.blobs.answered(watched.processOf(worker), "put", key, null);
    after(watched, key);
    return watched.runToEnd().findings;
  };

  test("may stay where its delete failed or nobody answered, and not where it was answered as done", () => {
    const finding = "checkpoints/chk-99/v0-s0-a1 is left behind, and no checkpoint references it: ";
    expect(leftBy("worker-1", () => undefined)).toEqual([`${finding}worker-1 wrote it and neither acknowledged nor deleted it`]);
    expect(leftBy("jm-1", () => undefined)).toEqual([`${finding}jm-1 wrote it and did not delete it`]);
    const deleted = (code: "unavailable" | "unknown" | null | "no answer"): readonly string[] =>
      leftBy("worker-1", (watched, key) => {
        const { blobs } = watched.world;
        blobs.deleteAsked(watched.processOf("worker-1"), key);
        if (code !== "no answer") blobs.answered(watched.processOf("worker-1"), "delete", key, code);
      });
    expect(deleted("unavailable")).toEqual([]);
    expect(deleted("no answer")).toEqual([]);
    expect(deleted(null)).toEqual([`${finding}its delete was answered as done`]);
  });
});
