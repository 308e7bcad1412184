import type { KeyedCoProcessFunction, ProcessContext, RuntimeContext } from "../../engine/api/functions.ts";
import { WatermarkStrategies } from "../../engine/api/watermark-strategies.ts";
import { LogSource } from "../../engine/connectors/log-source.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import { mapState } from "../../engine/state/descriptors.ts";
import type { MapState } from "../../engine/state/state.ts";
import { defineScenario } from "../../simulator/scenario.ts";
import type { InputTopic, RunOptions, Scenario, WorkloadContext } from "../../simulator/scenario.ts";
import type { SmallTopic } from "./small-job.ts";
import { IN_ALL_COMBINATIONS, keyedSink, SMALL_WORKLOAD_MS, smallEnvironment, smallTopic } from "./small-job.ts";

interface Booking {
  readonly account: string;
  readonly cents: number;
}

interface Balance {
  readonly account: string;
  readonly endMs: number;
  readonly invoiced: number;
  readonly paid: number;
}

const PERIOD_MS = 600;

type Sums = readonly [invoiced: number, paid: number];

/** What was invoiced and what was paid, by account and period: known once both inputs have passed its end. */
class Balancing implements KeyedCoProcessFunction<Booking, Booking, Balance> {
  #periods!: MapState<number, Sums>;

  open(context: RuntimeContext): void {
    this.#periods = context.getState(mapState<number, Sums>("periods"));
  }

  processElement1({ cents }: Booking, context: ProcessContext): void {
    this.#book(context, cents, 0);
  }

  processElement2({ cents }: Booking, context: ProcessContext): void {
    this.#book(context, 0, cents);
  }

  onTimer(timestampMs: number, context: ProcessContext, collect: (value: Balance) => void): void {
    const endMs = timestampMs + 1;
    const sums = this.#periods.get(endMs);
    if (sums === null) return;
    collect({ account: String(context.currentKey()), endMs, invoiced: sums[0], paid: sums[1] });
    this.#periods.remove(endMs);
  }

  #book(context: ProcessContext, invoiced: number, paid: number): void {
    const atMs = context.timestampMs() ?? 0;
    const endMs = atMs - (atMs % PERIOD_MS) + PERIOD_MS;
    const before = this.#periods.get(endMs) ?? [0, 0];
    this.#periods.put(endMs, [before[0] + invoiced, before[1] + paid]);
    context.timers.registerEventTimeTimer(endMs - 1);
  }
}

function job(options: RunOptions): StreamGraph {
  const env = smallEnvironment(options);
  const watermarks = WatermarkStrategies.forMonotonousTimestamps<Booking>();
  const invoices = env.fromSource(new LogSource<Booking>("invoices"), watermarks).uid("invoices");
  const payments = env.fromSource(new LogSource<Booking>("payments"), watermarks).uid("payments");
  invoices
    .connect(payments)
    .keyBy(({ account }) => account, ({ account }) => account)
    .process(new Balancing())
    .uid("balancing")
    .name("balancing")
    .sinkTo(keyedSink<Balance>("balances", ({ account }) => account))
    .uid("balances");
  return env.execute("Two Inputs");
}

function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const bookings: Omit<SmallTopic<Booking>, "topic" | "partitions"> = {
    least: 50,
    most: 120,
    keyOf: ({ account }) => account,
    draw: (draws) => ({ account: `account-${draws.below(8)}`, cents: 1 + draws.below(1000) }),
  };
  return [
    smallTopic(random("invoices"), { ...bookings, topic: "invoices", partitions: 2, untilMs: Math.floor(SMALL_WORKLOAD_MS * 0.7) }),
    smallTopic(random("payments"), { ...bookings, topic: "payments", partitions: 3 }),
  ];
}

export const matrixTwoInputs: Scenario = defineScenario({
  name: "matrix-two-inputs",
  title: "two inputs of one operator, of which one ends before the other",
  doc: `Invoices and payments are the two inputs of one keyed process function. It adds up both in a map by period,
and a timer of event time gives out the sums of a period when its end has passed on both inputs: the watermark is
the least of the two. The invoices end when two thirds of the payments have come.

Amounts of a period are added up in any order, so there is one right balance for each account and period.

Hunts: a watermark that follows one input alone, or stops when one ends; barriers that are aligned over the channels
of one input only; records of one input that are taken for the other's after a restore.`,
  job,
  workload,
  outputs: [{ topic: "balances", partitions: 2, keyOf: (value) => (value as Balance).account }],
  ...IN_ALL_COMBINATIONS,
});
