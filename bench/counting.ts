import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { DiscardingSink } from "#whitewater/engine/connectors/discarding-sink.js";
import { SequenceSource } from "#whitewater/engine/connectors/sequence-source.js";
import type { CheckpointMode } from "#whitewater/engine/graph/job-modes.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { Contender } from "./rounds.ts";
import type { Word } from "./words.ts";
import { wordAt } from "./words.ts";

const SOURCE_PARTITIONS = 4;
const CHECKPOINT_INTERVAL_MS = 1000;
const ALIGNED_TIMEOUT_MS = 20;
/** By then all tasks run, records flow and a checkpoint has completed. */
const HALF_WAY_STEPS = 20_000;

/**
 * source -> keyBy -> sum -> sink over `records` words, checkpoints every virtual second, buffers of 64. `mode`
 * null: without checkpoints.
 */
function countingScenario(records: number, parallelism: number, mode: CheckpointMode | null): Scenario {
  return {
    name: "counting",
    title: "a keyed sum as fast as it goes",
    doc: "",
    job: (options) => {
      const env = StreamExecutionEnvironment.create();
      env.setParallelism(options.parallelism).setBufferElements(options.bufferElements);
      if (mode !== null) enable(env, mode);
      env
        .fromSource(new SequenceSource<Word>(records, wordAt, SOURCE_PARTITIONS), WatermarkStrategies.noWatermarks<Word>())
        .uid("words")
        .keyBy(({ word }) => word)
        .reduce((sum, { count }) => ({ word: sum.word, count: sum.count + count }))
        .uid("sum")
        .sinkTo(new DiscardingSink<Word>())
        .uid("discard");
      return env.execute("Counting");
    },
    workload: () => [],
    outputs: [],
    cluster: { jobManagers: 1, workers: 3, slotsPerWorker: 2, processRestartUs: 500_000, hostRestartUs: 2_000_000 },
    budget: { most: {}, jobMayFail: false },
    parallelisms: [parallelism],
    modes: [mode ?? "aligned"],
    confluent: true,
    sometimes: [],
  };
}

function enable(env: StreamExecutionEnvironment, mode: CheckpointMode): void {
  env.enableCheckpointing(CHECKPOINT_INTERVAL_MS, mode === "at-least-once" ? "at-least-once" : "exactly-once");
  env
    .getCheckpointConfig()
    .enableUnalignedCheckpoints(mode === "unaligned" || mode === "aligned-timeout")
    .setAlignedCheckpointTimeout(mode === "aligned-timeout" ? ALIGNED_TIMEOUT_MS : 0);
}

/** The engine in a calm World, digest on. */
export function engine(records: number, parallelism: number, oracles: boolean, mode: CheckpointMode | null = "aligned"): Contender {
  // The census of the combination, made by the first run, belongs to the warm-up: it is kept.
  const simulator = new Simulator(countingScenario(records, parallelism, mode));
  const request: RunRequest = {
    seed: "1",
    profile: "calm",
    fixed: { backend: "heap", bufferElements: 64, mode: mode ?? "aligned" },
    plan: [],
    oracles,
    checked: false,
    maxSteps: Number.MAX_SAFE_INTEGER,
  };
  // With the last object of a class V8 throws away what it compiled for it, and the collections between the
  // rounds (see measure) would leave none. A run that stays half-way keeps them, as one run after another does.
  const halfWay = simulator.prepare(request);
  if ("verdict" in halfWay) throw new Error(`the benchmark's run is refused: ${halfWay.verdict}`);
  for (let step = 0; step < HALF_WAY_STEPS; step += 1) halfWay.world.step();
  return {
    halfWay,
    name: `engine, parallelism ${parallelism}, oracles ${oracles ? "on" : "off"}`,
    unit: "records",
    run: () => {
      const result = simulator.run(request);
      if (result.verdict !== "ok") throw new Error(`the benchmark's run ended as ${result.verdict}: ${result.findings[0]?.message}`);
      const { steps, tracePoints, checkpointsCompleted } = result;
      return { units: records, also: { steps, tracePoints, checkpointsCompleted } };
    },
  };
}
