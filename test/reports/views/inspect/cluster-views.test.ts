import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import type { Journey } from "#whitewater/reports/travel/journey.js";
import { blobsFacts, blobsLines } from "#whitewater/reports/views/inspect/blobs-view.js";
import { hostFacts, hostLines } from "#whitewater/reports/views/inspect/host-view.js";
import { leadershipFacts } from "#whitewater/reports/views/inspect/job-manager-facts.js";
import type { LeadershipFacts, TermFacts } from "#whitewater/reports/views/inspect/job-manager-facts.js";
import { jobManagerLines } from "#whitewater/reports/views/inspect/job-manager-lines.js";
import type { LogFacts } from "#whitewater/reports/views/inspect/log-facts.js";
import { logFacts } from "#whitewater/reports/views/inspect/log-facts.js";
import { logLines } from "#whitewater/reports/views/inspect/log-lines.js";
import { FIRST_WINDOW } from "#whitewater/reports/views/inspect/window.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { show } from "#whitewater/reports/views/show.js";
import type { DiskFile } from "#whitewater/simulator/hosts/disk-file.js";
import type { World } from "#whitewater/simulator/world/world.js";
import { firstStep, smallJourney, stepOf } from "./small-journeys.ts";

let journey: Journey;
beforeAll(() => {
  const fixed = { backend: "heap", mode: "aligned", restore: "full", parallelism: 2, parallelismAfter: 2 } as const;
  // While checkpoint 4 is under way.
  const at = { on: "event", event: "snapshotTaken", subject: "sum -> counts[0]", x: 4, nth: 1, when: "after" } as const;
  journey = smallJourney("word-count", "5", { fixed, plan: [{ id: "crash", kind: "process-crash", process: null, at }] });
});
afterAll(() => journey.machine.release());

/** A World of its own at a step, that may be spoilt. */
function worldAt(step: number): World {
  const run = journey.run.plain();
  while (run.world.kernel.stepNumber < step) run.advance();
  return run.world;
}

function leadership(step: number): LeadershipFacts {
  return leadershipFacts(journey.machine.seek(step), journey.tape, step, null);
}

function termAt(step: number): TermFacts {
  return present(leadership(step).jobManagers[0]?.term ?? null, "somebody leads");
}

describe("a JobManager", () => {
  test("shows who leads, with what workers, and how the job stands", () => {
    const step = stepOf(journey, "jobRunning");
    const facts = leadership(step);
    expect(facts).toMatchObject({ leaseHolder: "jm-1", leaseEpoch: 1, published: { address: "jm-1", epoch: 1 }, jobStatus: null });
    expect(facts.leaseExpiresAtUs).toBeGreaterThan(journey.tape.timeUsOf(step));
    expect(facts.jobManagers).toMatchObject([{ name: "jm-1", incarnation: 1, isAlive: true, isLeading: true }]);
    const { workers, regions, backoff, phase } = termAt(step);
    expect(workers.length).toBeGreaterThan(0);
    expect([phase, backoff.strategy, regions.map((region) => region.tasks.length)]).toEqual(["running", "fixed-delay", [4]]);
    const texts = jobManagerLines(facts).map(textOf);
    expect(texts[0]).toMatch(/^ {2}leadership {2}jm-1 holds the lease, epoch 1, until [\d.]+s unless renewed$/);
    expect(texts).toContain("    job running  epoch 1");
  });

  test("shows of a pending checkpoint who acknowledged it when, and how far the others are", () => {
    const acked = firstStep(journey, stepOf(journey, "checkpointAcked"), (one) => journey.tape.pointsOf(one).some(({ event, y }) => event === "checkpointAcked" && y === 2));
    const checkpointId = journey.tape.pointsOf(acked).find(({ event }) => event === "checkpointAcked")?.x;
    const pending = termAt(acked).pending.find((one) => one.checkpointId === checkpointId);
    expect([pending?.acknowledged.length, pending?.missing.length, pending?.isCommitting]).toEqual([2, 2, false]);
    expect(pending?.acknowledged.at(-1)?.atUs).toBe(journey.tape.timeUsOf(acked));
    for (const { task, stage, sinceUs } of pending?.missing ?? []) {
      expect(sinceUs).toBeGreaterThanOrEqual(pending?.triggeredAtUs ?? Infinity);
      const heard = (event: string): boolean => {
        for (let one = 1; one <= acked; one += 1) if (journey.tape.pointsOf(one).some((point) => point.event === event && point.subject === task && point.x === checkpointId)) return true;
        return false;
      };
      const [isDurable, isTaken, isReached] = [heard("snapshotDurable"), heard("snapshotTaken"), heard("barrierReceived")];
      expect(stage).toBe(isDurable ? "snapshot written, not acknowledged" : isTaken ? "writes its snapshot" : isReached ? "waits for its other barriers" : "no barrier yet");
    }
    expect(jobManagerLines(leadership(acked)).map(textOf).filter((text) => text.startsWith("? "))).toHaveLength(2);
  });

  test("shows completed ones, those given up with the reason, the last failure and the restarts", () => {
    const completed = stepOf(journey, "checkpointCompleted");
    expect(termAt(completed).retained.map(({ checkpointId }) => checkpointId)).toEqual([journey.tape.pointsOf(completed).find(({ event }) => event === "checkpointCompleted")?.x]);
    expect(termAt(completed).retained[0]).toMatchObject({ files: 5, sizeBytes: expect.any(Number) });
    const aborted = stepOf(journey, "checkpointAborted");
    const { x, y } = present(journey.tape.pointsOf(aborted).find(({ event }) => event === "checkpointAborted"), "it is there");
    expect(termAt(aborted).aborted.at(-1)).toMatchObject({ checkpointId: x, atUs: journey.tape.timeUsOf(aborted) });
    expect(y).toBeGreaterThan(0);
    const restarting = stepOf(journey, "jobRestarting");
    expect(termAt(restarting - 1)).toMatchObject({ restarts: 0, backoff: { failures: 0 } });
    expect(termAt(restarting)).toMatchObject({ restarts: 1, backoff: { failures: 1 }, lastFailure: expect.any(String) });
    expect(jobManagerLines(leadership(restarting)).map(textOf).filter((text) => text.startsWith("!   last failure"))).toHaveLength(1);
  });

  test("is found by its name alone, and says which there are where there is none", () => {
    expect(show("jm-1", journey, 100).facts).toEqual(leadership(100));
    expect(() => show("jm-7", journey, 100)).toThrow(/the JobManager jm-7: is none of this cluster; choose one of: jm-1/);
  });
});

