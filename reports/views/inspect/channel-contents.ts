import { unreachable } from "../../../engine/base/assert.ts";
import type { TimestampMs } from "../../../engine/base/units.ts";
import type { JobEdge, JobGraph } from "../../../engine/graph/job-graph.ts";
import type { Buffer, ChannelEvent, StreamFrame } from "../../../engine/runtime/buffer.ts";
import type { OutputChannel } from "../../../engine/runtime/output-channel.ts";
import { visible } from "../../text/visible.ts";
import { watermarkText } from "../event-time-text.ts";
import type { LiveTask, Wire } from "./live-tasks.ts";
import { wireKey } from "./live-tasks.ts";

/** Where in a channel something is, from its receiver to its sender. */
export type ChannelPart = "restored" | "waiting" | "on the wire" | "backlog" | "collecting";

/** A record, or what stands between records, as it is in a channel. */
export type ChannelElement =
  | { readonly kind: "record"; readonly part: ChannelPart; readonly record: unknown; readonly timestampMs: TimestampMs | null }
  | { readonly kind: "event"; readonly part: ChannelPart; readonly text: string; readonly isBarrier: boolean };

/** One channel, from both of its ends as far as these live. */
export interface ChannelState {
  /** Key of the edge: the uids of both ends. */
  readonly edge: string;
  readonly from: string;
  readonly to: string;
  /** Its barrier came first: what waits has to wait. Null: the receiver does not live. */
  readonly isBlocked: boolean | null;
  /** Buffers that the sender may still send; null: the sender does not live. */
  readonly credit: number | null;
  readonly isBroken: boolean;
  /** The next to be processed first. */
  readonly elements: readonly ChannelElement[];
}

export interface ChannelEnds {
  readonly edge: JobEdge;
  readonly fromSubtask: number;
  readonly toSubtask: number;
  readonly attempt: number;
  readonly sender: LiveTask | null;
  readonly receiver: LiveTask | null;
}

/** The channels into a task, with the tasks of the same attempt at their other ends. */
export function channelsInto(live: LiveTask, graph: JobGraph, tasks: readonly LiveTask[]): readonly ChannelEnds[] {
  const { attempt, subtask } = live.task.id;
  return (live.task.input?.gate.channels ?? []).flatMap(({ name, fromSubtask }) => {
    const edge = graph.edges.find(({ key }) => key === name.edge);
    if (edge === undefined) return [];
    const sender = tasks.find(({ task: { id } }) => id.attempt === attempt && id.vertex === edge.from && id.subtask === fromSubtask) ?? null;
    return [{ edge, fromSubtask, toSubtask: subtask, attempt, sender, receiver: live }];
  });
}

/** The channels out of a task. */
export function channelsOutOf(live: LiveTask, graph: JobGraph, tasks: readonly LiveTask[]): readonly ChannelEnds[] {
  const { attempt, subtask } = live.task.id;
  return live.task.output.channels.flatMap(({ name, toSubtask }) => {
    const edge = graph.edges.find(({ key }) => key === name.edge);
    if (edge === undefined) return [];
    const receiver = tasks.find(({ task: { id } }) => id.attempt === attempt && id.vertex === edge.to && id.subtask === toSubtask) ?? null;
    return [{ edge, fromSubtask: subtask, toSubtask, attempt, sender: live, receiver }];
  });
}

export function channelState(ends: ChannelEnds, graph: JobGraph, wires: ReadonlyMap<string, Wire>): ChannelState {
  const { edge, fromSubtask, toSubtask, attempt, sender, receiver } = ends;
  const input = receiver?.task.input?.gate.channels.find((one) => one.name.edge === edge.key && one.fromSubtask === fromSubtask) ?? null;
  const output = sender?.task.output.channels.find((one) => one.name.edge === edge.key && one.toSubtask === toSubtask)?.inspect() ?? null;
  const wire = wires.get(wireKey(attempt, edge.id, fromSubtask, toSubtask));
  const restored = input?.restored() ?? [];
  const arrived = input?.waiting().slice(restored.length) ?? [];
  const nameOf = (vertex: number, subtask: number): string => `${graph.vertices[vertex]?.name ?? "?"}[${subtask}]`;
  return {
    edge: edge.key,
    from: nameOf(edge.from, fromSubtask),
    to: nameOf(edge.to, toSubtask),
    isBlocked: input?.blocked ?? null,
    credit: output?.credit ?? null,
    isBroken: wire?.isBroken ?? false,
    elements: [
      ...restored.flatMap((buffer) => elementsOf(buffer, "restored")),
      ...arrived.flatMap((buffer) => elementsOf(buffer, "waiting")),
      ...(wire?.frames ?? []).flatMap(frameElements),
      ...unsent(output),
    ],
  };
}

function unsent(output: ReturnType<OutputChannel["inspect"]> | null): readonly ChannelElement[] {
  if (output === null) return [];
  const collecting = output.collecting.map((record): ChannelElement => ({ kind: "record", part: "collecting", record, timestampMs: null }));
  return [...output.backlog.flatMap((buffer) => elementsOf(buffer, "backlog")), ...collecting];
}

function frameElements(frame: StreamFrame): readonly ChannelElement[] {
  switch (frame.kind) {
    case "buffer":
      return elementsOf(frame, "on the wire");
    case "barrier":
      return [{ kind: "event", part: "on the wire", text: `barrier ${frame.barrier.checkpointId}, which overtakes`, isBarrier: true }];
    case "credit":
      return [];
    default:
      return unreachable(frame, "frameElements");
  }
}

function elementsOf({ values, timestamps, event }: Buffer, part: ChannelPart): readonly ChannelElement[] {
  const records = values.map((record, i): ChannelElement => ({ kind: "record", part, record, timestampMs: timestamps[i] ?? null }));
  if (event === null) return records;
  return [...records, { kind: "event", part, text: eventText(event), isBarrier: event.kind === "barrier" }];
}

function eventText(event: ChannelEvent): string {
  switch (event.kind) {
    case "barrier":
      return `barrier ${event.checkpointId}${event.isSavepoint ? " of a savepoint" : ""}${event.alignment === "aligned" ? "" : `, ${visible(event.alignment)}`}`;
    case "cancel-barrier":
      return `checkpoint ${event.checkpointId} given up`;
    case "watermark":
      return `watermark ${watermarkText(event.watermarkMs)}`;
    case "idle":
      return event.idle ? "idle" : "active again";
    case "end-of-input":
      return "end of input";
    case "end-of-partition":
      return "end of partition";
    default:
      return unreachable(event, "eventText");
  }
}
