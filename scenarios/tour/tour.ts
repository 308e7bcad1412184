import { StreamExecutionEnvironment } from "../../engine/api/environment.ts";
import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "../../engine/api/functions.ts";
import { RestartStrategies } from "../../engine/api/restart-strategies.ts";
import { WatermarkStrategies } from "../../engine/api/watermark-strategies.ts";
import { LogSource } from "../../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import { valueState } from "../../engine/state/descriptors.ts";
import type { ValueState } from "../../engine/state/state.ts";
import { defineScenario } from "../../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario } from "../../simulator/scenario.ts";

/** A piece of fruit that a till sold. */
export interface Sale {
  readonly fruit: string;
  readonly price: number;
}

/** All that was sold of a fruit so far. */
export interface Total {
  readonly fruit: string;
  /** What it brought in. */
  readonly takings: number;
  /** How many pieces. */
  readonly sold: number;
}

/** Each piece of a fruit costs the same, so that takings are the price times what was sold: an error is seen at once. */
const FRUITS: readonly Sale[] = [
  { fruit: "apple", price: 2 },
  { fruit: "fig", price: 3 },
  { fruit: "pear", price: 5 },
  { fruit: "plum", price: 7 },
];
const FIRST_US = 420_000;
const EVERY_US = 500_000;
const TIMES = 6;
/**
 * Twice a second each till reports three sales. The first one holds one of them back for a moment: it comes when the
 * barrier of a checkpoint has gone ahead, and has to wait for the barrier of the other till.
 */
const DELAYS_US: readonly (readonly number[])[] = [
  [0, 0, 50_000],
  [0, 0, 0],
];

/** Wrong on purpose: takings are kept in state, and the number of pieces is not. */
class Totals implements KeyedProcessFunction<Sale, Total> {
  #takings!: ValueState<number>;
  /** No checkpoint sees this. It would have to be `context.getState(valueState<number>("sold", 0))`, as takings are. */
  readonly #sold = new Map<string, number>();

  open(context: RuntimeContext): void {
    this.#takings = context.getState(valueState<number>("takings", 0));
  }

  processElement({ fruit, price }: Sale, _context: ProcessContext, collect: (total: Total) => void): void {
    const takings = (this.#takings.value() ?? 0) + price;
    this.#takings.update(takings);
    const sold = (this.#sold.get(fruit) ?? 0) + 1;
    this.#sold.set(fruit, sold);
    collect({ fruit, takings, sold });
  }
}

function job({ parallelism, bufferElements }: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  env
    .setParallelism(parallelism)
    .setMaxParallelism(8)
    .setBufferElements(bufferElements)
    .setAutoWatermarkInterval(60_000)
    .setStateBackend("heap")
    .enableCheckpointing(1000)
    .setRestartStrategy(RestartStrategies.fixedDelay(10, 200));
  env
    .fromSource(new LogSource<Sale>("tills"), WatermarkStrategies.noWatermarks<Sale>())
    .uid("tills")
    .keyBy(({ fruit }) => fruit)
    .process(new Totals())
    .uid("totals")
    .name("totals")
    .sinkTo(new TransactionalLogSink<Total>({ topic: "report", partitionOf: () => 0 }))
    .uid("report");
  return env.execute("Fruit Sales");
}

function workload(): readonly InputTopic[] {
  const partitions = DELAYS_US.map((delays, till) => {
    const sales: ArrivingRecord[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      for (const [sale, delayUs] of delays.entries()) {
        const arrivesAtUs = FIRST_US + time * EVERY_US + delayUs;
        const value = FRUITS[(time + sale + 2 * till) % FRUITS.length];
        sales.push({ arrivesAtUs, timestampMs: arrivesAtUs / 1000, value });
      }
    }
    return sales;
  });
  return [{ topic: "tills", partitions }];
}

export const tour: Scenario = defineScenario({
  name: "tour",
  title: "a small job with the commonest mistake, for the guided tour",
  doc: `Two tills report each piece of fruit that they sell. By fruit, the job adds up what the sales brought in, and
counts the pieces. It adds up in keyed state, which is right, and counts in a field of the function, which is not:
no checkpoint sees a field, so after a crash and a restore it begins from nothing while the takings go on from where
they were. The oracle of committed output sees it as soon as such a total is committed.

It is wrong on purpose: a sweep leaves it out, and \`whitewater ui --tour\` walks through one run of it.`,
  job,
  workload,
  outputs: [{ topic: "report", partitions: 1, keyOf: (value) => (value as Total).fruit }],
  cluster: { jobManagers: 1, workers: 2, slotsPerWorker: 1, processRestartUs: 300_000, hostRestartUs: 1_000_000, elementUs: 12_000 },
  budget: { most: { "process-crash": 1 }, jobMayFail: false },
  backends: ["heap"],
  parallelisms: [2],
  bufferSizes: [1],
  confluent: true,
  sometimes: [],
});
