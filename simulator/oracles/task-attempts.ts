import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import type { JobGraph, VertexId } from "../../engine/graph/job-graph.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
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
  readonly vertex: VertexId;
  readonly subtask: number;
  /** "over": finished, failed or cancelled (a dead process says nothing: see `process.alive`). */
  phase: "deployed" | "restoring" | "restored" | "over";
  /** Checkpoint that it was restored from; -1 for none, also before it was restored. */
  restoredFrom: number;
}

/** Vertex and subtask. */
export type Place = readonly [VertexId, number];

const NONE: readonly TaskAttempt[] = [];

/**
 * Which task a trace point speaks of. Points carry the process and the name of the subtask; deploy-task
 * messages and the point taskDeployed say which attempt of it lives there. At most one attempt of a subtask
 * lives in a process: a worker forgets an older one when it gets a newer.
 */
export class TaskAttempts implements NetworkObserver<ControlMessage> {
  /** All ever deployed, by number. */
  readonly all: TaskAttempt[] = [];
  /** Highest attempt of which any task was ever deployed. */
  highestAttempt = 0;
  readonly #world: World;
  readonly graph: JobGraph;
  /** By subject of a subtask. */
  readonly #places: (Place | undefined)[] = [];
  readonly #producers: Map<string, Place | null> = new Map();
  /** By subject of a subtask: the latest in each process, dead ones too: what they asked for may still take effect. */
  readonly #bySubject: (TaskAttempt[] | undefined)[] = [];
  /** By subject of an operator's subtask ("sum[1]"): subject of the task that it runs in, or -1. */
  readonly #taskOfOperator: (number | undefined)[] = [];

  private constructor(world: World, graph: StreamGraph) {
    this.#world = world;
    this.graph = buildJobGraph(graph);
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
    if (message.kind !== "deploy-task" || this.#places[message.subject] !== undefined) return;
    const { vertex, subtask } = message.descriptor.id;
    this.#places[message.subject] = [vertex, subtask];
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
    let task = this.#taskOfOperator[subject];
    if (task === undefined) {
      task = this.#resolveOperator(this.#world.kernel.nameOf(subject));
      if (task !== -2) this.#taskOfOperator[subject] = task;
    }
    return task < 0 ? null : this.find(process, task);
  }

  /** The latest attempt of a subtask in that process. */
  findByPlace(process: SimProcess, vertex: VertexId, subtask: number): TaskAttempt | null {
    for (const tasks of this.#bySubject) {
      const first = tasks?.[0];
      if (first === undefined || first.vertex !== vertex || first.subtask !== subtask) continue;
      return this.find(process, first.subject);
    }
    return null;
  }

  /**
   * [vertex, subtask] of the sink that writes as this producer ("<prefix>/<uid of the sink>-<subtask>"); null
   * where not exactly one sink of the job can be meant.
   */
  placeOfProducer(producerId: string): Place | null {
    const known = this.#producers.get(producerId);
    if (known !== undefined) return known;
    const dash = producerId.lastIndexOf("-");
    const owner = producerId.slice(0, dash);
    const places: Place[] = [];
    for (const vertex of this.graph.vertices) {
      for (const node of vertex.chain) {
        if (node.kind === "sink" && owner.endsWith(`/${node.uid}`)) places.push([vertex.id, Number(producerId.slice(dash + 1))]);
      }
    }
    const place = places.length === 1 ? (places[0] as Place) : null;
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

  #deployed(process: SimProcess, subject: number, attempt: number): void {
    const place = this.#places[subject];
    if (place === undefined) return;
    const [vertex, subtask] = place;
    const task: TaskAttempt = {
      number: this.all.length,
      process,
      subject,
      attempt,
      vertex,
      subtask,
      phase: "deployed",
      restoredFrom: -1,
    };
    this.all.push(task);
    this.highestAttempt = Math.max(this.highestAttempt, attempt);
    const others = (this.#bySubject[subject] ?? []).filter((one) => one.process !== process);
    this.#bySubject[subject] = [task, ...others];
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

  /** -1: no such operator, or more than one; -2: its task was not deployed yet. */
  #resolveOperator(name: string): number {
    const open = name.lastIndexOf("[");
    const operator = name.slice(0, open);
    const subtask = Number(name.slice(open + 1, -1));
    const holding = this.graph.vertices.filter((vertex) => vertex.chain.some((node) => node.name === operator));
    const only = holding.length === 1 ? holding[0] : undefined;
    if (only === undefined || only.chain.filter((node) => node.name === operator).length !== 1) return -1;
    const subject = this.#places.findIndex((place) => place !== undefined && place[0] === only.id && place[1] === subtask);
    return subject < 0 ? -2 : subject;
  }
}
