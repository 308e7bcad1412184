import { present } from "../../engine/base/assert.ts";
import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import type { JobGraph, JobVertex, VertexId } from "../../engine/graph/job-graph.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { ControlMessage, TaskDescriptor } from "../../engine/runtime/messages.ts";
import type { NetworkObserver } from "../hosts/service-observers.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { World } from "../world/world.ts";

/** One attempt of one subtask, as deployed in one process. */
export interface TaskAttempt {
  /** 0, 1, 2 … in the order in which they were deployed. */
  readonly number: number;
  readonly process: SimProcess;
  readonly subject: number;
  readonly attempt: number;
  /** In the graph of that attempt: another one may have another parallelism, and chains of its own. */
  readonly vertex: JobVertex;
  readonly subtask: number;
  /** "over": finished, failed or cancelled (a dead process says nothing: see `process.alive`). */
  phase: "deployed" | "restoring" | "restored" | "over";
  /** Checkpoint that it was restored from; -1 for none, also before it was restored. */
  restoredFrom: number;
}

/** One subtask of an operator, in whatever attempt. */
export interface OperatorPlace {
  readonly uid: string;
  readonly subtask: number;
}

const NONE: readonly TaskAttempt[] = [];

/**
 * Which task a trace point speaks of. Points carry the process and the name of the subtask; deploy-task
 * messages and the point taskDeployed say which attempt of it lives there, and with which parallelism. At most
 * one attempt of a subtask lives in a process: a worker forgets an older one when it gets a newer.
 */
export class TaskAttempts implements NetworkObserver<ControlMessage> {
  /** All ever deployed, by number. */
  readonly all: TaskAttempt[] = [];
  /** Highest attempt of which any task was ever deployed. */
  highestAttempt = 0;
  readonly #world: World;
  /** With the parallelism that the job begins with. */
  readonly #firstGraph: JobGraph;
  /** By version of the job and parallelism. */
  readonly #graphs: Map<string, JobGraph> = new Map();
  /** By attempt. */
  readonly #graphOfAttempt: Map<number, JobGraph> = new Map();
  /** By subject of a subtask: what was delivered last for it, attempt by attempt. */
  readonly #descriptors: (Map<number, TaskDescriptor> | undefined)[] = [];
  /** By subject of a subtask. */
  readonly #highestOfSubject: (number | undefined)[] = [];
  /** By vertex and subtask: its attempts, ascending, each once. */
  readonly #attemptsOfPlace: Map<string, number[]> = new Map();
  readonly #producers: Map<string, OperatorPlace | null> = new Map();
  /** By subject of a subtask: the latest in each process, dead ones too: what they asked for may still take effect. */
  readonly #bySubject: (TaskAttempt[] | undefined)[] = [];
  /** By subject of an operator's subtask ("sum[1]"): subjects of the tasks that it runs in, as far as deployed. */
  #tasksOfOperator: (readonly number[] | undefined)[] = [];