describe("a host", () => {
  test("shows its processes, and a file that is damaged, not synced or removed without a sync", () => {
    const world = worldAt(stepOf(journey, "jobRunning"));
    const host = present(world.hosts.find(({ name }) => name === "host-1"), "the host exists");
    const disk = world.diskOf(host);
    const before = hostFacts(world, "host-1", FIRST_WINDOW);
    expect(before).toMatchObject({ isUp: true, damagedFiles: 0, processes: [{ name: "worker-1", isAlive: true, incarnation: 1, pausedUntilUs: null }] });
    const file = (path: string, bytes: number, isSynced: boolean): DiskFile => {
      const place = disk.placeOf(path);
      if (typeof place === "number") throw new Error("the directory exists");
      const made = disk.createFile(place);
      disk.write(made, new Uint8Array(bytes).fill(7), 0);
      if (isSynced) {
        disk.sync(made);
        disk.syncDirectory(disk.root);
      }
      return made;
    };
    disk.flipBit("fault-9", file("/damaged", 100, true), 10, 1, 3);
    disk.write(file("/grown", 20, true), new Uint8Array(30), 20);
    file("/gone", 5, true);
    disk.unlink("/gone");
    file("/new", 40, false);
    const facts = hostFacts(world, "host-1", FIRST_WINDOW);
    expect(facts).toMatchObject({ damagedFiles: 1, files: before.files + 3, sizeBytes: before.sizeBytes + 190, unsyncedFiles: before.unsyncedFiles + 2, unsyncedNames: before.unsyncedNames + 2 });
    const texts = hostLines(facts).map(textOf);
    expect(texts).toEqual(
      expect.arrayContaining([
        "!   /damaged  100 bytes",
        "!       bit-flip at 10  fault fault-9",
        "*   /grown  50 bytes  1 unsynced change (30 bytes), 20 bytes durable",
        "-   /gone  5 bytes  removed, which is not synced: a power loss may bring it back",
        "*   /new  40 bytes  name not synced  1 unsynced change (40 bytes), 0 bytes durable",
      ]),
    );
    expect(hostFacts(world, "host-1", { ...FIRST_WINDOW, filter: "grown" }).names).toMatchObject({ matching: 1, items: [{ path: "/grown" }] });
    world.release();
  });

  test("shows a process that is dead, and one that is paused", () => {
    const world = worldAt(stepOf(journey, "jobRunning"));
    const worker = present(world.processNamed("worker-1"), "it lives").process;
    worker.pausedUntilUs = world.nowUs + 1_500_000;
    expect(hostLines(hostFacts(world, "host-1", FIRST_WINDOW)).map(textOf)[1]).toMatch(/^! {3}worker-1 {2}paused until [\d.]+s {2}incarnation 1$/);
    world.release();
    const crashed = firstStep(journey, 1, (one) => journey.tape.pointsOf(one).some(({ event }) => event === "processCrashed"));
    const { subject } = present(journey.tape.pointsOf(crashed).find(({ event }) => event === "processCrashed"), "it is there");
    const host = present(journey.machine.seek(crashed).placements().find(({ name }) => name === subject), "it is placed somewhere").host.name;
    expect(hostFacts(journey.machine.seek(crashed), host, FIRST_WINDOW).processes).toMatchObject([{ name: subject, isAlive: false, tasks: [] }]);
  });

  test("is refused where there is none", () => {
    expect(() => show("host:host-9", journey, 10)).toThrow(/the host host-9: is none of this cluster \(did you mean host-\d\?\); choose one of: jm-host-1, host-1/);
  });
});

