import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "../engine/api/functions.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { valueState } from "../engine/state/descriptors.ts";
import { STATE_BACKENDS } from "../engine/state/state-backend.ts";
import type { ValueState } from "../engine/state/state.ts";
import { ttlConfig } from "../engine/state/ttl-config.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";
import { configure, CONFIGURED, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

/** An order as a shop sends it: again and again, until somebody answers. */
export interface Delivery {
  readonly order: string;
  /** 0 for the first time. */
  readonly attempt: number;
}

const ORDERS = 320;
const MOST_ATTEMPTS = 4;
/** Orders are sent again within less than that, mostly, but not always. */
const REMEMBERED_MS = 2500;
const LONGEST_PAUSE_US = 6_000_000;
const PARTITIONS = 4;
const BURSTS = { everyUs: 400_000, partitions: PARTITIONS };

/** Lets through what did not come within the time for which orders are remembered. */
class Deduplication implements KeyedProcessFunction<Delivery, Delivery> {
  #passed!: ValueState<number>;

  open(context: RuntimeContext): void {
    const ttl = ttlConfig({ ttlMs: REMEMBERED_MS, cleanupInFullSnapshot: true });
    this.#passed = context.getState(valueState<number>("passed", null, { ttl }));
  }

  processElement(delivery: Delivery, _context: ProcessContext, collect: (delivery: Delivery) => void): void {
    if (this.#passed.value() !== null) return;
    this.#passed.update(delivery.attempt);
    collect(delivery);
  }
}

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options);
  env
    .fromSource(new LogSource<Delivery>("deliveries"), WatermarkStrategies.noWatermarks<Delivery>())
    .uid("deliveries")
    .keyBy(({ order }) => order)
    .process(new Deduplication())
    .uid("deduplication")
    .name("deduplication")
    .sinkTo(
      new TransactionalLogSink<Delivery>({
        topic: "orders",
        partitionOf: ({ order }, partitions) => partitionOfKey(order, partitions),
      }),
    )
    .uid("orders");
  return env.execute("Deduplication");
}

/** All deliveries of an order lie in one partition, so that they have one order. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const draws = random("deliveries");
  const partitions: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let index = 0; index < ORDERS; index++) {
    const order = `order-${String(index).padStart(5, "0")}`;
    const partition = partitionOfKey(order, PARTITIONS);
    let atUs = dueUs(index, ORDERS);
    const attempts = 1 + draws.below(MOST_ATTEMPTS);
    for (let attempt = 0; attempt < attempts; attempt++) {
      const arrivesAtUs = burstAtUs(BURSTS, partition, atUs);
      const value = Object.freeze({ order, attempt });
      partitions[partition]?.push({ arrivesAtUs, timestampMs: Math.floor(arrivesAtUs / 1000), value });
      atUs += 1 + draws.below(draws.below(3) === 0 ? LONGEST_PAUSE_US : 800_000);
    }
  }
  for (const records of partitions) records.sort((left, right) => left.arrivesAtUs - right.arrivesAtUs);
  return [{ topic: "deliveries", partitions }];
}

const IN_SNAPSHOT = "an expired entry cleaned up by the snapshot";
const INCREMENTALLY = "an expired entry cleaned up incrementally";
const IN_COMPACTION = "an expired entry cleaned up by compaction";

export const deduplication: Scenario = defineScenario({
  name: "deduplication",
  title: "orders that are sent again, let through once in 2.5 seconds: state with a time to live",
  doc: `A shop sends each of 320 orders up to four times, after pauses of up to six seconds. The job keeps, by order,
that it let one through, with a time to live of 2.5 seconds of processing time: what comes again within that time is
dropped, what comes later passes anew. What expires depends on when a record is processed, so on crashes, pauses and
restores; the history that survived is replayed with the processing time of each record, and gives the one right
state and output. Expired orders pile up, and each backend cleans them up in the way it can: heap incrementally, lsm
in compaction, all of them in full snapshots.

Hunts: a time of the last update that is lost, refreshed or made anew by a restore; expired state that comes back; a
clean-up that takes what is not expired, or what a snapshot under way still needs.`,
  job,
  workload,
  outputs: [{ topic: "orders", partitions: 2, keyOf: (value) => (value as Delivery).order }],
  cluster: THREE_WORKERS,
  budget: SURVIVES_EVERYTHING,
  ...CONFIGURED,
  parallelisms: [1, 2, 3],
  drawnBackends: STATE_BACKENDS,
  bufferSizes: [4, 16, 64],
  confluent: false,
  sometimes: [...RECOVERY_PATHS, "a value expired"],
  sometimesWith: {
    heap: [IN_SNAPSHOT, INCREMENTALLY],
    lsm: [IN_SNAPSHOT, IN_COMPACTION],
    sqlite: [IN_SNAPSHOT],
    "changelog:heap": [INCREMENTALLY],
    "changelog:lsm": [IN_COMPACTION],
  },
});
