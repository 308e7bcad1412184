import { afterEach, describe, expect, test, vi } from "vitest";
import type { DataStream } from "#whitewater/engine/api/data-stream.js";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { TumblingEventTimeWindows } from "#whitewater/engine/api/tumbling-event-time-windows.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { ReduceOperator } from "#whitewater/engine/operators/reduce-operator.js";
import { scenarioNamed, scenarios } from "#whitewater/scenarios/registry.js";
import { simulate } from "#whitewater/simulator/simulate.js";
import type { RunOptions, Scenario } from "#whitewater/simulator/scenario.js";
import { refuseReplay } from "#whitewater/simulator/oracles/surviving-history-replayable.js";

interface Word {
  readonly word: string;
  readonly count: number;
}

const OPTIONS: RunOptions = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 4 };

function jobOf(options: RunOptions, of: (words: DataStream<Word>) => DataStream<Word>): StreamGraph {
  const env = StreamExecutionEnvironment.create().setParallelism(options.parallelism);
  env.enableCheckpointing(1000);
  of(env.fromSource(new LogSource<Word>("words"), WatermarkStrategies.noWatermarks<Word>())).sinkTo(
    new TransactionalLogSink<Word>({ topic: "counts" }),
  );
  return env.execute("Words");
}

const sum = (left: Word, right: Word): Word => ({ word: left.word, count: left.count + right.count });
const summed = (words: DataStream<Word>): DataStream<Word> => words.keyBy(({ word }) => word).reduce(sum);
const doubled = (words: DataStream<Word>): DataStream<Word> =>
  words
    .filter(({ word }) => word.length > 1)
    .flatMap<Word>((value, collect) => {
      collect(value);
      collect({ word: `${value.word}!`, count: 2 });
    });

describe("a history can be replayed", () => {
  test.each(scenarios.map((scenario) => scenario.name))("of %s", (name) => {
    expect(refuseReplay(scenarioNamed(name)?.job(OPTIONS) as StreamGraph)).toBeNull();
  });

  test("of reduces behind reduces, and behind a flatMap; not where ids do not tell records apart", () => {
    expect(refuseReplay(jobOf(OPTIONS, (words) => summed(summed(words))))).toBeNull();
    expect(refuseReplay(jobOf(OPTIONS, (words) => summed(doubled(words))))).toBeNull();
    expect(refuseReplay(jobOf(OPTIONS, (words) => summed(summed(doubled(words)))))).toMatch(/several ways$/);
    expect(refuseReplay(jobOf(OPTIONS, (words) => summed(doubled(words).rebalance().map((one) => one))))).toMatch(/several ways$/);
    expect(refuseReplay(jobOf(OPTIONS, (words) => summed(words.union(words.map((one) => one)))))).toMatch(/on two ways$/);
    expect(refuseReplay(jobOf(OPTIONS, (words) => words.broadcast().map((one) => one)))).toMatch(/several times$/);
    const windowed = (words: DataStream<Word>): DataStream<Word> =>
      summed(words.keyBy(({ word }) => word).window(TumblingEventTimeWindows.of(1000)).reduce(sum));
    expect(refuseReplay(jobOf(OPTIONS, windowed))).toMatch(/lies behind timers$/);
  });
});

describe("the replay of a job with a flatMap before its keys", () => {
  const wordCount = scenarioNamed("word-count") as Scenario;
  const scenario: Scenario = {
    ...wordCount,
    job: (options) => jobOf(options, (words) => summed(doubled(words))),
    outputs: [{ topic: "counts", partitions: 1, keyOf: (value) => (value as Word).word }],
    modes: ["aligned"],
    restores: ["full"],
    rescales: false,
    confluent: false,
  };
  const run = (): readonly string[] => {
    const request = { seed: "3", profile: "calm", fixed: { backend: "heap", parallelism: 3 }, plan: [], oracles: true, checked: true, maxSteps: 1_000_000 } as const;
    return simulate(scenario, request).findings.map(({ oracle, message }) => `${oracle}: ${message}`);
  };

  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("says nothing where all is well", () => {
    expect(run()).toEqual([]);
  });

  test("names a record that came twice", () => {
    const original = ReduceOperator.prototype.processElement;
    vi.spyOn(ReduceOperator.prototype, "processElement").mockImplementation(function (this: ReduceOperator, record, timestampMs) {
      original.call(this, record, timestampMs);
      const { id, value } = record as { readonly id: number; readonly value: Word };
      if (id === 30 && value.word.endsWith("!")) original.call(this, record, timestampMs);
    });
    expect(run()).toContainEqual(expect.stringMatching(/^surviving history: checkpoint \d+, reduce\[\d\]: record 30 of words\/0 came twice, or will come again$/));
  });
});
