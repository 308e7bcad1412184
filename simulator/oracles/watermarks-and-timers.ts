import type { CheckpointId, TimestampMs } from "../../engine/base/units.ts";
import { present } from "../../engine/base/assert.ts";
import { MAX_WATERMARK, MIN_WATERMARK } from "../../engine/base/units.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { StreamFrame } from "../../engine/runtime/buffer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { NetworkObserver, ObservedConnection } from "../hosts/service-observers.ts";
import type { SimProcess } from "../world/kernel.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import { channelsIn } from "./in-flight.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import { vertexOf } from "./recorded-state.ts";
import { keepsInFlight } from "./reference-state-prefix.ts";
import type { TaskAttempt } from "./task-attempts.ts";
import { TaskAttempts } from "./task-attempts.ts";
import { WindowFirings } from "./watermarks-and-timers-windows.ts";

/** What arrived over one channel. */
interface Channel {
  sentMs: TimestampMs;
  deliveredMs: TimestampMs;
  /** It announced idleness at least once. */
  wasIdle: boolean;
}

/** Event time of one attempt of a subtask. */
interface EventTime {
  readonly channels: Channel[];
  watermarkMs: TimestampMs;
  /** Watermark of its keyed state when it was restored. */
  floorMs: TimestampMs;
  /** Greatest event timer that fired since the watermark last advanced. */
  firedMs: TimestampMs;
}

/**
 * Watermarks and timers: event time never goes back and never runs ahead.
 *
 * - The watermark of a subtask rises strictly within an attempt, and after a restore it is never below the
 *   watermark of the state that was restored. Over one channel watermarks never fall.
 * - A subtask's watermark is not ahead of its input: not greater than the least that arrived over the channels
 *   that were never idle (than the greatest of all where each was idle once), watermarks among the in-flight data
 *   that it was restored with counting as arrived.
 * - No event timer fires early: its timestamp is at most the watermark that is being delivered.
 * - The timers of a window fire once: the same key and timestamp twice only where two windows of the key have
 *   a timer there; what a restore took back does not count.
 *
 * Seen from the points watermarkAdvanced and timerFired, frames, and the key that is current in the live
 * backend when a timer fires; the restored watermark is read from the live backend (restore fidelity holds it
 * against the durable bytes). Not seen: the watermark that a source makes from its records; timers of process
 * functions that fire twice (a function may register a timer again at any time); timers that never fire (the
 * data oracles see what they should have emitted); operators that share their name with another; channels
 * that are idle at times do not hold the bound.
 *
 * Allowed for: the point watermarkAdvanced comes only after all due timers fired, in later steps if they are
 * many, or not at all if the task ends before.
 */
export const watermarksAndTimersOracle: OracleKind = {
  name: "watermarks and timers",
  create: (context) => new WatermarksAndTimers(context),
};

