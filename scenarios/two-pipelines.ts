import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import type { AggregateFunction } from "../engine/api/functions.ts";
import { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";
import { configure, CONFIGURED, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

/** A customer spends a number of cents. */
export interface Order {
  readonly customer: string;
  readonly cents: number;
}

/** Of a customer, up to and with an order. */
export interface Spending {
  readonly customer: string;
  readonly orders: number;
  readonly cents: number;
}

/** Somebody looks at a page. */
export interface Visit {
  readonly page: string;
}

export interface PageVisits {
  readonly page: string;
  readonly windowStartMs: number;
  readonly visits: number;
}

const CUSTOMERS = 20;
const PAGES = 12;
const WINDOW_MS = 2000;
const ORDER_PARTITIONS = 4;
const VISIT_PARTITIONS = 2;

const countVisits: AggregateFunction<Visit, number, number> = {
  createAccumulator: () => 0,
  add: (_visit, visits) => visits + 1,
  getResult: (visits) => visits,
};

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options);
  addSpending(env);
  addVisits(env, Math.ceil(options.parallelism / 2));
  return env.execute("Two Pipelines");
}

/** A running sum of what each customer spends, from topic "orders" to "customer-spending". */
export function addSpending(env: StreamExecutionEnvironment): void {
  env
    .fromSource(new LogSource<Order>("orders"), WatermarkStrategies.noWatermarks<Order>())
    .uid("orders")
    .map(({ customer, cents }): Spending => ({ customer, orders: 1, cents }))
    .uid("one-order")
    .keyBy(({ customer }) => customer)
    .reduce((sum, { orders, cents }) => ({ customer: sum.customer, orders: sum.orders + orders, cents: sum.cents + cents }))
    .uid("spending")
    .name("spending")
    .sinkTo(
      new TransactionalLogSink<Spending>({
        topic: "customer-spending",
        partitionOf: ({ customer }, partitions) => partitionOfKey(customer, partitions),
      }),
    )
    .uid("customer-spending");
}

/** Visits per page in windows, from topic "visits" to "page-visits". */
export function addVisits(env: StreamExecutionEnvironment, parallelism: number): void {
  env
    .fromSource(new LogSource<Visit>("visits"), WatermarkStrategies.forMonotonousTimestamps<Visit>())
    .uid("visits")
    .setParallelism(parallelism)
    .keyBy(({ page }) => page)
    .window(TumblingEventTimeWindows.of(WINDOW_MS))
    .aggregate(countVisits, (visits, key, window): PageVisits => ({ page: String(key), windowStartMs: window.start, visits }))
    .uid("visits-per-page")
    .name("visits-per-page")
    .setParallelism(parallelism)
    .sinkTo(
      new TransactionalLogSink<PageVisits>({
        topic: "page-visits",
        partitionOf: ({ page }, partitions) => partitionOfKey(page, partitions),
      }),
    )
    .uid("page-visits")
    .setParallelism(parallelism);
}

/**
 * 300 to 500 records of each kind over the workload's time. Those of a key lie in one partition, in the order of
 * their time: a running sum of amounts depends on their order.
 */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const orders = random("orders");
  const visits = random("visits");
  return [
    topicOf("orders", ORDER_PARTITIONS, 300 + orders.below(201), () => {
      const customer = `customer-${orders.below(CUSTOMERS)}`;
      const value = Object.freeze({ customer, cents: 100 + orders.below(9900) });
      return { partition: partitionOfKey(customer, ORDER_PARTITIONS), value };
    }),
    topicOf("visits", VISIT_PARTITIONS, 300 + visits.below(201), () => {
      const page = `page-${Math.min(visits.below(PAGES), visits.below(PAGES))}`;
      return { partition: partitionOfKey(page, VISIT_PARTITIONS), value: Object.freeze({ page }) };
    }),
  ];
}

function topicOf(
  topic: string,
  partitionCount: number,
  count: number,
  draw: () => { readonly partition: number; readonly value: unknown },
): InputTopic {
  const bursts = { everyUs: 400_000, partitions: partitionCount };
  const partitions: ArrivingRecord[][] = Array.from({ length: partitionCount }, () => []);
  for (let index = 0; index < count; index++) {
    const { partition, value } = draw();
    const atUs = dueUs(index, count);
    partitions[partition]?.push({ arrivesAtUs: burstAtUs(bursts, partition, atUs), timestampMs: Math.floor(atUs / 1000), value });
  }
  return { topic, partitions };
}

export const twoPipelines: Scenario = defineScenario({
  name: "two-pipelines",
  title: "two pipelines in one job that share nothing but its checkpoints",
  doc: `One job, two disjoint pipelines: orders go into a running sum of each customer, visits are counted per page in
windows of two seconds, on half as many subtasks. Each has its own source, keyed state and transactional sink, so
that a failover region is less than the whole job; they share workers and slots, and every checkpoint spans both.

Where only the failed region restarts, the other one must neither lose nor repeat anything, and must not be held
up: its tasks go on with their transactions, while those of the region start again from the latest completed
checkpoint.

Hunts: checkpoints that wait for dead tasks of the failed region; messages of its former attempt that act on the
new one; sources that rewind although their region lives; transactions that are committed or aborted on behalf of
the other region; regions restored from different checkpoints.`,
  job,
  workload,
  outputs: [
    { topic: "customer-spending", partitions: 2, keyOf: (value) => (value as Spending).customer },
    { topic: "page-visits", partitions: 2, keyOf: (value) => (value as PageVisits).page },
  ],
  cluster: THREE_WORKERS,
  budget: SURVIVES_EVERYTHING,
  ...CONFIGURED,
  parallelisms: [1, 2, 3, 4],
  confluent: true,
  sometimes: [...RECOVERY_PATHS, "barriers in flight on two channels at a crash", "a timer fired after a restore", "a checkpoint with finished tasks"],
  sometimesWith: {
    region: [
      "a region restarted while another kept running",
      "a failure during a region's restart",
      "a region failover right after a checkpoint completed",
    ],
  },
});
