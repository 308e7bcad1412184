import { expect, test } from "vitest";
import { scenarios } from "#whitewater/scenarios/registry.js";
import { SOMETIMES, sometimesOracle } from "#whitewater/simulator/oracles/sometimes.js";
import { APPLIED_TWICE, survivingHistoryOracle } from "#whitewater/simulator/oracles/surviving-history.js";
import type { WatchOptions } from "./watched-world.js";
import { crashAt, crashOf, onEvent, WatchedWorld } from "./watched-world.js";

/** An event at which whoever runs it crashes. */
function crashOn(event: string, subject: string, x: number | null, nth = 1): NonNullable<WatchOptions["plan"]>[number] {
  return { kind: "process-crash", process: null, at: onEvent(event, subject, x, nth) };
}

const SUM = "sum -> counts[0]";
const AFTER_ANOTHER = [crashOf(SUM, 3), crashOn("taskRestoreStarted", SUM, null, 2)];

/** Two regions, of which worker-3 has tasks of one alone. */
const REGIONS: WatchOptions = { scenario: "two-pipelines", failover: "region", parallelism: 4 };
/** A connection of that region breaks. */
const BROKEN = { kind: "connection-break", at: { on: "event", event: "frameSent", subject: "orders -> map[0]", x: null, nth: 40, when: "before" } } as const;

/** Barriers overtake, and there is back-pressure; the job is rescaled in the middle of a burst. */
const OVERTAKING: WatchOptions = {
  scenario: "hot-key",
  mode: "unaligned",
  seed: "6",
  parallelism: 2,
  parallelismAfter: 3,
  plan: [{ kind: "rescale", parallelism: 3, at: onEvent("checkpointCompleted", "jm-1", 3) }],
};

/** Checkpoints share files. */
const SHARING: WatchOptions = { backend: "lsm", restore: "incremental" };

const CANCEL = { kind: "cancel-job", at: onEvent("checkpointCompleted", "jm-1", 4) } as const;

