import { describe, expect, test } from "vitest";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { libraryScenarios } from "#whitewater/scenarios/registry.js";
import { rewriteRecords } from "#whitewater/simulator/oracles/data-oracles-observation.js";
import { RecordIds } from "#whitewater/simulator/oracles/graph-rewriting-ids.js";
import type { RunOptions, Scenario } from "#whitewater/simulator/scenario.js";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import { World } from "#whitewater/simulator/world/world.js";

const OPTIONS: RunOptions = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 8 };

function worldOf(scenario: Scenario, plan: FaultPlan = []): World {
  const streams = new RandomStreams("5");
  const inputs = scenario.workload({ options: OPTIONS, random: (label) => streams.stream(label) });
  return new World({ scenario, options: OPTIONS, seed: "5", calm: true, plan, healAtUs: 40_000_000, inputs });
}

function run(world: World): World {
  while (!world.isOver && world.nowUs < 200_000_000 && world.step());
  return world;
}

function committed(world: World): readonly string[] {
  const lines: string[] = [];
  for (const { topic, partitions } of world.options.scenario.outputs) {
    for (let partition = 0; partition < partitions; partition++) {
      for (const { bytes } of world.log.readCommitted(topic, partition)) lines.push(`${topic}: ${bytes.join(",")}`);
    }
  }
  return lines;
}

function named(name: string): Scenario {
  const found = libraryScenarios.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}

describe("a rewritten job", () => {
  test.each(["founding-checkpointing", "word-count", "flights", "flights-late", "sparse", "timers", "matrix-chain", "matrix-two-inputs"])(
    "%s commits the same records as the job as it is",
    (name) => {
      const rewritten = worldOf(named(name));
      rewriteRecords(rewritten, { checked: true });
      const asItIs = run(worldOf(named(name)));
      expect(committed(run(rewritten)).toSorted()).toEqual(committed(asItIs).toSorted());
      expect(rewritten.jobEnd?.status).toBe("finished");
      expect(committed(asItIs).length).toBeGreaterThan(0);
    },
  );

  test("passes trace points where its user code runs, and a plan can throw there", () => {
    const at = { on: "event", event: "userCall", subject: "sum[1]", x: null, nth: 40, when: "before" } as const;
    const world = worldOf(named("word-count"), [{ id: "f", kind: "user-exception", at }]);
    rewriteRecords(world, { checked: false });
    run(world);
    expect(world.kernel.faultOutcomes()[0]?.outcome).toBe("fired");
    expect(world.kernel.counts[PORT_TRACE.userCall]).toBeGreaterThan(400);
    expect(committed(world).toSorted()).toEqual(committed(run(worldOf(named("word-count")))).toSorted());
  });
});

test("every record of every source has an id of its own, in order", () => {
  const { options } = worldOf(named("flights"));
  const ids = new RecordIds(named("flights").job(OPTIONS), options.inputs);
  const topic = options.inputs[0]?.partitions ?? [];
  expect(ids.total).toBe(topic.reduce((sum, partition) => sum + partition.length, 0));
  const source = ids.ofSource("flights");
  const emitted: { readonly record: unknown; readonly timestampMs: number }[] = [];
  const to = {
    collect: (record: unknown, timestampMs: number) => void emitted.push({ record, timestampMs }),
    collectSide: () => expect.unreachable("a source has no side output"),
  };
  topic.forEach(({ length }, partition) => source.emit(partition, 0, length, to));
  const records = topic.flat();
  expect(emitted).toEqual(records.map(({ value, timestampMs }, id) => ({ record: { id, value }, timestampMs })));
  const first = source.firstIds[2] ?? 0;
  emitted.length = 0;
  source.emit(2, 3, 4, to);
  expect(emitted).toEqual([{ record: { id: first + 3, value: topic[2]?.[3]?.value }, timestampMs: topic[2]?.[3]?.timestampMs }]);
  expect([...ids.partitionOf.subarray(first - 1, first + 1)]).toEqual([1, 2]);
  expect(ids.describe(first + 3)).toBe("record 3 of flights/2");
});

/** A job with a stateless function of every kind, around one given. */
function jobWith(map: (value: { n: number }) => unknown): Scenario {
  const job = (): StreamGraph => {
    const env = StreamExecutionEnvironment.create().setParallelism(2);
    env.enableCheckpointing(500);
    env
      .fromSource(new LogSource<{ n: number }>("numbers"), WatermarkStrategies.noWatermarks<{ n: number }>())
      .filter(({ n }) => n % 3 !== 0)
      .flatMap<{ n: number }>((value, collect) => {
        collect(value);
        if (value.n % 2 === 0) collect({ n: -value.n });
      })
      .map(map)
      .sinkTo(new TransactionalLogSink<unknown>({ topic: "out" }));
    return env.execute("Stateless");
  };
  const records = Array.from({ length: 30 }, (_, n) => ({ arrivesAtUs: n * 50_000, timestampMs: n, value: { n } }));
  return {
    ...named("word-count"),
    name: "stateless",
    job,
    workload: () => [{ topic: "numbers", partitions: [records] }],
    outputs: [{ topic: "out", partitions: 1, keyOf: null }],
  };
}

describe("stateless functions", () => {
  test("see values and give values", () => {
    const scenario = jobWith(({ n }) => ({ doubled: 2 * n }));
    const rewritten = worldOf(scenario);
    rewriteRecords(rewritten, { checked: false });
    expect(committed(run(rewritten))).toEqual(committed(run(worldOf(scenario))));
    expect(committed(rewritten)).toHaveLength(30);
  });

  test("that change a record they were given are caught in checked mode", () => {
    const world = worldOf(
      jobWith((value) => {
        value.n += 1;
        return value;
      }),
    );
    rewriteRecords(world, { checked: true });
    const failures: string[] = [];
    while (world.nowUs < 6_000_000 && world.step()) {
      const [leader] = world.processes.filter((one) => one.kind === "job-manager");
      const reason = leader?.kind === "job-manager" ? leader.engine.master?.lastFailure : null;
      if (reason !== null && reason !== undefined && !failures.includes(reason)) failures.push(reason);
    }
    expect(failures[0]).toMatch(/TypeError: .*read only/);
  });

  test("show in the digest of checked mode by what they emit", () => {
    const digest = (map: (value: { n: number }) => unknown): string => {
      const world = worldOf(jobWith(map));
      rewriteRecords(world, { checked: true });
      return run(world).kernel.digest.hex();
    };
    expect(digest(({ n }) => ({ n }))).toBe(digest(({ n }) => ({ n })));
    expect(digest(({ n }) => ({ n: n === 7 ? 8 : n }))).not.toBe(digest(({ n }) => ({ n })));
  });
});
