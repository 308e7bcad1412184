import { describe, expect, test } from "vitest";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "#whitewater/engine/api/functions.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import type { CheckpointMetadata } from "#whitewater/engine/checkpoint/checkpoint-metadata.js";
import type { FileHandle } from "#whitewater/engine/checkpoint/checksummed-file.js";
import { parseSavepoint } from "#whitewater/engine/checkpoint/savepoint-record.js";
import type { ClaimMode } from "#whitewater/engine/checkpoint/snapshot-restore.js";
import { filesOfSubtask } from "#whitewater/engine/checkpoint/subtask-state.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { valueState } from "#whitewater/engine/state/descriptors.js";
import type { ValueState } from "#whitewater/engine/state/state.js";
import { resumeFromCheckpoint, resumeWithoutClaim } from "#whitewater/scenarios/resume-from-checkpoint.js";
import { twoPipelines } from "#whitewater/scenarios/two-pipelines.js";
import { wordCount, type WordCount } from "#whitewater/scenarios/word-count.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import { valueOfFile } from "#whitewater/simulator/oracles/checkpoint-records.js";
import type { JobUpgrade, RunOptions, Scenario } from "#whitewater/simulator/scenario.js";
import type { PreparedRun } from "#whitewater/simulator/prepared-run.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import type { World } from "#whitewater/simulator/world/world.js";

type Unidentified<T extends Fault = Fault> = T extends unknown ? Omit<T, "id"> : never;

const OPTIONS: RunOptions = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 16 };
const SHARING = { ...OPTIONS, backend: "lsm", restore: "incremental" } as const;

function requestAt(atUs: number, from: "savepoint" | "checkpoint"): Unidentified {
  const at = { on: "time", atUs } as const;
  return from === "savepoint" ? { kind: "stop-with-savepoint", mode: "suspend", at } : { kind: "cancel-job", at };
}

function prepare(scenario: Scenario, fixed: RunOptions, plan: readonly Unidentified[]): PreparedRun {
  const identified = plan.map((fault, index) => ({ ...fault, id: `f${index}` }) as Fault);
  const run = new Simulator(scenario).prepare({ seed: "3", profile: "calm", fixed, plan: identified, oracles: true, checked: false, maxSteps: 10_000_000 });
  if ("verdict" in run) throw new Error(run.findings[0]?.message);
  return run;
}

/** Keys of the files that a metadata file names. */
function filesIn({ blobs }: World, file: FileHandle): readonly string[] {
  const { vertices } = valueOfFile(blobs.peek(file.key) ?? new Uint8Array(0)) as CheckpointMetadata;
  return vertices.flatMap(({ subtasks }) => subtasks.flatMap((state) => (state === null ? [] : filesOfSubtask(state))));
}

/** By id of the retained checkpoints: keys of their files. */
function retainedIn(world: World): ReadonlyMap<number, readonly string[]> {
  const prefix = "job/checkpoints/";
  const there = world.coordination.registers(prefix).filter(({ value }) => value !== null);
  return new Map(there.map(({ key, value }) => [Number(key.slice(prefix.length)), filesIn(world, JSON.parse(value ?? "") as FileHandle)]));
}

/** Runs on to where the next version begins; gives what is retained there, and what it begins from. */
function runToNextVersion({ world }: PreparedRun): { readonly retained: ReadonlyMap<number, readonly string[]>; readonly from: number } {
  let from = -1;
  world.kernel.on(PORT_TRACE.versionStarted, (_process, _subject, _number, id) => {
    from = id;
  });
  while (world.upgrades === 0 && world.nowUs < 60_000_000 && world.step());
  return { retained: retainedIn(world), from };
}

class Longest implements KeyedProcessFunction<WordCount, number> {
  #longest!: ValueState<number>;

  open(context: RuntimeContext): void {
    this.#longest = context.getState(valueState("longest", 0));
  }

