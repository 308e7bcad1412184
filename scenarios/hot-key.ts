import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";
import { configure, CONFIGURED, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

interface Click {
  readonly page: string;
}

interface Count {
  readonly of: string;
  readonly count: number;
}

const PAGES = 12;
/** Three of four clicks are on the hot page. */
const HOT_OF_FOUR = 3;
const PARTITIONS = 3;
/** All partitions at the same time. */
const BURSTS = { everyUs: 1_000_000, partitions: 1 };
/** At this pace a burst keeps the subtask of the hot keys busy for most of the time until the next one. */
const ELEMENT_US = 5_000;

const OVERTAKING_PATHS: readonly string[] = [
  "a checkpoint with in-flight data in inputs",
  "a checkpoint with in-flight data in outputs",
  "a restore of in-flight data",
  "a restore of in-flight data at another parallelism",
];

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options).setMaxRetainedCheckpoints(2);
  env
    .fromSource(new LogSource<Click>("clicks"), WatermarkStrategies.noWatermarks<Click>())
    .uid("clicks")
    .rebalance()
    .flatMap(({ page }, collect: (count: Count) => void) => {
      for (const of of ["site", page.slice(0, page.indexOf("/")), page]) collect({ of, count: 1 });
    })
    .uid("levels")
    .name("levels")
    .keyBy(({ of }) => of)
    .reduce((sum, { count }) => ({ of: sum.of, count: sum.count + count }))
    .uid("clicks-of")
    .name("clicks-of")
    .sinkTo(new TransactionalLogSink<Count>({ topic: "counts", partitionOf: (one, partitions) => partitionOfKey(one.of, partitions) }))
    .uid("counts");
  return env.execute("Hot Key");
}

/** 350 to 450 clicks in bursts. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const draws = random("clicks");
  const count = 350 + draws.below(101);
  const partitions: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let index = 0; index < count; index++) {
    const isHot = draws.below(4) < HOT_OF_FOUR;
    const page = isHot ? "news/today" : `section-${draws.below(3)}/page-${draws.below(PAGES)}`;
    const partition = draws.below(PARTITIONS);
    const arrivesAtUs = burstAtUs(BURSTS, 0, dueUs(index, count));
    partitions[partition]?.push({ arrivesAtUs, timestampMs: Math.floor(arrivesAtUs / 1000), value: Object.freeze({ page }) });
  }
  return [{ topic: "clicks", partitions }];
}

export const hotKey: Scenario = defineScenario({
  name: "hot-key",
  title: "a hot key under back-pressure, with barriers that overtake",
  doc: `350 to 450 clicks arrive in bursts, three of four on the same page. They are spread over a stateless operator,
which makes three records of each; these are counted by site, section and page. Some subtasks get most of the work,
their channels fill up, and everything before them has to wait. Barriers would wait as well: so they overtake what is in flight, at once or after 20 ms, and that becomes part
of the checkpoint. One checkpoint is under way at a time.

The counts must come out as 1, 2, 3 … without a gap or a repetition: a record that was in flight at a checkpoint and
is lost, or comes twice, shows in every later count.

Hunts: data in flight that a checkpoint lacks or has twice, at either end of a channel; data given back behind newer
data, to the wrong subtask, or not at all where only the other side of a channel was rescaled; checkpoints that wait
for a barrier that never comes.`,
  job,
  workload,
  outputs: [{ topic: "counts", partitions: 2, keyOf: (value) => (value as Count).of }],
  cluster: { ...THREE_WORKERS, elementUs: ELEMENT_US },
  budget: SURVIVES_EVERYTHING,
  ...CONFIGURED,
  modes: ["unaligned", "aligned-timeout"],
  parallelisms: [1, 2, 3, 4],
  bufferSizes: [1, 4],
  confluent: true,
  sometimesWith: { "aligned-timeout": ["an alignment that timed out"] },
  sometimes: [...RECOVERY_PATHS, ...OVERTAKING_PATHS],
});
