import { describe, expect, test } from "vitest";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { RestartStrategies } from "#whitewater/engine/api/restart-strategies.js";
import { RestoreStrategies } from "#whitewater/engine/api/restore-strategies.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import type { CheckpointRetention } from "#whitewater/engine/graph/checkpoint-retention.js";
import { CHECKPOINT_RETENTIONS } from "#whitewater/engine/graph/checkpoint-retention.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { resumeFromCheckpoint } from "#whitewater/scenarios/resume-from-checkpoint.js";
import { wordCount, type WordCount } from "#whitewater/scenarios/word-count.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { PreparedRun } from "#whitewater/simulator/prepared-run.js";
import type { RunResult } from "#whitewater/simulator/run-result.js";
import type { World } from "#whitewater/simulator/world/world.js";

type Unidentified<T extends Fault = Fault> = T extends unknown ? Omit<T, "id"> : never;

const OPTIONS = { backend: "lsm", mode: "aligned", restore: "incremental", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 16 } as const;
const CANCEL: Unidentified = { kind: "cancel-job", at: { on: "time", atUs: 8_300_000 } };
const BROKEN: Unidentified = { kind: "process-crash", process: "worker-1", at: { on: "time", atUs: 8_300_000 } };
/** Beyond the end of a run, for whoever has to come first. */
const LONG_AFTER_US = 60_000_000;

function jobWith(retention: CheckpointRetention): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  env
    .setParallelism(2)
    .setMaxParallelism(32)
    .setStateBackend({ name: "lsm", writeBufferBytes: 1_024, tableBytes: 1_024 })
    .enableCheckpointing(1000)
    .setRestoreStrategy(RestoreStrategies.incremental())
    .setRestartStrategy(RestartStrategies.none());
  env.getCheckpointConfig().setMaxRetainedCheckpoints(2).setExternalizedCheckpointRetention(retention);
  env
    .fromSource(new LogSource<WordCount>("words"), WatermarkStrategies.noWatermarks<WordCount>())
    .uid("words")
    .keyBy(({ word }) => word)
    .reduce((sum, { count }) => ({ word: sum.word, count: sum.count + count }))
    .uid("sum")
    .sinkTo(new TransactionalLogSink<WordCount>({ topic: "counts", partitionOf: () => 0 }))
    .uid("sink");
  return env.execute("Word Count");
}

function scenarioWith(retention: CheckpointRetention): Scenario {
  return { ...wordCount, job: () => jobWith(retention), budget: { ...wordCount.budget, jobMayFail: true } };
}

function prepare(scenario: Scenario, plan: readonly Unidentified[], seed = "1"): PreparedRun {
  const identified = plan.map((fault, index) => ({ ...fault, id: `f${index}` }) as Fault);
  const request = { seed, profile: "calm", fixed: OPTIONS, plan: identified, oracles: true, checked: false, maxSteps: 10_000_000 } as const;
  const run = new Simulator(scenario).prepare(request);
  if ("verdict" in run) throw new Error(run.findings[0]?.message);
  return run;
}

function resultOf(run: PreparedRun): RunResult {
  run.runToEnd();
  return run.conclude();
}

/** Ids of the checkpoints whose records are there. */
function retainedIn({ coordination }: World): readonly number[] {
  const prefix = "job/checkpoints/";
  const there = coordination.registers(prefix).filter(({ value }) => value !== null);
  return there.map(({ key }) => Number(key.slice(prefix.length))).sort((left, right) => left - right);
}