/** For each path a run that takes it. */
const PATHS: Readonly<Record<string, WatchOptions>> = {
  "crash between snapshot and ack": { plan: [crashOf(SUM, 3)] },
  "crash between ack and completion": { plan: [crashOn("rpcSent", SUM, 3)] },
  "crash between completion and notification": { plan: [{ kind: "process-crash", process: "worker-3", at: onEvent("checkpointCompleted", "jm-1", 5) }], parallelism: 4 },
  "crash between pre-commit and commit": { plan: [crashOn("transactionPrepared", "counts[0]", 3)] },
  "crash during a restore": { plan: AFTER_ANOTHER },
  "two crashes within one recovery": { plan: AFTER_ANOTHER },
  "barriers in flight on two channels at a crash": { plan: [crashOn("barrierForwarded", "words[0]", 3)] },
  "a checkpoint expired": { scenario: "flights", plan: [{ kind: "blob-slow", delayUs: 4_500_000, at: onEvent("blobPutIssued", "worker-3", 3) }], parallelism: 4 },
  "a checkpoint subsumed": { plan: [{ kind: "blob-slow", delayUs: 2_500_000, at: onEvent("blobPutIssued", "worker-3", 3) }], parallelism: 4 },
  "a checkpoint aborted": { plan: [crashOf("words[0]", 3)] },
  "a zombie that tried to act": { plan: [{ kind: "process-pause", process: "worker-2", durationUs: 6_000_000, at: { on: "time", atUs: 7_500_000 } }], parallelism: 4 },
  "a timer fired after a restore": { scenario: "timers", plan: [crashOf("heartbeats[0]", 3)] },
  "a late record dropped": { scenario: "flights-late" },
  "a checkpoint with finished tasks": { scenario: "two-pipelines", seed: "3", calm: true, parallelism: 4 },
  "a late decline ignored": {
    plan: [{ kind: "rpc-drop", at: onEvent("rpcSent", "words[0]", 3) }, { kind: "rpc-delay", delayUs: 3_000_000, at: onEvent("rpcSent", "words[1]", 3) }],
    parallelism: 4,
  },
  "a savepoint completed": { plan: [{ kind: "savepoint", at: onEvent("checkpointCompleted", "jm-1", 3) }] },
  "stop-with-savepoint": { plan: [{ kind: "stop-with-savepoint", mode: "suspend", at: onEvent("checkpointCompleted", "jm-1", 3) }] },
  "a resume from a savepoint with another parallelism": {
    scenario: "rolling-upgrade",
    plan: [{ kind: "stop-with-savepoint", mode: "suspend", at: onEvent("checkpointCompleted", "jm-1", 3) }],
  },
  "a resume from a retained checkpoint": { scenario: "resume-from-checkpoint", plan: [CANCEL] },
  "a resume from a retained checkpoint with another parallelism": { scenario: "resume-from-checkpoint", plan: [CANCEL], parallelism: 3 },
  "a retained checkpoint restored once more": {
    scenario: "resume-without-claim",
    plan: [CANCEL, { kind: "process-crash", process: null, at: onEvent("taskRunning", "routes -> progress[0]", null, 2) }],
  },
  "a claimed checkpoint deleted when subsumed": { scenario: "resume-from-checkpoint", plan: [CANCEL] },
  "a checkpoint of nobody's left in place": { scenario: "resume-without-claim", plan: [CANCEL] },
  "a leader recovered retained checkpoints": { plan: [{ kind: "process-crash", process: "jm-1", at: onEvent("checkpointCompleted", "jm-1", 3) }] },
  "cleaning held a trigger back": {
    plan: [1, 2, 3, 4, 5, 6, 7, 8].map((nth) => ({ kind: "blob-slow", delayUs: 5_000_000, at: onEvent("blobDeleteIssued", "jm-1", null, nth) })),
    parallelism: 1,
  },
  "a region restarted while another kept running": { ...REGIONS, plan: [BROKEN] },
  "a failure during a region's restart": { ...REGIONS, plan: [BROKEN, { kind: "process-crash", process: "worker-3", at: onEvent("taskRestoreStarted", "orders -> map[2]", null, 2) }] },
  "a region failover right after a checkpoint completed": { ...REGIONS, plan: [{ kind: "process-crash", process: "worker-3", at: onEvent("checkpointCompleted", "jm-1", 5) }] },
  "a table on level 3": { scenario: "big-state", backend: "lsm" },
  "a compaction overlapping a snapshot": { scenario: "big-state", backend: "lsm", seed: "3" },
  "a tombstone dropped for good": { scenario: "big-state", backend: "lsm" },
  "a restore with no remote byte": { restore: "local", plan: [crashOf(SUM, 4)] },
  "a restore that mixes local and remote pieces": {
    restore: "local",
    parallelism: 4,
    parallelismAfter: 2,
    plan: [{ kind: "rescale", parallelism: 2, at: onEvent("checkpointCompleted", "jm-1", 4) }],
  },
  "a local copy that failed its checksum": {
    restore: "local",
    plan: [
      { kind: "disk-bit-flip", bit: 400, at: { on: "event", event: "diskWritten", subject: "host-3:copy", x: 4, nth: 1, when: "before" } },
      crashOn("checkpointNotified", SUM, 4),
    ],
  },
  "a copy missing after disk loss": {
    restore: "local",
    plan: [{ kind: "disk-loss", host: null, at: onEvent("checkpointNotified", SUM, 4) }],
  },
  "a file shared by two retained checkpoints": SHARING,
  "a shared file deleted at last": SHARING,
  "a file named again by a later checkpoint": SHARING,
  "a late acknowledgement registered": {
    ...SHARING,
    plan: [{ kind: "rpc-duplicate", delayUs: 900_000, at: onEvent("rpcSent", SUM, 4) }],
  },
  "a local file reused by a restore": { ...SHARING, plan: [crashOf(SUM, 4)] },
  "a damaged local file replaced from remote": {
    ...SHARING,
    plan: [
      ...Array.from({ length: 12 }, (_, i) => ({
        kind: "disk-bit-flip" as const,
        bit: 100,
        at: { on: "event", event: "diskWritten", subject: "host-3:shared", x: -1, nth: i + 4, when: "before" } as const,
      })),
      crashOn("checkpointNotified", SUM, 4),
    ],
  },
  /** The barrier of one channel comes late: meanwhile records of the other are applied, which come again after the crash. */
  [APPLIED_TWICE]: {
    mode: "at-least-once",
    plan: [{ kind: "frame-delay", delayUs: 900_000, at: onEvent("frameSent", "words[0]", 5) }, crashOf(SUM, 6)],
  },
  "a value expired": { scenario: "deduplication" },
  "an expired entry cleaned up by compaction": { scenario: "deduplication", backend: "lsm" },
  "an expired entry cleaned up by the snapshot": { scenario: "deduplication", backend: "lsm" },
  "an expired entry cleaned up incrementally": { scenario: "deduplication" },
  "a restore as its combination says": {
    scenario: "matrix-chain",
    plan: [{ kind: "process-crash", process: "worker-2", at: { on: "time", atUs: 2_500_000 } }],
  },
  "a checkpoint with in-flight data in inputs": OVERTAKING,
  "a checkpoint with in-flight data in outputs": OVERTAKING,
  "a restore of in-flight data": OVERTAKING,
  "a restore of in-flight data at another parallelism": OVERTAKING,
  "an alignment that timed out": { scenario: "hot-key", mode: "aligned-timeout", parallelism: 3 },
  "a changelog materialized": { scenario: "big-state", backend: "changelog:heap" },
};

test("every declared path has a definition, and every scenario declares known ones", () => {
  expect(Object.keys(PATHS).toSorted()).toEqual(SOMETIMES.toSorted());
  for (const { sometimes, sometimesWith } of scenarios) {
    for (const path of [...sometimes, ...Object.values(sometimesWith ?? {}).flat()]) expect(SOMETIMES).toContain(path);
  }
});

test.each(SOMETIMES)("%s: is counted where it happens", (path) => {
  const watched = new WatchedWorld(path === APPLIED_TWICE ? survivingHistoryOracle : sometimesOracle, PATHS[path]).runToEnd();
  expect(watched.reached.get(path) ?? 0).toBeGreaterThan(0);
  expect(watched.findings).toEqual([]);
});

test("a run in which nothing goes wrong reaches none of them, save for late records", () => {
  for (const scenario of ["word-count", "timers", "flights"]) {
    const watched = new WatchedWorld(sometimesOracle, { scenario, calm: true }).runToEnd();
    expect([...watched.reached.keys()]).toEqual([]);
  }
});

test("a crash of a process that has no part in the job counts as nothing", () => {
  const watched = new WatchedWorld(sometimesOracle, { parallelism: 1, plan: [crashAt("worker-1", 7_000_000), crashAt("worker-2", 7_100_000)] });
  const idle = (name: string): boolean => {
    const { kind, engine } = watched.engineOf(name);
    return kind === "worker" && engine.tasks.length === 0;
  };
  watched.runUntil(6_900_000);
  expect(["worker-1", "worker-2"].map(idle)).toEqual([true, true]);
  expect([...watched.runToEnd().reached.keys()]).toEqual([]);
});