describe("the blob store", () => {
  test("shows what needs each object, what nothing needs, and what is missing", () => {
    const completed = stepOf(journey, "checkpointCompleted");
    const { x } = present(journey.tape.pointsOf(completed).find(({ event }) => event === "checkpointCompleted"), "it is there");
    const world = worldAt(completed);
    const facts = blobsFacts(world, FIRST_WINDOW);
    expect(facts.missing).toEqual([]);
    const own = facts.blobs.items.filter(({ key }) => key.includes(`/chk-${x}/`));
    expect(own.map(({ referencedBy }) => referencedBy)).toEqual(own.map(() => [`checkpoint ${x}`]));
    expect(own).toHaveLength(5);
    world.blobs.load(new Map([["checkpoints/chk-77/left-behind", new Uint8Array(3)]]));
    const lost = present(own.find(({ key }) => !key.includes("metadata")), "there is a file of a task").key;
    const jm = present(world.processNamed("jm-1"), "it lives").process;
    world.blobs.applyDelete(jm, lost);
    const after = blobsFacts(world, FIRST_WINDOW);
    expect(after).toMatchObject({ objects: facts.objects, unreferenced: facts.unreferenced + 1, missing: [{ key: lost, referencedBy: [`checkpoint ${x}`] }] });
    const texts = blobsLines(after).map(textOf);
    expect(texts).toContain(`!   ${lost}  missing, and checkpoint ${x} needs it`);
    expect(texts.filter((text) => text.startsWith("?   checkpoints/chk-77/left-behind  3 bytes"))).toHaveLength(1);
    world.release();
  });

  test("shows what an acknowledgement brought as that of a pending checkpoint", () => {
    const acked = firstStep(journey, 1, (one) => journey.tape.pointsOf(one).some(({ event, y }) => event === "checkpointAcked" && y === 1));
    const { x } = present(journey.tape.pointsOf(acked).find(({ event }) => event === "checkpointAcked"), "it is there");
    const items = blobsFacts(journey.machine.seek(acked), FIRST_WINDOW).blobs.items.filter(({ pendingFor }) => pendingFor.includes(x));
    expect(items).toHaveLength(3);
    expect(items.flatMap(({ referencedBy }) => referencedBy)).toEqual([]);
  });
});

describe("the log", () => {
  test("holds back what is committed behind something undecided", () => {
    const outputsAt = (step: number): LogFacts["outputs"] => logFacts(journey.machine.seek(step), { ...FIRST_WINDOW, limit: 1_000 }).outputs;
    const step = firstStep(journey, 300, (one) => outputsAt(one).some(({ counts }) => counts["held back"] > 0));
    for (const { topic, partition, counts, lastStableOffset, records } of outputsAt(step)) {
      expect(counts.visible).toBe(journey.machine.world.log.readCommitted(topic, partition).length);
      for (const { offset, status } of records.items) if (status === "held back") expect(offset).toBeGreaterThan(lastStableOffset);
    }
  });

  test("shows how far each input has come and is read, and which records of the output can be seen", () => {
    const step = stepOf(journey, "transactionPrepared", 300);
    const world = journey.machine.seek(step);
    const { inputs, outputs, pending, producers } = logFacts(world, { ...FIRST_WINDOW, limit: 1_000 });
    expect(inputs).toHaveLength(4);
    for (const { records, arrived, readers } of inputs) {
      expect(readers).toHaveLength(1);
      expect(readers[0]?.offset).toBeLessThanOrEqual(arrived);
      expect(arrived).toBeLessThan(records);
    }
    for (const { topic, partition, endOffset, counts, records } of outputs) {
      expect(counts.visible).toBe(world.log.readCommitted(topic, partition).length);
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(endOffset);
      expect(records.items.map(({ offset }) => offset)).toEqual(Array.from({ length: endOffset }, (_, offset) => offset));
    }
    expect(pending.some(({ status }) => status === "prepared")).toBe(true);
    expect(outputs.reduce((sum, { counts }) => sum + counts.prepared + counts.open, 0)).toBe(pending.reduce((sum, { records }) => sum + records, 0));
    expect(producers.map(({ producerId }) => producerId)).toEqual(expect.arrayContaining(["counts/counts-0", "counts/counts-1"]));
    const texts = logLines(logFacts(world, { ...FIRST_WINDOW, limit: 2 })).map(textOf);
    expect(texts.filter((text) => /^\* {7}\s*\d+ {2}prepared {3}\{count: \d+, word: "\w+"\} {2}counts\/counts-\d\//.test(text)).length).toBeGreaterThan(0);
    expect(texts.filter((text) => text.includes("counted from the end")).length).toBeGreaterThan(0);
  });
});
