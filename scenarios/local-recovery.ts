import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "../engine/api/functions.ts";
import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { valueState } from "../engine/state/descriptors.ts";
import type { ValueState } from "../engine/state/state.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, FaultBudget, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";
import { configure, CONFIGURED, mayOvertake, SURVIVES_EVERYTHING, TWO_WORKERS } from "./survival.ts";

/** Pieces of an article that come in, or leave (then negative). */
interface Movement {
  readonly article: string;
  readonly pieces: number;
}

/** Of an article after a movement: how many there are, and the most there ever were. */
interface Stock {
  readonly article: string;
  readonly pieces: number;
  readonly most: number;
}

const ARTICLES = 40;
const PARTITIONS = 4;
const BURSTS = { everyUs: 400_000, partitions: PARTITIONS };

class Most implements KeyedProcessFunction<Movement, Stock> {
  #most!: ValueState<number>;

  open(context: RuntimeContext): void {
    this.#most = context.getState(valueState<number>("most"));
  }

  processElement({ article, pieces }: Movement, _context: ProcessContext, collect: (value: Stock) => void): void {
    const most = Math.max(pieces, this.#most.value() ?? pieces);
    this.#most.update(most);
    collect({ article, pieces, most });
  }
}

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options).setMaxConcurrentCheckpoints(mayOvertake(options) ? 1 : 2);
  env
    .fromSource(new LogSource<Movement>("movements"), WatermarkStrategies.noWatermarks<Movement>())
    .uid("movements")
    .keyBy(({ article }) => article)
    .reduce((sum, { pieces }) => ({ article: sum.article, pieces: sum.pieces + pieces }))
    .uid("stock")
    .name("stock")
    .reinterpretAsKeyedStream(({ article }) => article)
    .process(new Most())
    .uid("most")
    .name("most")
    .sinkTo(
      new TransactionalLogSink<Stock>({
        topic: "stocks",
        partitionOf: ({ article }, partitions) => partitionOfKey(article, partitions),
      }),
    )
    .uid("stocks");
  return env.execute("Stocks");
}

/** 400 to 700 movements; those of an article in one partition, so that their order is given. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const draws = random("movements");
  const count = 400 + draws.below(301);
  const partitions: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let index = 0; index < count; index += 1) {
    const article = `article-${draws.below(ARTICLES)}`;
    const partition = partitionOfKey(article, PARTITIONS);
    const arrivesAtUs = burstAtUs(BURSTS, partition, dueUs(index, count));
    const value: Movement = Object.freeze({ article, pieces: draws.below(21) - 8 });
    partitions[partition]?.push({ arrivesAtUs, timestampMs: Math.floor(arrivesAtUs / 1000), value });
  }
  return [{ topic: "movements", partitions }];
}

const { most } = SURVIVES_EVERYTHING;
/** What happens to processes, hosts and disks, and nothing else: it happens all the more often. */
const BUDGET: FaultBudget = {
  jobMayFail: false,
  most: {
    "process-crash": most["process-crash"] ?? 0,
    "host-crash": most["host-crash"] ?? 0,
    "user-exception": most["user-exception"] ?? 0,
    "disk-error": most["disk-error"] ?? 0,
    "disk-fsync-failure": most["disk-fsync-failure"] ?? 0,
    "disk-short-read": most["disk-short-read"] ?? 0,
    "disk-bit-flip": most["disk-bit-flip"] ?? 0,
    "disk-misdirected-write": most["disk-misdirected-write"] ?? 0,
    "disk-slow": most["disk-slow"] ?? 0,
    "disk-full": most["disk-full"] ?? 0,
    "disk-stall": most["disk-stall"] ?? 0,
    "disk-loss": most["disk-loss"] ?? 0,
  },
};

export const localRecovery: Scenario = defineScenario({
  name: "local-recovery",
  title: "restores from copies on the hosts' own disks, while these break",
  doc: `Articles move in and out of a warehouse. One keyed operator sums up how many pieces there are, another, in the
same chain, remembers the most there ever were. Every subtask keeps a copy of what it wrote for a checkpoint on its
host's disk, and a restore reads that copy where it is, to the bit, what the checkpoint names. Only processes, hosts
and disks fail here: disks are lost, replaced, full, refuse calls, flip bits, put writes where they do not belong, and
forget what was not synced. Some runs change their parallelism, and put their state together from pieces of both.

Every stock has one right answer, and so has every maximum: one movement lost or counted twice shows in both.

Hunts: copies that are stale, of another subtask, half-written or damaged, and loaded all the same; copies that are
lost although they were synced, or pruned too early; two operators of a chain that share a copy; copies that pile up.`,
  job,
  workload,
  outputs: [{ topic: "stocks", partitions: 2, keyOf: (value) => (value as Stock).article }],
  cluster: TWO_WORKERS,
  budget: BUDGET,
  ...CONFIGURED,
  modes: ["aligned", "unaligned"],
  restores: ["local"],
  drawnBackends: ["heap", "heap", "heap", "lsm", "changelog:heap"],
  parallelisms: [3, 4],
  confluent: true,
  sometimes: [
    "crash between snapshot and ack",
    "crash during a restore",
    "a restore with no remote byte",
    "a local copy that failed its checksum",
    "a copy missing after disk loss",
    "a restore that mixes local and remote pieces",
  ],
});
