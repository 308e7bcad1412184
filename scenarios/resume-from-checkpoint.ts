import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "../engine/api/functions.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import type { ClaimMode } from "../engine/checkpoint/snapshot-restore.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { mapState, valueState } from "../engine/state/descriptors.ts";
import { STATE_BACKENDS } from "../engine/state/state-backend.ts";
import type { MapState, ValueState } from "../engine/state/state.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";
import { configure, CONFIGURED, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

/** A parcel is seen somewhere on its route. */
export interface Scan {
  readonly route: string;
  readonly parcel: string;
  readonly place: string;
}

/** What a route has to tell of a scan: how many there were, and where the parcel was seen before. */
export interface Progress {
  readonly route: string;
  readonly scans: number;
  readonly parcel: string;
  readonly from: string | null;
}

const ROUTES = 24;
const PARCELS_OF_A_ROUTE = 40;
const PLACES = 9;
const PARTITIONS = 4;
const BURSTS = { everyUs: 400_000, partitions: PARTITIONS };

class Routes implements KeyedProcessFunction<Scan, Progress> {
  #scans!: ValueState<number>;
  #places!: MapState<string, string>;

  open(context: RuntimeContext): void {
    this.#scans = context.getState(valueState("scans", 0));
    this.#places = context.getState(mapState<string, string>("places"));
  }

  processElement({ route, parcel, place }: Scan, _context: ProcessContext, collect: (progress: Progress) => void): void {
    const scans = (this.#scans.value() ?? 0) + 1;
    const from = this.#places.get(parcel) ?? null;
    this.#scans.update(scans);
    this.#places.put(parcel, place);
    collect({ route, scans, parcel, from });
  }
}

/** A user who cancels the job keeps what it retains; of a job that has finished nothing is wanted any more. */
function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options).setMaxRetainedCheckpoints(2).setExternalizedCheckpointRetention("on-cancellation");
  env
    .fromSource(new LogSource<Scan>("scans"), WatermarkStrategies.noWatermarks<Scan>())
    .uid("scans")
    .keyBy(({ route }) => route)
    .process(new Routes())
    .uid("routes")
    .name("routes")
    .sinkTo(
      new TransactionalLogSink<Progress>({
        topic: "progress",
        partitionOf: ({ route }, partitions) => partitionOfKey(route, partitions),
      }),
    )
    .uid("progress");
  return env.execute("Routes");
}

/** Every other run keeps its parallelism: only then can increments go on from what was restored. */
const PARALLELISM_AFTER: Readonly<Partial<Record<number, number>>> = { 1: 3, 3: 4 };

function after(options: RunOptions): RunOptions {
  const parallelism = PARALLELISM_AFTER[options.parallelism] ?? options.parallelism;
  return { ...options, parallelism, parallelismAfter: parallelism };
}

/** 700 to 1,000 scans. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const draws = random("scans");
  const count = 700 + draws.below(301);
  const partitions: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let index = 0; index < count; index++) {
    const route = `route-${draws.below(ROUTES)}`;
    const value: Scan = Object.freeze({ route, parcel: `parcel-${draws.below(PARCELS_OF_A_ROUTE)}`, place: `place-${draws.below(PLACES)}` });
    const partition = partitionOfKey(route, PARTITIONS);
    const arrivesAtUs = burstAtUs(BURSTS, partition, dueUs(index, count));
    partitions[partition]?.push({ arrivesAtUs, timestampMs: Math.floor(arrivesAtUs / 1000), value });
  }
  return [{ topic: "scans", partitions }];
}

const SHARED_DOC = `Scans of parcels on 24 routes arrive over 24 virtual seconds. A route counts them, remembers where each parcel was seen
last, and tells both through a transactional sink. Somewhere on the way the job is cancelled, in the middle of whatever
it does; its two latest checkpoints stay. Another cluster starts on the same hosts and goes on from the latest of them,
in half of the runs with another parallelism.`;

function resumed(claim: ClaimMode, { name, title, doc, sometimes }: Pick<Scenario, "name" | "title" | "doc" | "sometimes">): Scenario {
  return defineScenario({
    name,
    title,
    doc: `${SHARED_DOC} ${doc}`,
    job,
    upgrade: { before: job, after, from: "checkpoint", claim, migrated: (_uid, _state, value) => value },
    workload,
    outputs: [{ topic: "progress", partitions: 3, keyOf: (value) => (value as Progress).route }],
    cluster: THREE_WORKERS,
    budget: SURVIVES_EVERYTHING,
    drawnBackends: STATE_BACKENDS,
    modes: CONFIGURED.modes,
    restores: CONFIGURED.restores,
    parallelisms: [1, 2, 3, 4],
    confluent: true,
    sometimes: [
      ...RECOVERY_PATHS,
      "a resume from a retained checkpoint",
      "a resume from a retained checkpoint with another parallelism",
      "a retained checkpoint restored once more",
      ...sometimes,
    ],
    sometimesWith: { incremental: ["a file shared by two retained checkpoints", "a shared file deleted at last", "a file named again by a later checkpoint"] },
  });
}

export const resumeFromCheckpoint: Scenario = resumed("claim", {
  name: "resume-from-checkpoint",
  title: "a job that is cancelled and goes on from a checkpoint that is its own from then on",
  doc: `The checkpoint is claimed: later ones may stand on its files, and once none does, it is deleted.

Hunts: transactions of the cancelled job that nobody commits or aborts, output that comes again or not at all, files that
are deleted while a checkpoint of either version needs them, files that nobody deletes.`,
  sometimes: ["a claimed checkpoint deleted when subsumed"],
});

export const resumeWithoutClaim: Scenario = resumed("no-claim", {
  name: "resume-without-claim",
  title: "a job that is cancelled and goes on from a checkpoint that stays somebody else's",
  doc: `The checkpoint is not claimed: it stays as it is for ever, with the one before it, and so do all of their files. The
first checkpoint of the new version holds everything anew; whoever owns the old ones may take them away after that.

Hunts: a checkpoint that names a file of the old ones, an old one that is deleted or lost, also by a failover before
the first new one, or with a new leader.`,
  sometimes: ["a checkpoint of nobody's left in place"],
});