describe("what a job leaves behind", () => {
  const ends = { cancelled: [CANCEL], failed: [BROKEN], finished: [] } as const;
  const stays: Readonly<Record<CheckpointRetention, readonly (keyof typeof ends)[]>> = {
    never: [],
    "on-failure": ["failed"],
    "on-cancellation": ["cancelled", "failed"],
    always: ["cancelled", "failed", "finished"],
  };
  for (const retention of CHECKPOINT_RETENTIONS) {
    for (const end of ["cancelled", "failed", "finished"] as const) {
      const isKept = stays[retention].includes(end);
      test(`as it retains ${retention} and is ${end}: ${isKept ? "its checkpoints" : "nothing"}`, () => {
        const run = prepare(scenarioWith(retention), ends[end]);
        const { findings, verdict } = resultOf(run);
        expect(findings).toEqual([]);
        expect(verdict).toBe(end === "failed" ? "expected-failure" : "ok");
        expect(run.world.jobEnd?.status).toBe(end);
        const files = run.world.blobs.keys();
        expect(retainedIn(run.world)).toHaveLength(isKept ? 2 : 0);
        // Of retained ones the oracle has looked at every file.
        if (isKept) expect(files.length).toBeGreaterThan(4);
        else expect(files).toEqual([]);
      });
    }
  }
});

describe("a cancelled job", () => {
  test("ends as such, and what it committed is a part of what it would have", () => {
    const run = prepare(scenarioWith("always"), [CANCEL]);
    const { findings, verdict } = resultOf(run);
    const { jobEnd, log } = run.world;
    expect({ findings, verdict, status: jobEnd?.status, reason: jobEnd?.reason }).toEqual({ findings: [], verdict: "ok", status: "cancelled", reason: null });
    expect(jobEnd?.atUs).toBeLessThan(9_500_000);
    expect(log.readCommitted("counts", 0).length).toBeGreaterThan(50);
  });

  test("is asked again by its client where the leader that accepted it is lost", () => {
    // It cannot take the tasks down before it dies: a worker does not answer.
    const paused: Unidentified = { kind: "process-pause", process: "worker-1", durationUs: 2_000_000, at: { on: "time", atUs: 8_290_000 } };
    const run = prepare(scenarioWith("always"), [CANCEL, paused, { kind: "process-crash", process: "jm-1", at: { on: "time", atUs: 9_300_000 } }]);
    expect(resultOf(run).findings).toEqual([]);
    expect(run.world.jobEnd?.status).toBe("cancelled");
    expect(run.world.kernel.counts[TRACE.leadershipGained]).toBe(2);
  });

  test("is tidied up by the next leader where the one that recorded its end is lost", () => {
    const lost: Unidentified = { kind: "process-crash", process: "jm-1", at: { on: "event", event: "jobCancelled", subject: "jm-1", x: null, nth: 1, when: "after" } };
    const run = prepare(scenarioWith("never"), [CANCEL, lost]);
    run.runToEnd();
    expect(retainedIn(run.world)).toHaveLength(2);
    while (run.world.nowUs < LONG_AFTER_US && run.world.step());
    expect(retainedIn(run.world)).toEqual([]);
    const recorded = run.world.blobs.keys().filter((key) => /metadata/.test(key));
    expect(recorded).toEqual([]);
  });

  test("is found wanting where nobody asked for it", () => {
    const run = prepare(scenarioWith("always"), []);
    while (run.world.nowUs < 9_000_000 && run.world.step());
    const leader = run.world.processNamed("jm-1");
    const master = leader?.kind === "job-manager" ? leader.engine.master : null;
    master?.handle({ kind: "cancel-job", subject: 0, checkpointId: -1, epoch: master.fence.epoch }, () => undefined);
    const { findings } = resultOf(run);
    expect(findings.map(({ message }) => message)).toEqual(["the job ended as cancelled, which nobody had asked for"]);
  });

  test("has no say in its next version, however late its request comes a second time", () => {
    const again: Unidentified = { kind: "rpc-duplicate", delayUs: 7_000_000, at: { on: "event", event: "rpcSent", subject: "client", x: null, nth: 1, when: "after" } };
    const run = prepare(resumeFromCheckpoint, [CANCEL, again]);
    const { findings, faults } = resultOf(run);
    expect(findings).toEqual([]);
    expect(faults.map(({ outcome }) => outcome)).toEqual(["fired", "fired"]);
    expect({ upgrades: run.world.upgrades, status: run.world.jobEnd?.status }).toEqual({ upgrades: 1, status: "finished" });
  });
});
