import { describe, expect, it } from "vitest";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { RestartStrategies } from "#whitewater/engine/api/restart-strategies.js";
import { RestoreStrategies } from "#whitewater/engine/api/restore-strategies.js";
import type { Sink } from "#whitewater/engine/api/sink.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { wordCount, type WordCount } from "#whitewater/scenarios/word-count.js";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import { World } from "#whitewater/simulator/world/world.js";

const CRASH_AT_US = 10_900_000;
const OPTIONS = {
  backend: "heap",
  mode: "aligned",
  restore: "full",
  failover: "job",
  parallelism: 2,
  parallelismAfter: 2,
  bufferElements: 16,
} as const;

function jobOf(sink: Sink<WordCount>, allowOlder: boolean): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  env
    .setParallelism(2)
    .setMaxParallelism(32)
    .enableCheckpointing(1000)
    .setRestoreStrategy(RestoreStrategies.full({ allowOlder }))
    .setRestartStrategy(RestartStrategies.fixedDelay(1_000_000, 500));
  env.getCheckpointConfig().setMaxRetainedCheckpoints(2);
  env
    .fromSource(new LogSource<WordCount>("words"), WatermarkStrategies.noWatermarks<WordCount>())
    .uid("words")
    .keyBy(({ word }) => word)
    .reduce((sum, { count }) => ({ word: sum.word, count: sum.count + count }))
    .uid("sum")
    .sinkTo(sink)
    .uid("sink");
  return env.execute("Word Count");
}

/** A run in which a worker crashes, and what its restores and the job's end were. */
class Run {
  readonly world: World;
  /** What attempts started from. */
  readonly from: number[] = [];
  readonly lost: (readonly number[])[] = [];

  constructor(sink: Sink<WordCount>, allowOlder: boolean, more: FaultPlan = []) {
    const scenario = { ...wordCount, job: () => jobOf(sink, allowOlder) };
    const streams = new RandomStreams("1");
    const inputs = scenario.workload({ options: OPTIONS, random: (label) => streams.stream(label) });
    const crash: FaultPlan = [{ id: "c", kind: "process-crash", process: "worker-1", at: { on: "time", atUs: CRASH_AT_US } }];
    this.world = new World({ scenario, options: OPTIONS, seed: "1", calm: true, plan: [...crash, ...more], healAtUs: 300_000_000, inputs });
    const { kernel } = this.world;
    kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, checkpointId) => void this.from.push(checkpointId));
    kernel.on(TRACE.checkpointLost, (_process, _subject, lost, older) => void this.lost.push([lost, older]));
  }

  runUntil(atUs: number): this {
    while (this.world.nowUs < atUs && !this.world.isOver && this.world.step());
    if (this.world.kernel.crash !== null) throw this.world.kernel.crash.error;
    return this;
  }

  /** The latest checkpoint as remote storage holds it: its number, and the keys of the files of its subtasks. */
  latest(): { readonly id: number; readonly keys: readonly string[] } {
    const keys = this.world.blobs.keys().filter((key) => /\/chk-\d+\/v\d/.test(key));
    const idOf = (key: string): number => Number(/chk-(\d+)/.exec(key)?.[1]);
    const id = Math.max(...keys.map(idOf));
    return { id, keys: keys.filter((key) => idOf(key) === id) };
  }

  /** Right before the crash: one file of the latest checkpoint is gone, or another. Its bytes as they were. */
  harm(how: "gone" | "damaged"): { readonly id: number; readonly restore: () => void } {
    this.runUntil(CRASH_AT_US - 100_000);
    const { id, keys } = this.latest();
    const key = keys.at(-1) as string;
    const { blobs } = this.world;
    const bytes = blobs.peek(key) as Uint8Array;
    const process = this.world.processNamed("jm-1")?.process;
    if (process === undefined) throw new Error("jm-1 lives");
    const damaged = bytes.slice();
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    if (how === "gone") blobs.applyDelete(process, key);
    else blobs.applyPut(process, key, damaged);
    return { id, restore: () => blobs.applyPut(process, key, bytes) };
  }
}

const committing = (): Sink<WordCount> => new TransactionalLogSink<WordCount>({ topic: "counts", partitionOf: () => 0 });

describe("a checkpoint that cannot be read any more", () => {
  it.each(["gone", "damaged"] as const)("is passed over where the job allows it and nothing commits: a file is %s", (how) => {
    const run = new Run(new DiscardingSink(), true);
    const { id } = run.harm(how);
    run.runUntil(100_000_000);
    expect(run.from).toEqual([-1, id, id - 1]);
    expect(run.lost).toEqual([[id, id - 1]]);
    expect(run.world.jobEnd?.status).toBe("finished");
  });

  it("ends a job whose sink may have committed since the older one, loudly", () => {
    const run = new Run(committing(), true);
    const { id } = run.harm("gone");
    run.runUntil(100_000_000);
    expect(run.from).toEqual([-1, id]);
    expect(run.lost).toEqual([[id, -1]]);
    expect(run.world.jobEnd?.status).toBe("failed");
    const master = run.world.processNamed("jm-1");
    const reason = master?.kind === "job-manager" ? master.engine.master?.lastFailure : null;
    expect(reason).toMatch(new RegExp(`^checkpoint ${id} cannot be read, and what .* committed since checkpoint ${id - 1} would be committed again$`));
  });

  it("ends a job that has no older one", () => {
    const run = new Run(new DiscardingSink(), true);
    const { id } = run.harm("gone");
    const older = run.world.blobs.keys().filter((key) => key.includes(`/chk-${id - 1}/v`));
    const process = run.world.processNamed("jm-1")?.process;
    for (const key of older) if (process !== undefined) run.world.blobs.applyDelete(process, key);
    run.runUntil(100_000_000);
    expect(run.from).toEqual([-1, id, id - 1]);
    expect(run.lost).toEqual([
      [id, id - 1],
      [id - 1, -1],
    ]);
    expect(run.world.jobEnd?.status).toBe("failed");
  });

  it("is tried again, and never passed over, where the job does not allow it", () => {
    const run = new Run(new DiscardingSink(), false);
    const { id, restore } = run.harm("gone");
    run.runUntil(60_000_000);
    expect(run.world.jobEnd).toBeNull();
    expect(run.from.length).toBeGreaterThan(5);
    expect(new Set(run.from)).toEqual(new Set([-1, id]));
    restore();
    run.runUntil(100_000_000);
    expect(run.world.jobEnd?.status).toBe("finished");
    expect([new Set(run.from), run.lost]).toEqual([new Set([-1, id]), []]);
  });

  it("is not one that remote storage does not give for a while", () => {
    const at = { on: "time", atUs: CRASH_AT_US } as const;
    const run = new Run(new DiscardingSink(), true, [{ id: "o", kind: "blob-outage", errorPercent: 100, durationUs: 6_000_000, at }]);
    run.runUntil(100_000_000);
    expect(run.world.jobEnd?.status).toBe("finished");
    expect(run.lost).toEqual([]);
    expect(new Set(run.from).size).toBe(2);
    expect(run.from.length).toBeGreaterThan(2);
  });
});
