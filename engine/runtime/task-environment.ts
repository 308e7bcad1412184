import { present } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import type { DeclineCause } from "../checkpoint/checkpoint-failure-manager.ts";
import type { SubtaskState } from "../checkpoint/subtask-state.ts";
import type { TaskSharedFiles } from "../checkpoint/task-shared-files.ts";
import type { TaskLocalState } from "../checkpoint/task-local-state.ts";
import type { JobEdge, JobGraph, JobVertex } from "../graph/job-graph.ts";
import { mayOvertake } from "../graph/overtaking.ts";
import type { JobConfig } from "../graph/stream-graph.ts";
import type { ChainEnvironment, EdgeWriter, OperatorChain } from "../operators/operator-chain.ts";
import { createChain } from "../operators/operator-chain.ts";
import type { Connection, ConnectionHandlers } from "../ports/network.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { RestoreRequest, RestoreStrategy } from "../restore/restore-strategy.ts";
import { createKeyedBackend } from "../state/backends/create-keyed-backend.ts";
import type { StateLibraries } from "../state/backends/state-libraries.ts";
import type { StateBackendConfig } from "../state/state-backend.ts";
import { OperatorStateBackend } from "../state/operator-state-backend.ts";
import { keyGroupRange } from "../stream/key-groups.ts";
import type { StreamFrame } from "./buffer.ts";
import type { InputChannelPlace } from "./input-channel.ts";
import type { TaskDescriptor, TaskState } from "./messages.ts";
import { OutputChannel } from "./output-channel.ts";
import { createRecordWriter } from "./record-writer.ts";
import { TaskOutput, type OutputTask } from "./task-output.ts";

/** What a task gets from its TaskManager. */
export interface TaskEnvironment {
  readonly ports: ProcessPorts;
  readonly graph: JobGraph;
  readonly vertex: JobVertex;
  readonly config: JobConfig;
  readonly descriptor: TaskDescriptor;
  readonly restoreStrategy: RestoreStrategy;
  /** Null: this job keeps no copies on the host. */
  readonly localState: TaskLocalState | null;
  /** Null: the job's checkpoints share no files. */
  readonly sharedFiles: TaskSharedFiles | null;
  readonly storagePrefix: string;
  readonly stateBackend: StateBackendConfig;
  readonly libraries: StateLibraries;
  /** Where disk backends make their directories; asked for by those alone. */
  stateDirectory(): string;
  connect(channel: OutputChannel, handlers: ConnectionHandlers<StreamFrame>): Connection<StreamFrame>;
  report(state: TaskState, reason: string): void;
  acknowledge(checkpointId: CheckpointId, state: SubtaskState | null, inputEnded: boolean): void;
  decline(checkpointId: CheckpointId, cause: DeclineCause, reason: string): void;
}

/** Subtasks on the other side of an edge that a subtask has a channel to: all, or its own index. */
function peers(edge: JobEdge, otherParallelism: number, subtask: number): readonly number[] {
  if (edge.partitioning === "forward") return [subtask];
  const all: number[] = [];
  for (let index = 0; index < otherParallelism; index += 1) all.push(index);
  return all;
}

function vertexOf(graph: JobGraph, id: number): JobVertex {
  return present(graph.vertices[id], "edges connect vertices of the graph");
}

export function inputChannelPlaces({ vertex, graph, descriptor }: TaskEnvironment): readonly InputChannelPlace[] {
  const places: InputChannelPlace[] = [];
  const toSubtask = descriptor.id.subtask;
  for (const edge of vertex.inputs) {
    const upstream = vertexOf(graph, edge.from).parallelism;
    for (const fromSubtask of peers(edge, upstream, toSubtask)) {
      const name = { edge: edge.key, fromSubtask, toSubtask };
      places.push({ index: places.length, edge: edge.id, name, input: edge.input });
    }
  }
  return places;
}

export function buildTaskOutput(environment: TaskEnvironment, task: OutputTask): TaskOutput {
  const { graph, vertex, config, descriptor } = environment;
  const fromSubtask = descriptor.id.subtask;
  const channels: OutputChannel[] = [];
  const writers = new Map<number, EdgeWriter>();
  for (const edge of vertex.outputs) {
    const downstream = vertexOf(graph, edge.to).parallelism;
    const overtaking = mayOvertake(graph, edge);
    const own = peers(edge, downstream, fromSubtask).map((toSubtask) => {
      const name = { edge: edge.key, fromSubtask, toSubtask };
      return new OutputChannel(edge.id, name, config.bufferElements, overtaking);
    });
    channels.push(...own);
    writers.set(edge.id, createRecordWriter(edge, own, fromSubtask, config.maxParallelism));
  }
  return new TaskOutput(channels, writers, task);
}

export function buildTaskChain(
  environment: TaskEnvironment,
  output: TaskOutput,
  fail: (reason: string) => void,
): OperatorChain {
  const { ports, vertex, config, descriptor } = environment;
  const { subtask, attempt } = descriptor.id;
  const range = keyGroupRange(config.maxParallelism, vertex.parallelism, subtask);
  const chainEnvironment: ChainEnvironment = {
    ports,
    subtaskIndex: subtask,
    parallelism: vertex.parallelism,
    maxParallelism: config.maxParallelism,
    attempt,
    highestParallelism: descriptor.highestParallelism,
    restoredFrom: ({ uid }) => restoredFrom(descriptor.restore, uid),
    edgeWriter: (edge) => output.writerOf(edge),
    keyedBackend: (node) =>
      createKeyedBackend({
        config: environment.stateBackend,
        range,
        maxParallelism: config.maxParallelism,
        tieBreak: ports.rng.stream(`timer-ties:${node.uid}:${subtask}:${attempt}`),
        libraries: environment.libraries,
        nowMs: () => ports.clock.processingTimeMs(),
        disk: ports.disk,
        directory: () => `${environment.stateDirectory()}/n${node.id}-s${subtask}`,
        storeId: `n${node.id}-s${subtask}-a${attempt}`,
        random: () => ports.rng.stream(`state-backend:${node.uid}:${subtask}:${attempt}`),
      }),
    listState: () => new OperatorStateBackend(),
    subjectOf: (node) => ports.tracer.intern(`${node.name}[${subtask}]`),
    fail,
  };
  return createChain(vertex, chainEnvironment);
}

/** Null where the checkpoint does not know the operator. */
function restoredFrom(restore: RestoreRequest | null, uid: string): CheckpointId | null {
  if (restore === null || !restore.vertices.some(({ uids }) => uids.includes(uid))) return null;
  return restore.checkpointId;
}
