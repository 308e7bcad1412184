import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";
import { AT_LEAST_ONCE_PATHS, CONCURRENT_PATHS, configure, CONFIGURED, LOCAL_COPY_PATHS, mayOvertake, RECOVERY_PATHS, SHARED_FILE_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

export interface WordCount {
  readonly word: string;
  readonly count: number;
}

const WORDS: readonly WordCount[] = (
  "the of and to in is you that it he was for on are as with his they I at be this have from " +
  "or one had by word but not what all were we when your can said there use an each which she do how"
)
  .split(" ")
  .map((word) => Object.freeze({ word, count: 1 }));
/** A word's rank is the least of so many draws: the more, the fewer words make up the text. */
const SKEW = 6;
const PARTITIONS = 4;
const BURSTS = { everyUs: 400_000, partitions: PARTITIONS };

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options)
    .setMaxConcurrentCheckpoints(mayOvertake(options) ? 1 : 2)
    .setMaxRetainedCheckpoints(2);
  env
    .fromSource(new LogSource<WordCount>("words"), WatermarkStrategies.noWatermarks<WordCount>())
    .uid("words")
    .keyBy(({ word }) => word)
    .reduce((sum, { count }) => ({ word: sum.word, count: sum.count + count }))
    .uid("sum")
    .name("sum")
    .sinkTo(
      new TransactionalLogSink<WordCount>({
        topic: "counts",
        partitionOf: ({ word }, partitions) => partitionOfKey(word, partitions),
      }),
    )
    .uid("counts");
  return env.execute("Word Count");
}

/** 600 to 1,000 words; the first of the list far more often than the last. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const draws = random("words");
  const count = 600 + draws.below(401);
  const partitions: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let index = 0; index < count; index++) {
    let rank = WORDS.length - 1;
    for (let draw = 0; draw < SKEW; draw++) rank = Math.min(rank, draws.below(WORDS.length));
    const partition = draws.below(PARTITIONS);
    const arrivesAtUs = burstAtUs(BURSTS, partition, dueUs(index, count));
    partitions[partition]?.push({ arrivesAtUs, timestampMs: Math.floor(arrivesAtUs / 1000), value: WORDS[rank] });
  }
  return [{ topic: "words", partitions }];
}

export const wordCount: Scenario = defineScenario({
  name: "word-count",
  title: "a keyed running sum over a topic of words",
  doc: `The classic. 600 to 1,000 words arrive over 24 virtual seconds in four partitions, drawn so that a few
words make up most of the text; each is added to the running count of its word, and every new count goes
through a transactional sink. The same word comes from every partition, so its subtask merges several
channels, some of them blocked behind a barrier. Two checkpoints may be under way at once, and two are kept.

The counts of a word must come out as 1, 2, 3 … without a gap or a repetition, whatever the interleaving: one
word counted twice or lost shows in every later count of it.

Hunts: offsets that do not fit the state, records that slip between alignment and snapshot, transactions
committed too early or twice, older checkpoints completing after newer ones.`,
  job,
  workload,
  outputs: [{ topic: "counts", partitions: 3, keyOf: (value) => (value as WordCount).word }],
  cluster: THREE_WORKERS,
  budget: SURVIVES_EVERYTHING,
  ...CONFIGURED,
  parallelisms: [1, 2, 3, 4],
  confluent: true,
  sometimesWith: { ...CONCURRENT_PATHS, "at-least-once": ["a checkpoint subsumed", ...AT_LEAST_ONCE_PATHS], local: LOCAL_COPY_PATHS, incremental: SHARED_FILE_PATHS },
  sometimes: [...RECOVERY_PATHS, "barriers in flight on two channels at a crash"],
});