  processElement({ word }: WordCount, _context: ProcessContext, collect: (longest: number) => void): void {
    const longest = Math.max(this.#longest.value() ?? 0, word.length);
    this.#longest.update(longest);
    collect(longest);
  }
}

/** With another branch, which keeps state of its own, or without it. */
function wordsJob({ parallelism }: RunOptions, hasBranch: boolean): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  env.setParallelism(parallelism).setMaxParallelism(32).enableCheckpointing(1000);
  const words = env.fromSource(new LogSource<WordCount>("words"), WatermarkStrategies.noWatermarks<WordCount>()).uid("words");
  words
    .keyBy(({ word }) => word)
    .reduce((sum, { count }) => ({ word: sum.word, count: sum.count + count }))
    .uid("sum")
    .sinkTo(new TransactionalLogSink<WordCount>({ topic: "counts", partitionOf: () => 0 }))
    .uid("sink");
  if (hasBranch) words.keyBy(({ word }) => word.slice(0, 1)).process(new Longest()).uid("longest").sinkTo(new DiscardingSink()).uid("nowhere");
  return env.execute("Words");
}

function withoutBranch(from: "savepoint" | "checkpoint", allows: boolean | null): Scenario {
  const upgrade: JobUpgrade = {
    before: (options) => wordsJob(options, true),
    after: (options) => options,
    from,
    claim: "claim",
    ...(allows !== null && { allowNonRestoredState: allows }),
    migrated: (_uid, _state, value) => value,
  };
  return { ...wordCount, job: (options) => wordsJob(options, false), outputs: [{ topic: "counts", partitions: 1, keyOf: (value) => (value as WordCount).word }], upgrade };
}

describe.each(["savepoint", "checkpoint"] as const)("a version without one of the operators, from a %s", (from) => {
  test.each([false, null])("is refused by the uid of that operator, and leaves everything as it was (allowNonRestoredState: %s)", (allows) => {
    const run = prepare(withoutBranch(from, allows), OPTIONS, [requestAt(8_300_000, from)]);
    const { retained, from: id } = runToNextVersion(run);
    run.runToEnd();
    const { verdict, findings } = run.conclude();
    const reason = `${from} ${id} holds state of the operator with the uid "longest", which the job does not have. Give the operator that takes it over this uid, or allow state that is not restored`;
    expect(run.world.jobEnd?.status).toBe("failed");
    expect(run.world.jobEnd?.reason).toBe(reason);
    expect(verdict).toBe("violation");
    expect(findings.map(({ message }) => message)).toEqual([`the job ended as failed, which the scenario's budget does not allow: ${reason}`]);
    expect(retainedIn(run.world)).toEqual(retained);
    expect(retained.size).toBe(1);
  });

  test("goes on without that state where it may", () => {
    const run = prepare(withoutBranch(from, true), OPTIONS, [requestAt(8_300_000, from)]);
    runToNextVersion(run);
    run.runToEnd();
    expect(run.conclude().findings).toEqual([]);
    expect({ upgrades: run.world.upgrades, status: run.world.jobEnd?.status }).toEqual({ upgrades: 1, status: "finished" });
  });
});

