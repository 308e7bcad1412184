import { describe, expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import { JOB_SHAPES } from "#whitewater/scenarios/matrix/job-shapes.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import { simulate } from "#whitewater/simulator/simulate.js";
import type { RunOptions, Scenario } from "#whitewater/simulator/scenario.js";

/** Plans that once ended badly, whatever the fault was: of the engine, of the simulator, or of an oracle. */
interface Regression {
  readonly title: string;
  readonly scenario: string;
  readonly seed: string;
  readonly fixed: Partial<RunOptions>;
  readonly plan: FaultPlan;
}

/** What runs had before anything else could be drawn. */
const ORDINARY = { mode: "aligned", restore: "full", failover: "job" } as const;

const regressions: readonly Regression[] = [
  {
    title: "a worker that slept through a checkpoint acknowledges it when the job has just finished without it",
    scenario: "word-count",
    seed: "951",
    fixed: { ...ORDINARY, backend: "heap", parallelism: 1, bufferElements: 16 },
    plan: [
      { id: "f1", kind: "log-slow", delayUs: 12_043, at: { on: "event", event: "logIssued", subject: "words", x: null, nth: 85, when: "before" } },
      { id: "f2", kind: "process-pause", process: null, durationUs: 1_181_862, at: { on: "event", event: "barrierForwarded", subject: "words[0]", x: 11, nth: 1, when: "after" } },
      { id: "f3", kind: "process-pause", process: null, durationUs: 12_612, at: { on: "event", event: "taskRunning", subject: "sum -> counts[0]", x: null, nth: 1, when: "before" } },
      { id: "f4", kind: "process-pause", process: null, durationUs: 7_302_896, at: { on: "event", event: "transactionPrepared", subject: "counts[0]", x: 20, nth: 1, when: "after" } },
    ],
  },
  {
    title: "a metadata file that a deposed leader began to upload appears when the same process leads again",
    scenario: "flights",
    seed: "3979",
    fixed: { ...ORDINARY, backend: "heap", parallelism: 2, bufferElements: 1 },
    plan: [
      { id: "f1", kind: "blob-slow", delayUs: 5_815_708, at: { on: "event", event: "blobPutIssued", subject: "jm-1", x: 1, nth: 1, when: "before" } },
      { id: "f2", kind: "lease-loss", lease: "job/leadership", at: { on: "event", event: "watermarkAdvanced", subject: "flights[0]", x: null, nth: 1, when: "before" } },
    ],
  },
  {
    title: "a worker whose disk was full when it started makes its state directory once there is room again",
    scenario: "flights",
    seed: "261",
    fixed: { ...ORDINARY, backend: "lsm", parallelism: 3, bufferElements: 16 },
    plan: [
      { id: "f1", kind: "disk-error", code: "ENOSPC", partBytes: 560, at: { on: "event", event: "diskNamed", subject: "host-3:directory", x: -1, nth: 1, when: "before" } },
    ],
  },
  {
    title: "an acknowledgement is repeated while the record of its checkpoint is being removed, and its file is still named",
    scenario: "flights",
    seed: "974",
    fixed: { ...ORDINARY, backend: "heap", parallelism: 4, bufferElements: 4 },
    plan: [
      { id: "f1", kind: "rpc-reply-drop", at: { on: "event", event: "rpcResponded", subject: "flights[2]", x: 8, nth: 1, when: "before" } },
      { id: "f2", kind: "rpc-drop", at: { on: "event", event: "rpcSent", subject: "flights[1]", x: 5, nth: 3, when: "before" } },
    ],
  },
  {
    title: "an acknowledgement of a savepoint comes a second time when the savepoint is complete, and its file is its owner's",
    scenario: "word-count",
    seed: "1",
    fixed: { ...ORDINARY, backend: "heap", parallelism: 2, bufferElements: 16 },
    plan: [
      { id: "f1", kind: "savepoint", at: { on: "event", event: "checkpointCompleted", subject: "jm-1", x: null, nth: 3, when: "after" } },
      { id: "f2", kind: "rpc-duplicate", delayUs: 900_000, at: { on: "event", event: "rpcSent", subject: "sum -> counts[0]", x: 4, nth: 1, when: "before" } },
    ],
  },
  {
    title: "a savepoint that completed is not pending any more when its attempt dies with a commit under way",
    scenario: "founding-checkpointing",
    seed: "117",
    fixed: { ...ORDINARY, backend: "heap", parallelism: 2 },
    plan: [
      { id: "savepoint", kind: "savepoint", at: { on: "event", event: "checkpointCompleted", subject: "jm-1", x: 2, nth: 1, when: "after" } },
      { id: "f1", kind: "user-exception", at: { on: "event", event: "userCall", subject: "window[1]", x: null, nth: 2, when: "before" } },
    ],
  },
  {
    title: "a store that is empty as it was at the restored checkpoint describes itself again, which is no upload of a shared file",
    scenario: "matrix-pipelines",
    seed: "29",
    fixed: { mode: "aligned", restore: "incremental", failover: "job", backend: "lsm", parallelism: 2, parallelismAfter: 3, bufferElements: 16 },
    plan: [
      { id: "recovery", kind: "process-crash", process: null, at: { on: "event", event: "snapshotDurable", subject: "spending -> customer-spending[0]", x: 7, nth: 1, when: "after" } },
      { id: "rescale", kind: "rescale", parallelism: 3, at: { on: "event", event: "checkpointCompleted", subject: "jm-1", x: null, nth: 5, when: "after" } },
    ],
  },
  {
    title: "a subtask settles the transactions of one that is gone, in a process in which that one ran in an earlier attempt",
    scenario: "hot-key",
    seed: "128",
    fixed: { mode: "unaligned", restore: "full", failover: "job", backend: "heap", parallelism: 4, parallelismAfter: 2, bufferElements: 4 },
    plan: [
      { id: "f1", kind: "user-exception", at: { on: "event", event: "userCall", subject: "levels[3]", x: null, nth: 14, when: "before" } },
      { id: "f2", kind: "rpc-chaos", lossPercent: 7, duplicatePercent: 10, delayPercent: 17, delayUs: 1393, durationUs: 1_771_691, at: { on: "event", event: "jobRunning", subject: "jm-1", x: null, nth: 2, when: "after" } },
      { id: "rescale", kind: "rescale", parallelism: 2, at: { on: "event", event: "checkpointCompleted", subject: "jm-1", x: null, nth: 5, when: "after" } },
    ],
  },
  {
    title: "a savepoint holds copies of what finished tasks left, and not the files of a checkpoint that is deleted",
    scenario: "resume-from-checkpoint",
    seed: "21",
    fixed: { backend: "changelog:heap", mode: "unaligned", restore: "local", parallelism: 3, bufferElements: 64 },
    plan: [
      { id: "f1", kind: "lease-loss", lease: "job/leadership", at: { on: "time", atUs: 1_071_632 } },
      { id: "upgrade", kind: "cancel-job", at: { on: "event", event: "checkpointCompleted", subject: "jm-1", x: null, nth: 11, when: "after" } },
      { id: "savepoint", kind: "savepoint", at: { on: "event", event: "checkpointAcked", subject: "jm-1", x: 20, nth: 1, when: "after" } },
    ],
  },
  {
    title: "a window of an at-least-once job fired before its snapshot, which lay behind a late barrier, and its key groups come to a subtask that is behind",
    scenario: "matrix-union",
    seed: "4",
    fixed: { backend: "lsm", mode: "at-least-once", restore: "local", parallelism: 2, parallelismAfter: 3, bufferElements: 4, failover: "job" },
    plan: [
      { id: "late-barrier", kind: "frame-delay", delayUs: 580_022, at: { on: "event", event: "frameSent", subject: "south[0]", x: 7, nth: 1, when: "before" } },
      { id: "late-barrier-crash", kind: "process-crash", process: null, at: { on: "event", event: "checkpointNotified", subject: "south[0]", x: 7, nth: 1, when: "after" } },
      { id: "recovery", kind: "user-exception", at: { on: "event", event: "userCall", subject: "sums[1]", x: null, nth: 38, when: "before" } },
      { id: "rescale", kind: "rescale", parallelism: 3, at: { on: "event", event: "checkpointCompleted", subject: "jm-1", x: null, nth: 7, when: "after" } },
    ],
  },
];

function scenarioOf(name: string): Scenario {
  return present(scenarioNamed(name) ?? JOB_SHAPES.find((shape) => shape.name === name), "the scenario exists");
}

describe("what once ended badly ends well", () => {
  test.each(regressions)("$title", ({ scenario, seed, fixed, plan }) => {
    const result = simulate(scenarioOf(scenario), { seed, profile: "swarm", fixed, plan, oracles: true, checked: false, maxSteps: 1_000_000 });
    expect(result.findings).toEqual([]);
    expect(result.verdict).toBe("ok");
    expect(result.faults.map(({ outcome }) => outcome)).not.toContain("dud");
  });
});