class WatermarksAndTimers implements Oracle, NetworkObserver<ControlMessage, StreamFrame> {
  readonly name: string = watermarksAndTimersOracle.name;
  readonly #context: OracleContext;
  readonly #tasks: TaskAttempts;
  readonly #windows: WindowFirings;
  /** By number of the task attempt. */
  readonly #times: (EventTime | undefined)[] = [];
  /** By number of the connection. */
  readonly #channels: (Channel | undefined)[] = [];

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph } = context;
    this.#tasks = TaskAttempts.of(world, graph);
    this.#windows = new WindowFirings(context);
    world.networkObservers.push(this);
    const { kernel } = world;
    kernel.on(TRACE.taskRestored, (process, subject, _attempt, checkpointId) => this.#restored(process, subject, checkpointId));
    kernel.on(TRACE.watermarkAdvanced, (process, subject, watermarkMs) => {
      const task = this.#tasks.find(process, subject);
      if (task !== null) this.#advanced(task, watermarkMs);
    });
    kernel.on(TRACE.timerFired, (process, subject, timestampMs, domain) => {
      if (process !== null && domain === 0) this.#fired(process, subject, timestampMs);
    });
    kernel.on(TRACE.bufferConsumed, (process, subject) => this.#checkFired(process, subject));
    kernel.on(TRACE.snapshotTaken, (process, subject, checkpointId) => {
      this.#checkFired(process, subject);
      const task = this.#tasks.find(process, subject);
      if (task !== null) this.#windows.snapshotTaken(task, checkpointId);
    });
  }

  onConnectionAccepted(connection: ObservedConnection<ControlMessage>): void {
    const { hello, acceptedBy, number } = connection;
    if (hello.kind !== "open-channel" || acceptedBy === null) return;
    const task = this.#tasks.findByPlace(acceptedBy, hello.toVertex, hello.toSubtask);
    if (task === null || task.attempt !== hello.attempt) return;
    const channel = this.#channelOf(number);
    channel.deliveredMs = Math.max(channel.deliveredMs, this.#inFlightMs(task, hello.edge, hello.fromSubtask));
    this.#timeOf(task).channels.push(channel);
  }

  onFrameSent(connection: ObservedConnection<ControlMessage>, forward: boolean, frame: StreamFrame): void {
    if (!forward || frame.kind !== "buffer" || frame.event === null || frame.event.kind !== "watermark") return;
    const channel = this.#channelOf(connection.number);
    const { watermarkMs } = frame.event;
    if (watermarkMs < channel.sentMs) {
      const { kernel } = this.#context.world;
      this.#context.report(`${kernel.nameOf(connection.hello.subject)} sends the watermark ${watermarkMs} after ${channel.sentMs} over one channel`);
    }
    channel.sentMs = watermarkMs;
  }

  onFrameDelivered(connection: ObservedConnection<ControlMessage>, forward: boolean, frame: StreamFrame): void {
    if (!forward || frame.kind !== "buffer" || frame.event === null) return;
    const { event } = frame;
    if (event.kind === "watermark") {
      const channel = this.#channelOf(connection.number);
      if (event.watermarkMs > channel.deliveredMs) channel.deliveredMs = event.watermarkMs;
    } else if (event.kind === "idle") this.#channelOf(connection.number).wasIdle = true;
  }

  finish(): void {}

  /** The watermark in what a task took back as in flight in one of its channels, as long as its parallelism stays. */
  #inFlightMs({ restoredFrom, attempt, subtask }: TaskAttempt, edgeId: number, fromSubtask: number): TimestampMs {
    const records = CheckpointRecords.of(this.#context.world);
    const record = records.byId(restoredFrom);
    const { edges, vertices } = this.#tasks.graphOf(attempt);
    const edge = edges[edgeId];
    if (record === null || edge === undefined || !keepsInFlight(this.#context.world.options.options.mode)) return MIN_WATERMARK;
    for (const id of [edge.from, edge.to]) {
      const { chain, parallelism } = present(vertices[id], "edges connect vertices");
      if (vertexOf(record, chain[0]?.uid ?? "")?.subtasks.length !== parallelism) return MIN_WATERMARK;
    }
    const channels = channelsIn(record, records).flatMap(({ inputs }) => inputs);
    const own = channels.filter((one) => one.edge === edge.key && one.fromSubtask === fromSubtask && one.toSubtask === subtask);
    return own.flatMap(({ buffers }) => buffers).reduce((latest, { watermarkMs }) => Math.max(latest, watermarkMs ?? MIN_WATERMARK), MIN_WATERMARK);
  }

  #restored(process: SimProcess | null, subject: number, checkpointId: CheckpointId): void {
    const task = this.#tasks.find(process, subject);
    if (task === null) return;
    this.#windows.restored(task, checkpointId);
    const living = this.#context.world.processNamed(task.process.name);
    if (living === null || living.kind !== "worker") return;
    const live = living.engine.tasks.find((one) => one.subject === subject && one.id.attempt === task.attempt);
    if (live === undefined) return;
    const time = this.#timeOf(task);
    for (const { keyed } of live.chain.operators) {
      if (keyed !== null && keyed.watermarkMs > time.floorMs) time.floorMs = keyed.watermarkMs;
    }
  }

  #advanced(task: TaskAttempt, watermarkMs: TimestampMs): void {
    const time = this.#timeOf(task);
    if (watermarkMs <= time.watermarkMs) this.#report(task, `the watermark goes from ${time.watermarkMs} to ${watermarkMs}`);
    if (watermarkMs < time.floorMs) {
      this.#report(task, `the watermark is ${watermarkMs}, below ${time.floorMs} of checkpoint ${task.restoredFrom}`);
    }
    if (time.firedMs > watermarkMs) {
      this.#report(task, `an event timer at ${time.firedMs} fired when the watermark advanced to ${watermarkMs}`);
    }
    const boundMs = boundOf(time.channels);
    if (watermarkMs > boundMs) this.#report(task, `the watermark is ${watermarkMs}, but its input has only reached ${boundMs}`);
    time.watermarkMs = watermarkMs;
    time.firedMs = MIN_WATERMARK;
  }

  #fired(process: SimProcess, subject: number, timestampMs: TimestampMs): void {
    const task = this.#tasks.findByOperator(process, subject);
    if (task === null) return;
    const time = this.#timeOf(task);
    if (timestampMs > time.firedMs) time.firedMs = timestampMs;
    this.#windows.fired(task, subject, timestampMs);
  }

  /** When something else begins, the watermark for which timers fired has been delivered. */
  #checkFired(process: SimProcess | null, subject: number): void {
    const task = this.#tasks.find(process, subject);
    const time = task === null ? undefined : this.#times[task.number];
    if (task === null || time === undefined || time.firedMs <= time.watermarkMs || time.firedMs <= time.floorMs) return;
    this.#report(task, `an event timer at ${time.firedMs} fired while the watermark was ${Math.max(time.watermarkMs, time.floorMs)}`);
    time.firedMs = MIN_WATERMARK;
  }

  #report({ subject, attempt }: TaskAttempt, what: string): void {
    this.#context.report(`${this.#context.world.kernel.nameOf(subject)}, attempt ${attempt}: ${what}`);
  }

  #timeOf(task: TaskAttempt): EventTime {
    let time = this.#times[task.number];
    if (time === undefined) {
      time = { channels: [], watermarkMs: MIN_WATERMARK, floorMs: MIN_WATERMARK, firedMs: MIN_WATERMARK };
      this.#times[task.number] = time;
    }
    return time;
  }

  #channelOf(number: number): Channel {
    let channel = this.#channels[number];
    if (channel === undefined) {
      channel = { sentMs: MIN_WATERMARK, deliveredMs: MIN_WATERMARK, wasIdle: false };
      this.#channels[number] = channel;
    }
    return channel;
  }
}

/** The watermark that the input can justify at most; MAX where there is no input. */
function boundOf(channels: readonly Channel[]): TimestampMs {
  if (channels.length === 0) return MAX_WATERMARK;
  let least: TimestampMs = MAX_WATERMARK;
  let greatest: TimestampMs = MIN_WATERMARK;
  let constant = false;
  for (const { deliveredMs, wasIdle } of channels) {
    if (deliveredMs > greatest) greatest = deliveredMs;
    if (wasIdle) continue;
    constant = true;
    if (deliveredMs < least) least = deliveredMs;
  }
  return constant ? least : greatest;
}
