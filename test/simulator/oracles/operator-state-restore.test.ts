import { expect, test } from "vitest";
import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "#whitewater/engine/api/functions.js";
import { WatermarkStrategies } from "#whitewater/engine/api/watermark-strategies.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import type { RestoreStrategyName } from "#whitewater/engine/graph/job-modes.js";
import type { StreamGraph } from "#whitewater/engine/graph/stream-graph.js";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import type { ListState, MapState, ValueState } from "#whitewater/engine/state/state.js";
import { ttlConfig } from "#whitewater/engine/state/ttl-config.js";
import { configure } from "#whitewater/scenarios/survival.js";
import { timers } from "#whitewater/scenarios/timers.js";
import type { Heartbeat } from "#whitewater/scenarios/timers.js";
import { restoreFidelityOracle } from "#whitewater/simulator/oracles/restore-fidelity.js";
import { survivingHistoryOracle } from "#whitewater/simulator/oracles/surviving-history.js";
import { interpret } from "#whitewater/simulator/reference/interpreter.js";
import type { RunOptions, Scenario } from "#whitewater/simulator/scenario.js";
import { crashOf, onEvent, WatchedWorld } from "./watched-world.js";

/** What a subtask found in its operator state when it was opened. */
interface Opening {
  readonly subtask: number;
  readonly attempt: number;
  readonly split: readonly number[];
  readonly union: readonly string[];
  readonly broadcast: readonly unknown[];
}

/** Counts the records of the subtask in operator state of each mode, and those of a device that is not silent for long. */
class Counter implements KeyedProcessFunction<Heartbeat, number> {
  readonly #openings: Opening[];
  #name = "";
  #split!: ListState<number>;
  #union!: ListState<string>;
  #broadcast!: MapState<string, number>;
  #recent!: ValueState<number>;

  constructor(openings: Opening[]) {
    this.#openings = openings;
  }

  open(context: RuntimeContext): void {
    this.#name = `subtask-${context.subtaskIndex}`;
    this.#split = context.getListState(listState<number>("split"));
    this.#union = context.getUnionListState(listState<string>("union"));
    this.#broadcast = context.getBroadcastState(mapState<string, number>("broadcast"));
    this.#recent = context.getState(valueState<number>("recent", 0, { ttl: ttlConfig({ ttlMs: 700 }) }));
    const opening = { split: this.#split.get(), union: this.#union.get(), broadcast: this.#broadcast.entries() };
    this.#openings.push({ subtask: context.subtaskIndex, attempt: context.attempt, ...opening });
    this.#union.update([this.#name]);
  }

  processElement(_: Heartbeat, __: ProcessContext, collect: (count: number) => void): void {
    const count = (this.#split.get()[0] ?? 0) + 1;
    this.#split.update([count]);
    this.#broadcast.put(this.#name, count);
    this.#recent.update((this.#recent.value() ?? 0) + 1);
    collect(this.#recent.value() ?? 0);
  }
}

function scenarioWith(openings: Opening[]): Scenario {
  const job = (options: RunOptions): StreamGraph => {
    const env = StreamExecutionEnvironment.create();
    configure(env, options);
    env
      .fromSource(new LogSource<Heartbeat>("heartbeats"), WatermarkStrategies.forMonotonousTimestamps<Heartbeat>())
      .uid("heartbeats")
      .keyBy(({ device }) => device)
      .process(new Counter(openings))
      .uid("counts")
      .name("counts")
      .sinkTo(new TransactionalLogSink<number>({ topic: "silent-devices", partitionOf: () => 0 }))
      .uid("out")
      .name("out");
    return env.execute("Counts");
  };
  return { ...timers, name: "operator-state", job, confluent: false };
}

test("a restored subtask has its own split list and broadcast state, and the union lists of all subtasks", () => {
  const openings: Opening[] = [];
  const watched = new WatchedWorld(restoreFidelityOracle, { scenario: scenarioWith(openings), plan: [crashOf("counts -> out[0]", 6)] });
  watched.runUntil(14_000_000);
  expect(watched.findings).toEqual([]);
  const lastAttempt = Math.max(...openings.map(({ attempt }) => attempt));
  const last = openings.filter(({ attempt }) => attempt === lastAttempt).sort((left, right) => left.subtask - right.subtask);
  expect(last.map(({ union }) => union)).toEqual([["subtask-0", "subtask-1"], ["subtask-0", "subtask-1"]]);
  for (const { subtask, split, broadcast } of last) {
    expect(split[0]).toBeGreaterThan(0);
    expect(broadcast).toEqual([[`subtask-${subtask}`, split[0]]]);
  }
  const first = openings.filter(({ attempt }) => attempt !== lastAttempt);
  expect(first.map(({ split, union }) => [split, union])).toEqual([[[], []], [[], []]]);
});

/** Before and after; a heap has no increments. */
const RESCALED: readonly (readonly [restore: RestoreStrategyName, backend: StateBackendName, before: number, after: number])[] = [
  ["full", "heap", 2, 3],
  ["full", "heap", 3, 2],
  ["local", "heap", 2, 3],
  ["local", "heap", 3, 2],
  ["incremental", "changelog:heap", 2, 3],
  ["incremental", "changelog:heap", 3, 2],
];

test.each(RESCALED)("%s (%s): from %i subtasks to %i split lists are dealt out in chunks, union lists go to all, broadcast state is copied", (restore, backend, before, after) => {
  const openings: Opening[] = [];
  const rescale = { kind: "rescale", parallelism: after, at: onEvent("checkpointCompleted", "jm-1", 6) } as const;
  const options = { scenario: scenarioWith(openings), restore, backend, parallelism: before, parallelismAfter: after, plan: [rescale] };
  const watched = new WatchedWorld(restoreFidelityOracle, options).runUntil(14_000_000);
  expect(watched.findings).toEqual([]);
  const lastAttempt = Math.max(...openings.map(({ attempt }) => attempt));
  const last = openings.filter(({ attempt }) => attempt === lastAttempt).sort((left, right) => left.subtask - right.subtask);
  expect(last).toHaveLength(after);
  const old = Array.from({ length: before }, (_, subtask) => `subtask-${subtask}`);
  for (const { union } of last) expect(union).toEqual(old);
  // One element each, in the order of the old subtasks: contiguous, the first ones get one more.
  const elements = last.flatMap(({ split }) => split);
  expect(last.map(({ split }) => split.length)).toEqual(after > before ? [1, 1, 0] : [2, 1]);
  for (const { subtask, broadcast } of last) {
    const from = subtask % before;
    expect(broadcast).toEqual([[`subtask-${from}`, elements[from]]]);
  }
  for (const element of elements) expect(element).toBeGreaterThan(0);
});

test("the history of a job with a time to live and operator state is followed, its results are not foretold", () => {
  const options = { scenario: scenarioWith([]), plan: [crashOf("counts -> out[0]", 6)] };
  expect(new WatchedWorld(survivingHistoryOracle, options).verdict()).toBe("nothing");
  const { scenario } = new WatchedWorld(survivingHistoryOracle, options);
  const graph = scenario.job({ backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 1, parallelismAfter: 1, bufferElements: 4 });
  expect(() => interpret(graph, [])).toThrow(/counts: nobody can foretell what operator state "split" holds, .* judged by its surviving history/);
});
