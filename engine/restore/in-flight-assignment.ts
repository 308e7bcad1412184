import { invariant } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import type { ChannelContents, InFlightBuffer } from "../checkpoint/channel-state.ts";
import type { VertexCheckpoint } from "../checkpoint/checkpoint-metadata.ts";
import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { SubtaskSnapshot } from "../checkpoint/snapshot-file.ts";
import type { SubtaskState } from "../checkpoint/subtask-state.ts";
import type { JobEdge, JobGraph, JobVertex } from "../graph/job-graph.ts";
import { keyGroupOf, keyGroupRange } from "../stream/key-groups.ts";

type OldSubtasks = readonly (SubtaskState | null)[];

/** A file of the checkpoint, and what of its in-flight data is taken. */
interface InFlightFile {
  readonly file: FileHandle;
  readonly side: "inputs" | "outputs";
}

/** In-flight data of one edge, as it concerns one new subtask. */
interface EdgeAssignment {
  readonly edge: JobEdge;
  /** Where it goes to: the subtask's inputs, or back to its outputs. */
  readonly side: "inputs" | "outputs";
  readonly files: readonly InFlightFile[];
  /** Old parallelism of the receiver, where the parallelism of a side changed; null: everything stays in its channel. */
  readonly rescaledFrom: number | null;
}

/** In-flight data of a checkpoint, as it is given back to one subtask: by channels of the new job. */
export interface RestoredChannels {
  readonly inputs: readonly ChannelContents[];
  readonly outputs: readonly ChannelContents[];
}

/** A subtask of the new job. */
export interface InFlightReceiver {
  readonly graph: JobGraph;
  readonly vertex: JobVertex;
  readonly subtask: number;
}

/**
 * Which in-flight data goes to one subtask of the new job (Flink: StateAssignmentOperation, channel state).
 *
 * It is decided edge by edge, whatever becomes of the vertices' own state. Where both sides of an edge have the
 * parallelism that they had, each takes its own back: the sender its output state, the receiver its input state.
 * Where either changed, the receivers take both, of all old channels: with a hash edge each the records of its
 * key groups; with a rebalance edge each some whole channels, dealt out in turn, so that the order within an
 * old channel is kept. An old channel goes into the new channel of the old sender's number (modulo), its input
 * state, which is older, before its output state; channels hand out what was restored before anything new.
 *
 * Watermarks of re-routed channels are dropped, since a channel is now a mixture of several, and a watermark of one
 * says nothing about the others. That is safe: a watermark only promises that nothing older follows, and promising
 * less never makes a record late. Operators have the watermark of their snapshot, which never goes back; sources
 * emit further watermarks as they read on, and MAX at the end. So timers may fire later than they would have,
 * never earlier, and none is lost.
 */
export class InFlightAssignment {
  readonly #receiver: InFlightReceiver;
  readonly #edges: readonly EdgeAssignment[];