describe("a retained checkpoint that a version starts from", () => {
  test("with a claim is deleted when it is subsumed, with what it alone used", () => {
    const run = prepare(resumeFromCheckpoint, SHARING, [requestAt(8_300_000, "checkpoint")]);
    const { retained, from } = runToNextVersion(run);
    expect([...retained.keys()]).toEqual([from - 1, from]);
    run.runToEnd();
    expect(run.conclude().findings).toEqual([]);
    expect(retainedIn(run.world).size).toBe(0);
    expect(run.world.blobs.keys()).toEqual([]);
  });

  test("without a claim stays, with the one before it and all of their files, and nothing else does", () => {
    const run = prepare(resumeWithoutClaim, SHARING, [requestAt(8_300_000, "checkpoint")]);
    const { retained, from } = runToNextVersion(run);
    run.runToEnd();
    expect(run.conclude().findings).toEqual([]);
    expect(retainedIn(run.world)).toEqual(retained);
    expect([...retained.keys()]).toEqual([from - 1, from]);
    const metadata = run.world.blobs.keys().filter((key) => key.includes("/metadata-"));
    expect(metadata).toHaveLength(2);
    expect(run.world.blobs.keys().toSorted()).toEqual([...new Set([...retained.values()].flat()), ...metadata].toSorted());
  });

  test.each(["claim", "no-claim"] as const)("is restored again by a failover before the first checkpoint, in the same way: %s", (claim) => {
    const scenario = claim === "claim" ? resumeFromCheckpoint : resumeWithoutClaim;
    const crash: Unidentified = { kind: "process-crash", process: null, at: { on: "event", event: "taskRunning", subject: "routes -> progress[0]", x: null, nth: 2, when: "after" } };
    const run = prepare(scenario, { ...SHARING, backend: "changelog:heap" }, [requestAt(8_300_000, "checkpoint"), crash]);
    const { retained, from } = runToNextVersion(run);
    const deployed: number[] = [];
    const reused: number[] = [];
    run.world.kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, id) => void deployed.push(id));
    run.world.kernel.on(TRACE.sharedFileReused, (_process, _subject, id) => void reused.push(id));
    const completed: number[] = [];
    run.world.kernel.on(TRACE.checkpointCompleted, (_process, _subject, id) => void completed.push(id));
    run.runToEnd();
    expect(run.conclude().findings).toEqual([]);
    expect(retained.has(from)).toBe(true);
    expect(deployed).toEqual([from, from]);
    const [first = -1, second = -1] = completed;
    expect({ first: reused.includes(first), second: reused.includes(second) }).toEqual({ first: claim === "claim", second: true });
  });
});

/** The visits are over after half of the time. */
function halfOfTheVisits(claim: ClaimMode): Scenario {
  const upgrade: JobUpgrade = { before: twoPipelines.job, after: (options) => options, from: "checkpoint", claim, migrated: (_uid, _state, value) => value };
  return {
    ...twoPipelines,
    upgrade,
    workload: (context) => twoPipelines.workload(context).map((input) => {
      if (input.topic !== "visits") return input;
      return { ...input, partitions: input.partitions.map((records) => records.filter(({ arrivesAtUs }) => arrivesAtUs < 12_000_000)) };
    }),
  };
}

describe("where some vertices have finished", () => {
  test.each([OPTIONS, SHARING])("a version without a claim brings their state itself ($restore)", (options) => {
    const run = prepare(halfOfTheVisits("no-claim"), options, [requestAt(17_300_000, "checkpoint")]);
    const { retained, from } = runToNextVersion(run);
    const foreign = new Set([...retained.values()].flat());
    const record = JSON.parse(run.world.coordination.peek(`job/checkpoints/${from}`).value ?? "") as FileHandle;
    const { vertices } = valueOfFile(run.world.blobs.peek(record.key) ?? new Uint8Array(0)) as CheckpointMetadata;
    expect(vertices.map(({ isFinished }) => isFinished).toSorted()).toEqual([false, false, true, true]);
    run.runToEnd();
    const { verdict, findings } = run.conclude();
    expect({ verdict, findings }).toEqual({ verdict: "ok", findings: [] });
    const own = [...retainedIn(run.world)].filter(([id]) => id > from);
    expect(own.length).toBeGreaterThan(0);
    for (const [, keys] of own) expect(keys.filter((key) => foreign.has(key))).toEqual([]);
  });

  test.each([OPTIONS, SHARING])("a savepoint is complete in itself ($restore)", (options) => {
    const { upgrade: _upgrade, ...scenario } = halfOfTheVisits("claim");
    const run = prepare(scenario, options, [{ kind: "savepoint", at: { on: "time", atUs: 17_300_000 } }]);
    run.runToEnd();
    const { verdict, findings } = run.conclude();
    expect({ verdict, findings }).toEqual({ verdict: "ok", findings: [] });
    const [register] = run.world.coordination.registers("job/savepoints/");
    const { checkpointId, file } = parseSavepoint(register?.value ?? "");
    const keys = filesIn(run.world, file);
    expect(keys.filter((key) => key.includes("/finished-")).length).toBeGreaterThan(1);
    for (const key of keys) expect(key).toMatch(new RegExp(`^checkpoints/savepoints/chk-${checkpointId}/`));
  });
});
