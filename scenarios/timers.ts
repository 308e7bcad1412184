import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "../engine/api/functions.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { listState, mapState, valueState } from "../engine/state/descriptors.ts";
import type { ListState, MapState, ValueState } from "../engine/state/state.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, partitionOfKey, WORKLOAD_US } from "./pacing.ts";
import { AT_LEAST_ONCE_PATHS, CONCURRENT_PATHS, configure, CONFIGURED, LOCAL_COPY_PATHS, mayOvertake, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

/** A sign of life of a device. */
export interface Heartbeat {
  readonly device: string;
  readonly status: string;
  readonly load: number;
}

/** A device fell silent: what its session was. */
export interface Silence {
  readonly device: string;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Loads in the order in which they came. */
  readonly loads: readonly number[];
  /** How often each status came, by status. */
  readonly statuses: readonly (readonly [string, number])[];
}

/** A device that gave no sign of life for this long is silent. */
const SILENT_AFTER_MS = 1500;
const STATUSES: readonly string[] = ["ok", "busy", "hot"];
const DEVICES = 16;
const PARTITIONS = 4;
const BURSTS = { everyUs: 400_000, partitions: PARTITIONS };

/**
 * Collects the session of a device and reports it once the device is silent. By event time only: the
 * timer's, or the next heartbeat's where that is processed before the watermark has passed the deadline.
 */
class SilenceDetector implements KeyedProcessFunction<Heartbeat, Silence> {
  #span!: ValueState<readonly [number, number]>;
  #loads!: ListState<number>;
  #statuses!: MapState<string, number>;

  open(context: RuntimeContext): void {
    this.#span = context.getState(valueState<readonly [number, number]>("span"));
    this.#loads = context.getState(listState<number>("loads"));
    this.#statuses = context.getState(mapState<string, number>("statuses"));
  }

  processElement(heartbeat: Heartbeat, context: ProcessContext, collect: (silence: Silence) => void): void {
    const atMs = context.timestampMs() ?? 0;
    let span = this.#span.value();
    if (span !== null) {
      const deadlineMs = span[1] + SILENT_AFTER_MS;
      context.timers.deleteEventTimeTimer(deadlineMs);
      if (atMs >= deadlineMs) {
        this.#report(span, context, collect);
        span = null;
      }
    }
    this.#span.update([span === null ? atMs : span[0], atMs]);
    this.#loads.add(heartbeat.load);
    this.#statuses.put(heartbeat.status, (this.#statuses.get(heartbeat.status) ?? 0) + 1);
    context.timers.registerEventTimeTimer(atMs + SILENT_AFTER_MS);
  }

  onTimer(timestampMs: number, context: ProcessContext, collect: (silence: Silence) => void): void {
    const span = this.#span.value();
    if (span !== null && span[1] + SILENT_AFTER_MS === timestampMs) this.#report(span, context, collect);
  }

  #report(span: readonly [number, number], context: ProcessContext, collect: (silence: Silence) => void): void {
    const [firstMs, lastMs] = span;
    const statuses = STATUSES.flatMap((status): [string, number][] => {
      const times = this.#statuses.get(status);
      return times === null ? [] : [[status, times]];
    });
    collect({ device: String(context.currentKey()), firstMs, lastMs, loads: [...this.#loads.get()], statuses });
    this.#span.clear();
    this.#loads.clear();
    this.#statuses.clear();
  }
}

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options).setMaxConcurrentCheckpoints(mayOvertake(options) ? 1 : 2);
  env
    .fromSource(new LogSource<Heartbeat>("heartbeats"), WatermarkStrategies.forMonotonousTimestamps<Heartbeat>())
    .uid("heartbeats")
    .keyBy(({ device }) => device)
    .process(new SilenceDetector())
    .uid("silences")
    .name("silences")
    .sinkTo(
      new TransactionalLogSink<Silence>({
        topic: "silent-devices",
        partitionOf: ({ device }, partitions) => partitionOfKey(device, partitions),
      }),
    )
    .uid("silent-devices");
  return env.execute("Silent Devices");
}

/** Each device sends for a while, several times in a silence's length, then keeps silent, and so on. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const partitions: { readonly atMs: number; readonly value: Heartbeat }[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let index = 0; index < DEVICES; index++) {
    const device = `device-${index}`;
    const draws = random(`heartbeats of ${device}`);
    let atMs = draws.below(3000);
    while (atMs * 1000 < WORKLOAD_US) {
      const status = STATUSES[draws.below(STATUSES.length)] ?? "ok";
      const value = Object.freeze({ device, status, load: draws.below(100) });
      partitions[partitionOfKey(device, PARTITIONS)]?.push({ atMs, value });
      atMs += draws.below(8) === 0 ? SILENT_AFTER_MS + draws.below(3000) : 50 + draws.below(600);
    }
  }
  const arriving = partitions.map((heartbeats, partition) =>
    heartbeats
      .sort((left, right) => left.atMs - right.atMs)
      .map(({ atMs, value }): ArrivingRecord => {
        return { arrivesAtUs: burstAtUs(BURSTS, partition, atMs * 1000), timestampMs: atMs, value };
      }),
  );
  return [{ topic: "heartbeats", partitions: arriving }];
}

export const timers: Scenario = defineScenario({
  name: "timers",
  title: "devices that fall silent: a process function with state of every kind and timers",
  doc: `Sixteen devices send heartbeats, pause, and send again. A keyed process function keeps the running
session of a device in value, list and map state, moves a timer of event time ahead of it with every heartbeat,
and reports the session when the device has been silent for 1.5 seconds. The heartbeats of a partition are in
order, so a report depends on event time alone, whatever the schedule: there is one right sequence of reports per
device. Two checkpoints may be under way at once.

Hunts: timers lost, kept or fired twice across a restore; a deletion of a timer that does not survive; list
or map state that is shared between a snapshot and the job that goes on; a watermark that runs ahead.`,
  job,
  workload,
  outputs: [{ topic: "silent-devices", partitions: 2, keyOf: (value) => (value as Silence).device }],
  cluster: THREE_WORKERS,
  budget: SURVIVES_EVERYTHING,
  ...CONFIGURED,
  parallelisms: [1, 2, 3, 4],
  confluent: true,
  sometimesWith: { ...CONCURRENT_PATHS, "at-least-once": ["a checkpoint subsumed", ...AT_LEAST_ONCE_PATHS], local: LOCAL_COPY_PATHS },
  sometimes: [
    ...RECOVERY_PATHS,
    "barriers in flight on two channels at a crash",
    "a timer fired after a restore",
  ],
});