  constructor(vertices: readonly VertexCheckpoint[], receiver: InFlightReceiver) {
    this.#receiver = receiver;
    const { vertex, graph, subtask } = receiver;
    this.#edges = [
      ...vertex.inputs.map((edge) => assignInput(vertices, graph, edge, subtask)),
      ...vertex.outputs.map((edge) => assignOutput(vertices, graph, edge, subtask)),
    ].filter((one) => one !== null);
  }

  /** Files that hold what the subtask gets, each once. */
  files(): readonly FileHandle[] {
    const files = new Map<string, FileHandle>();
    for (const edge of this.#edges) for (const { file } of edge.files) files.set(file.key, file);
    return [...files.values()];
  }

  channels(snapshotIn: (file: FileHandle) => SubtaskSnapshot): RestoredChannels {
    const inputs: ChannelContents[] = [];
    const outputs: ChannelContents[] = [];
    for (const { edge, side, files, rescaledFrom } of this.#edges) {
      const old = files.flatMap(({ file, side: from }) => {
        const channels = snapshotIn(file).channels?.[from] ?? [];
        return channels.filter((one) => one.edge === edge.key);
      });
      (side === "inputs" ? inputs : outputs).push(...(rescaledFrom === null ? old : this.#rerouted(edge, old, rescaledFrom)));
    }
    return { inputs, outputs };
  }

  /** `old` holds all input state before all output state. */
  #rerouted(edge: JobEdge, old: readonly ChannelContents[], oldReceivers: number): readonly ChannelContents[] {
    const { graph } = this.#receiver;
    const senders = parallelismOf(graph, edge.from);
    const isMine = this.#share(edge, oldReceivers);
    const bySender = new Map<number, InFlightBuffer[]>();
    for (const channel of old) {
      const buffers = channel.buffers.map((buffer) => recordsOf(buffer, (value) => isMine(channel, value)));
      const sender = channel.fromSubtask % senders;
      const known = bySender.get(sender) ?? [];
      known.push(...buffers.filter(({ values }) => values.length > 0));
      bySender.set(sender, known);
    }
    return [...bySender]
      .filter(([, buffers]) => buffers.length > 0)
      .sort(([left], [right]) => left - right)
      .map(([fromSubtask, buffers]) => ({ edge: edge.key, fromSubtask, toSubtask: this.#receiver.subtask, buffers }));
  }

  /** Whether a record of an old channel goes to this subtask: of all new ones, exactly one says so. */
  #share(edge: JobEdge, oldReceivers: number): (channel: ChannelContents, value: unknown) => boolean {
    const { graph, subtask } = this.#receiver;
    const receivers = parallelismOf(graph, edge.to);
    const { keySelector } = edge;
    if (edge.partitioning === "hash") {
      invariant(keySelector !== null, "a hash edge has a key selector");
      const { maxParallelism } = graph.config;
      const range = keyGroupRange(maxParallelism, receivers, subtask);
      return (_channel, value) => {
        const keyGroup = keyGroupOf(keySelector(value), maxParallelism);
        return keyGroup >= range.start && keyGroup <= range.end;
      };
    }
    return ({ fromSubtask, toSubtask }) => (fromSubtask * oldReceivers + toSubtask) % receivers === subtask;
  }
}

/**
 * Keys of edges of which the checkpoint holds in-flight data, but which the job does not have (any more), or has as
 * an edge that keeps its order with its receiver and so has no in-flight data: to restore it would lose them.
 */
export function edgesWithoutPlace(vertices: readonly VertexCheckpoint[], graph: JobGraph): readonly string[] {
  const held = new Set<string>();
  for (const { subtasks } of vertices) {
    for (const state of subtasks) {
      for (const key of state?.inFlight?.inputs ?? []) held.add(key);
      for (const key of state?.inFlight?.outputs ?? []) held.add(key);
    }
  }
  for (const { key, partitioning } of graph.edges) {
    if (partitioning === "hash" || partitioning === "rebalance") held.delete(key);
  }
  return [...held];
}

function assignInput(vertices: readonly VertexCheckpoint[], graph: JobGraph, edge: JobEdge, subtask: number): EdgeAssignment | null {
  const old = oldSides(vertices, graph, edge);
  if (old === null) return null;
  if (!old.isRescaled) return { edge, side: "inputs", files: filesOf(old.receivers.slice(subtask, subtask + 1), "inputs", edge), rescaledFrom: null };
  const files = [...filesOf(old.receivers, "inputs", edge), ...filesOf(old.senders, "outputs", edge)];
  return { edge, side: "inputs", files, rescaledFrom: old.receivers.length };
}

function assignOutput(vertices: readonly VertexCheckpoint[], graph: JobGraph, edge: JobEdge, subtask: number): EdgeAssignment | null {
  const old = oldSides(vertices, graph, edge);
  if (old === null || old.isRescaled) return null;
  return { edge, side: "outputs", files: filesOf(old.senders.slice(subtask, subtask + 1), "outputs", edge), rescaledFrom: null };
}

/** The subtasks that the two sides of an edge had; null where one of them is new. */
function oldSides(
  vertices: readonly VertexCheckpoint[],
  graph: JobGraph,
  edge: JobEdge,
): { readonly senders: OldSubtasks; readonly receivers: OldSubtasks; readonly isRescaled: boolean } | null {
  const from = vertexOf(graph, edge.from).chain.find((node) => node.id === edge.fromNode);
  const to = vertexOf(graph, edge.to).chain[0];
  invariant(from !== undefined && to !== undefined, "an edge leads from a node of a chain to the head of one");
  const senders = vertices.find(({ uids }) => uids.includes(from.uid))?.subtasks;
  const receivers = vertices.find(({ uids }) => uids.includes(to.uid))?.subtasks;
  if (senders === undefined || receivers === undefined) return null;
  const isRescaled = senders.length !== parallelismOf(graph, edge.from) || receivers.length !== parallelismOf(graph, edge.to);
  return { senders, receivers, isRescaled };
}

function filesOf(subtasks: OldSubtasks, side: "inputs" | "outputs", edge: JobEdge): InFlightFile[] {
  const files: InFlightFile[] = [];
  for (const state of subtasks) {
    if (state === null || state.file === null || state.inFlight?.[side].includes(edge.key) !== true) continue;
    files.push({ file: state.file, side });
  }
  return files;
}

/** The records of a buffer that are wanted, without what came between them. */
function recordsOf(buffer: InFlightBuffer, isWanted: (value: unknown) => boolean): InFlightBuffer {
  const values: unknown[] = [];
  const timestamps: TimestampMs[] = [];
  buffer.values.forEach((value, i) => {
    if (!isWanted(value)) return;
    values.push(value);
    timestamps.push(buffer.timestamps[i] as TimestampMs);
  });
  return { values, timestamps, watermarkMs: null };
}

function vertexOf(graph: JobGraph, id: number): JobVertex {
  const vertex = graph.vertices[id];
  invariant(vertex !== undefined, "edges connect vertices of the graph");
  return vertex;
}

function parallelismOf(graph: JobGraph, id: number): number {
  return vertexOf(graph, id).parallelism;
}
