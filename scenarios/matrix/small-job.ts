import { StreamExecutionEnvironment } from "../../engine/api/environment.ts";
import { FAILOVER_SCOPES } from "../../engine/graph/job-modes.ts";
import { RestartStrategies } from "../../engine/api/restart-strategies.ts";
import { TransactionalLogSink } from "../../engine/connectors/transactional-log-sink.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import type { ArrivingRecord, ClusterShape, InputTopic, RunOptions, Scenario } from "../../simulator/scenario.ts";
import { RESTORE_OF_COMBINATION } from "../../simulator/explore/matrix.ts";
import { burstAtUs, partitionOfKey } from "../pacing.ts";
import { AT_LEAST_ONCE_PATHS, configure, CONFIGURED, SURVIVES_EVERYTHING } from "../survival.ts";

/**
 * What the jobs of the matrix have in common: they are small, so that one run in each of its combinations takes
 * milliseconds, and quick to recover, so that several checkpoints complete before and after whatever happens.
 */

/** Over this long a workload arrives, in bursts of each partition: a dozen checkpoint intervals. */
export const SMALL_WORKLOAD_MS = 4800;
const BURST_US = 200_000;
const CHECKPOINT_INTERVAL_MS = 400;
const CHECKPOINT_TIMEOUT_MS = 1500;
const RESTART_DELAY_MS = 200;
/** No number of failures in a row may fail a job that must survive. */
const UNLIMITED = 1_000_000;
const MAX_PARALLELISM = 16;

export const SMALL_CLUSTER: ClusterShape = {
  jobManagers: 1,
  workers: 2,
  slotsPerWorker: 2,
  processRestartUs: 150_000,
  hostRestartUs: 500_000,
};

/** What every scenario of the matrix says alike: it runs in all combinations, and survives everything. */
export const IN_ALL_COMBINATIONS: Omit<Scenario, "name" | "title" | "doc" | "job" | "workload" | "outputs"> = {
  ...CONFIGURED,
  failovers: FAILOVER_SCOPES,
  cluster: SMALL_CLUSTER,
  budget: SURVIVES_EVERYTHING,
  parallelisms: [1, 2, 3, 4],
  confluent: true,
  sometimes: [RESTORE_OF_COMBINATION],
  sometimesWith: { "at-least-once": AT_LEAST_ONCE_PATHS },
};

/** As in `configure`, at a quicker pace. */
export function smallEnvironment(options: RunOptions): StreamExecutionEnvironment {
  const env = StreamExecutionEnvironment.create();
  configure(env, options).setCheckpointInterval(CHECKPOINT_INTERVAL_MS).setCheckpointTimeout(CHECKPOINT_TIMEOUT_MS);
  return env
    .setMaxParallelism(MAX_PARALLELISM)
    .setAutoWatermarkInterval(150)
    .setBufferTimeout(50)
    .setRestartStrategy(RestartStrategies.fixedDelay(UNLIMITED, RESTART_DELAY_MS));
}

/** A transactional sink that keeps the records of a key in one partition, in their order. */
export function keyedSink<T>(topic: string, keyOf: (value: T) => string): TransactionalLogSink<T> {
  return new TransactionalLogSink<T>({ topic, partitionOf: (value, partitions) => partitionOfKey(keyOf(value), partitions) });
}

/** A topic to be drawn. */
export interface SmallTopic<T> {
  readonly topic: string;
  readonly partitions: number;
  readonly least: number;
  readonly most: number;
  /** The workload's whole time where it is not given. */
  readonly untilMs?: number;
  /** The records of a key lie in one partition, in the order of their time. */
  readonly keyOf: (value: T) => string;
  readonly draw: (random: RandomStream) => T;
}

/** `least` to `most` records, evenly over time, read in bursts; a record's timestamp is when it was due. */
export function smallTopic<T extends object>(random: RandomStream, shape: SmallTopic<T>): InputTopic {
  const { topic, partitions: count, least, most, untilMs = SMALL_WORKLOAD_MS, keyOf, draw } = shape;
  const records = least + random.below(most - least + 1);
  const bursts = { everyUs: BURST_US, partitions: count };
  const partitions: ArrivingRecord[][] = Array.from({ length: count }, () => []);
  for (let index = 0; index < records; index++) {
    const value = Object.freeze(draw(random));
    const partition = partitionOfKey(keyOf(value), count);
    const timestampMs = Math.floor((index * untilMs) / records);
    partitions[partition]?.push({ arrivesAtUs: burstAtUs(bursts, partition, timestampMs * 1000), timestampMs, value });
  }
  return { topic, partitions };
}
