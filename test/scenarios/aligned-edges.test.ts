import { expect, test } from "vitest";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { hotKey } from "#whitewater/scenarios/hot-key.js";
import { configure } from "#whitewater/scenarios/survival.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { RunOptions, Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

interface Click {
  readonly page: string;
}

interface Count {
  readonly page: string;
  readonly count: number;
}

/** The clicks of hot-key go to every subtask, and from there by key: one edge stays aligned, the other does not. */
function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options);
  env
    .fromSource(new LogSource<Click>("clicks"), WatermarkStrategies.noWatermarks<Click>())
    .uid("clicks")
    .name("clicks")
    .broadcast()
    .map(({ page }): Count => ({ page, count: 1 }))
    .uid("everywhere")
    .name("everywhere")
    .keyBy(({ page }) => page)
    .reduce((sum, { count }) => ({ page: sum.page, count: sum.count + count }))
    .uid("counted")
    .name("counted")
    .sinkTo(new TransactionalLogSink<Count>({ topic: "counts", partitionOf: () => 0 }))
    .uid("counts");
  return env.execute("Clicks Everywhere");
}

const BROADCAST: Scenario = { ...hotKey, job, confluent: false, outputs: [{ topic: "counts", partitions: 1, keyOf: (value) => (value as Count).page }], sometimes: [] };

interface InFlight {
  readonly task: string;
  readonly checkpointId: number;
}

/** What unaligned checkpoints of the run kept of data in flight, and its savepoints. */
function observe(scenario: Scenario, parallelismAfter: number, plan: readonly Fault[]): { readonly kept: readonly InFlight[]; readonly savepoints: readonly number[] } {
  const fixed = { backend: "heap", mode: "unaligned", restore: "full", failover: "job", parallelism: 3, parallelismAfter, bufferElements: 1 } as const;
  const run = new Simulator(scenario).prepare({ seed: "6", profile: "calm", fixed, plan, oracles: true, checked: false, maxSteps: 2_000_000 });
  if ("verdict" in run) throw new Error(run.findings[0]?.message);
  const { kernel } = run.world;
  const kept: InFlight[] = [];
  const savepoints: number[] = [];
  kernel.on(TRACE.channelStateComplete, (_process, subject, checkpointId) => void kept.push({ task: kernel.nameOf(subject), checkpointId }));
  kernel.on(TRACE.savepointCompleted, (_process, _subject, checkpointId) => void savepoints.push(checkpointId));
  run.runToEnd();
  const { verdict, findings } = run.conclude();
  expect({ verdict, findings }).toEqual({ verdict: "ok", findings: [] });
  run.world.release();
  return { kept, savepoints };
}

const completed = (nth: number): Fault["at"] => ({ on: "event", event: "checkpointCompleted", subject: "jm-1", x: null, nth, when: "after" });

test.each([3, 2])("with barriers that overtake, nothing of a broadcast edge is ever part of a checkpoint, and a rescaling to %i is right", (parallelismAfter) => {
  const plan: readonly Fault[] = [
    { id: "crash", kind: "process-crash", process: "worker-1", at: completed(4) },
    ...(parallelismAfter === 3 ? [] : [{ id: "rescale", kind: "rescale", parallelism: parallelismAfter, at: completed(7) } as const]),
  ];
  const { kept } = observe(BROADCAST, parallelismAfter, plan);
  expect(kept.filter(({ task }) => task.startsWith("clicks["))).toEqual([]);
  expect(kept.filter(({ task }) => task.startsWith("counted")).length).toBeGreaterThan(3);
});

test("a savepoint of a job whose checkpoints overtake has nothing in flight", () => {
  const { kept, savepoints } = observe(hotKey, 3, [
    { id: "one", kind: "savepoint", at: completed(3) },
    { id: "two", kind: "savepoint", at: completed(6) },
  ]);
  expect(savepoints).toHaveLength(2);
  expect(kept.length).toBeGreaterThan(10);
  for (const { checkpointId } of kept) expect(savepoints).not.toContain(checkpointId);
});