  private constructor(world: World, graph: StreamGraph) {
    this.#world = world;
    this.#firstGraph = buildJobGraph(graph);
    const { kernel } = world;
    kernel.on(TRACE.taskDeployed, (process, subject, attempt) => {
      if (process !== null) this.#deployed(process, subject, attempt);
    });
    kernel.on(TRACE.taskRestoreStarted, (process, subject) => this.#moved(process, subject, "restoring", -1));
    kernel.on(TRACE.taskRestored, (process, subject, _attempt, from) => this.#moved(process, subject, "restored", from));
    for (const kind of [TRACE.taskFinished, TRACE.taskFailed, TRACE.taskCancelled]) {
      kernel.on(kind, (process, subject, attempt) => this.#over(process, subject, attempt));
    }
  }

  /** The one of this World; made, and subscribed, at the first call. */
  static of(world: World, graph: StreamGraph): TaskAttempts {
    for (const observer of world.networkObservers) if (observer instanceof TaskAttempts) return observer;
    const made = new TaskAttempts(world, graph);
    world.networkObservers.push(made);
    return made;
  }

  onCallDelivered(_call: number, _from: Address, _to: SimProcess, message: ControlMessage): void {
    if (message.kind !== "deploy-task") return;
    const { descriptor, subject } = message;
    const descriptors = (this.#descriptors[subject] ??= new Map());
    descriptors.set(descriptor.id.attempt, descriptor);
    this.#graphOfAttempt.set(descriptor.id.attempt, this.#graphWith(descriptor.parallelism ?? this.#world.options.options.parallelism));
  }

  /** The job as an attempt runs it; as it begins, for one that nothing is known of. */
  graphOf(attempt: number): JobGraph {
    return this.#graphOfAttempt.get(attempt) ?? this.#firstGraph;
  }

  /** False for a task that the job has put another one in place of, or has none in place of any more. */
  isCurrent({ subject, attempt }: TaskAttempt): boolean {
    const isByRegion = this.#world.options.options.failover !== "job";
    return attempt === (isByRegion ? this.#highestOfSubject[subject] : this.highestAttempt);
  }

  /** True where a later attempt of this subtask, or of the whole job where that fails over as one, was deployed. */
  isReplaced(subject: number, attempt: number): boolean {
    const isByRegion = this.#world.options.options.failover !== "job";
    return attempt < (isByRegion ? (this.#highestOfSubject[subject] ?? 0) : this.highestAttempt);
  }

  /** True for an attempt of which some task has not been replaced by a later one. */
  isLatestOfAny(attempt: number): boolean {
    return this.#highestOfSubject.includes(attempt);
  }

  /**
   * The attempt in which a subtask takes part in the checkpoints of `attempt`, which is the latest of any task's:
   * where regions fail over alone, other tasks go on in the attempts that they had.
   */
  attemptIn(attempt: number, vertex: VertexId, subtask: number): number {
    if (this.#world.options.options.failover === "job") return attempt;
    const attempts = this.#attemptsOfPlace.get(`${vertex}:${subtask}`) ?? [];
    return attempts.findLast((one) => one <= attempt) ?? attempt;
  }

  /** The latest attempt of the subtask in that process; null where there is none. */
  find(process: SimProcess | null, subject: number): TaskAttempt | null {
    const tasks = this.#bySubject[subject];
    if (tasks === undefined) return null;
    for (let i = 0; i < tasks.length; i += 1) if (tasks[i]?.process === process) return tasks[i] as TaskAttempt;
    return null;
  }

  /** The same by the name of one of its operators; null also where two operators of the job share the name. */
  findByOperator(process: SimProcess | null, subject: number): TaskAttempt | null {
    const subjects = (this.#tasksOfOperator[subject] ??= this.#resolveOperator(this.#world.kernel.nameOf(subject)));
    return latestOf(subjects.map((one) => this.find(process, one)));
  }

  /** The latest attempt of a subtask in that process. */
  findByPlace(process: SimProcess, vertex: VertexId, subtask: number): TaskAttempt | null {
    return this.#latestIn(process, (task) => task.vertex.id === vertex && task.subtask === subtask);
  }

  /** The latest attempt in that process of the task that runs this subtask of an operator. */
  findByUid(process: SimProcess, { uid, subtask }: OperatorPlace): TaskAttempt | null {
    return this.#latestIn(process, (task) => task.subtask === subtask && task.vertex.chain.some((node) => node.uid === uid));
  }

  /**
   * The latest attempt in that process of a task that may act for a producer: the sink's own subtask, or, in an
   * attempt that has no such subtask any more, whichever settles what that one left behind.
   */
  findByProducer(process: SimProcess, place: OperatorPlace): TaskAttempt | null {
    const isSettling = ({ vertex }: TaskAttempt): boolean =>
      vertex.parallelism <= place.subtask && vertex.chain.some((node) => node.uid === place.uid);
    return latestOf([this.findByUid(process, place), this.#latestIn(process, isSettling)]);
  }

  /**
   * The sink that writes as this producer ("<prefix>/<uid of the sink>-<subtask>"); null where not exactly one
   * sink of the job can be meant.
   */
  placeOfProducer(producerId: string): OperatorPlace | null {
    const known = this.#producers.get(producerId);
    if (known !== undefined) return known;
    const dash = producerId.lastIndexOf("-");
    const owner = producerId.slice(0, dash);
    const places: OperatorPlace[] = [];
    for (const { chain } of this.#firstGraph.vertices) {
      for (const node of chain) {
        if (node.kind === "sink" && owner.endsWith(`/${node.uid}`)) places.push({ uid: node.uid, subtask: Number(producerId.slice(dash + 1)) });
      }
    }
    const place = places.length === 1 ? (places[0] as OperatorPlace) : null;
    this.#producers.set(producerId, place);
    return place;
  }

  /** Tasks that were not over when last heard of, in that process. */
  runningIn(process: SimProcess): readonly TaskAttempt[] {
    let found: TaskAttempt[] | null = null;
    for (const tasks of this.#bySubject) {
      if (tasks === undefined) continue;
      for (const task of tasks) if (task.process === process && task.phase !== "over") (found ??= []).push(task);
    }
    return found ?? NONE;
  }

  #latestIn(process: SimProcess, isIt: (task: TaskAttempt) => boolean): TaskAttempt | null {
    const found: TaskAttempt[] = [];
    for (const tasks of this.#bySubject) {
      for (const task of tasks ?? NONE) if (task.process === process && isIt(task)) found.push(task);
    }
    return latestOf(found);
  }

  #deployed(process: SimProcess, subject: number, attempt: number): void {
    const descriptor = this.#descriptors[subject]?.get(attempt);
    if (descriptor === undefined) return;
    const { subtask } = descriptor.id;
    const vertex = present(this.graphOf(attempt).vertices[descriptor.id.vertex], "a task is of a vertex of its job");
    const number = this.all.length;
    const task: TaskAttempt = { number, process, subject, attempt, vertex, subtask, phase: "deployed", restoredFrom: -1 };
    this.all.push(task);
    this.highestAttempt = Math.max(this.highestAttempt, attempt);
    this.#highestOfSubject[subject] = Math.max(this.#highestOfSubject[subject] ?? 0, attempt);
    this.#addAttempt(`${vertex.id}:${subtask}`, attempt);
    const others = (this.#bySubject[subject] ?? []).filter((one) => one.process !== process);
    this.#bySubject[subject] = [task, ...others];
    this.#tasksOfOperator = [];
  }

  #addAttempt(place: string, attempt: number): void {
    const attempts = this.#attemptsOfPlace.get(place) ?? [];
    this.#attemptsOfPlace.set(place, attempts);
    if (attempts.includes(attempt)) return;
    attempts.push(attempt);
    attempts.sort((left, right) => left - right);
  }

  #moved(process: SimProcess | null, subject: number, phase: TaskAttempt["phase"], restoredFrom: number): void {
    const task = this.find(process, subject);
    if (task === null || task.phase === "over") return;
    task.phase = phase;
    task.restoredFrom = restoredFrom;
  }

  #over(process: SimProcess | null, subject: number, attempt: number): void {
    const task = this.find(process, subject);
    if (task !== null && task.attempt === attempt) task.phase = "over";
  }

  /** Subjects of the tasks whose chain holds the operator; none where it is not the only one of its name. */
  #resolveOperator(name: string): readonly number[] {
    const open = name.lastIndexOf("[");
    const operator = name.slice(0, open);
    const subtask = Number(name.slice(open + 1, -1));
    const subjects = new Set<number>();
    for (const { vertex, subject, subtask: own } of this.all) {
      if (own === subtask && vertex.chain.some((node) => node.name === operator)) subjects.add(subject);
    }
    for (const { vertices } of this.#graphs.values()) {
      if (vertices.flatMap(({ chain }) => chain).filter((node) => node.name === operator).length > 1) return [];
    }
    return [...subjects];
  }

  #graphWith(parallelism: number): JobGraph {
    const key = `${this.#world.upgrades}/${parallelism}`;
    const graph = this.#graphs.get(key) ?? buildJobGraph(this.#world.buildJob(parallelism));
    this.#graphs.set(key, graph);
    return graph;
  }
}

/** The one that was deployed last. */
function latestOf(tasks: readonly (TaskAttempt | null)[]): TaskAttempt | null {
  return tasks.reduce((latest, task) => (task !== null && (latest === null || task.number > latest.number) ? task : latest), null);
}
