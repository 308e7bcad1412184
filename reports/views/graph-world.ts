import { buildJobGraph } from "../../engine/graph/build-job-graph.ts";
import type { JobGraph, JobVertex } from "../../engine/graph/job-graph.ts";
import type { Execution } from "../../engine/runtime/execution-attempt.ts";
import type { JobMaster } from "../../engine/runtime/job-master.ts";
import { leaseOf } from "../../engine/runtime/leader-election.ts";
import type { RegionPhase } from "../../engine/runtime/region-execution.ts";
import type { Task } from "../../engine/runtime/task.ts";
import type { Process } from "../../simulator/world/sim-process.ts";
import { JOB_ID, type Placement, type World } from "../../simulator/world/world.ts";
import { ChannelMap, outputsOf } from "./graph-channels.ts";
import type { GraphFacts, JobFacts, LeaderFacts, OperatorFacts, ProcessFacts, SubtaskFacts, SubtaskStatus } from "./graph-facts.ts";

/** A task, and where it is. */
interface PlacedTask {
  readonly task: Task;
  readonly process: Process;
}

/** What a leader wants of one subtask. */
interface Wanted {
  readonly phase: RegionPhase;
  readonly execution: Execution | null;
}

interface Claim {
  readonly process: string;
  readonly master: JobMaster;
}

/** The job of a World as it stands. Changes nothing. */
export function graphFactsOf(world: World): GraphFacts {
  const claims = claimsIn(world);
  const leader = claims[0]?.master ?? null;
  const tasks = tasksIn(world);
  const graph = layoutOf(world, leader, tasks);
  return {
    step: world.kernel.stepNumber,
    atUs: world.nowUs,
    job: jobFacts(world, graph, claims),
    processes: world.placements().map((placed) => processFacts(world, placed, leader)),
    operators: new OperatorGatherer(world, leader, tasks).all(graph),
  };
}

/** Those who believe that they lead, the latest epoch first. */
function claimsIn({ processes }: World): readonly Claim[] {
  const claims: Claim[] = [];
  for (const { kind, engine, process } of processes) {
    if (kind === "job-manager" && engine.leading && engine.master !== null) claims.push({ process: process.name, master: engine.master });
  }
  return claims.sort((left, right) => right.master.fence.epoch - left.master.fence.epoch);
}

function tasksIn({ processes }: World): readonly PlacedTask[] {
  return processes.flatMap((one) => (one.kind === "worker" ? one.engine.tasks.map((task) => ({ task, process: one.process })) : []));
}

/** As the leader has it, once it knows; else as it was deployed last, else as it is written. */
function layoutOf(world: World, leader: JobMaster | null, tasks: readonly PlacedTask[]): JobGraph {
  if (leader !== null && leader.phase !== "recovering") return leader.deployedGraph;
  let latest: Task | null = null;
  for (const { task } of tasks) if (lives(task) && (latest === null || task.id.attempt > latest.id.attempt)) latest = task;
  return latest?.graph ?? leader?.deployedGraph ?? buildJobGraph(world.buildJob(null));
}

function jobFacts({ coordination, jobEnd, upgrades }: World, { jobName }: JobGraph, claims: readonly Claim[]): JobFacts {
  const lease = coordination.peekLease(leaseOf(JOB_ID));
  const leaders = claims.map(({ process, master }): LeaderFacts => {
    const { epoch } = master.fence;
    return { process, epoch, phase: master.phase, holdsLease: lease !== null && lease.holder === process && lease.epoch === epoch };
  });
  const leader = claims[0]?.master ?? null;
  return { name: jobName, version: upgrades + 1, end: jobEnd?.status ?? null, phase: leader?.phase ?? null, leaders, lastFailure: leader?.lastFailure ?? null };
}

function processFacts(world: World, { name, kind, host }: Placement, leader: JobMaster | null): ProcessFacts {
  const process = world.processNamed(name)?.process ?? null;
  const pausedUntilUs = process === null ? null : pauseOf(process, world);
  const registered = leader?.registry.workers.find(({ address }) => address === name) ?? null;
  return {
    name,
    kind,
    host: host.name,
    hostIsUp: host.up,
    status: process === null ? "down" : pausedUntilUs === null ? "up" : "paused",
    incarnation: process?.incarnation ?? null,
    pausedUntilUs,
    isRegistered: process !== null && registered?.incarnation === process.incarnation,
  };
}

function pauseOf({ pausedUntilUs }: Process, { nowUs }: World): number | null {
  return pausedUntilUs > nowUs ? pausedUntilUs : null;
}

class OperatorGatherer {
  readonly #world: World;
  readonly #leader: JobMaster | null;
  readonly #channels: ChannelMap;
  /** By vertex, then subtask, as "0:1". */
  readonly #wanted = new Map<string, Wanted>();
  /** By name ("sum[1]"), the latest attempt first. */
  readonly #tasks = new Map<string, PlacedTask[]>();

  constructor(world: World, leader: JobMaster | null, tasks: readonly PlacedTask[]) {
    this.#world = world;
    this.#leader = leader;
    this.#channels = new ChannelMap(world);
    for (const { region, phase, attempt } of leader?.regions ?? []) {
      for (const { vertex, subtask } of region.subtasks) this.#wanted.set(`${vertex}:${subtask}`, { phase, execution: null });
      for (const execution of attempt?.executions ?? []) this.#wanted.set(`${execution.id.vertex}:${execution.id.subtask}`, { phase, execution });
    }
    for (const placed of tasks) {
      const list = this.#tasks.get(placed.task.name) ?? [];
      list.push(placed);
      list.sort((left, right) => right.task.id.attempt - left.task.id.attempt);
      this.#tasks.set(placed.task.name, list);
    }
  }

  /** The operators of the layout; then what else is there, of an older one. */
  all(graph: JobGraph): readonly OperatorFacts[] {
    const operators = graph.vertices.map((vertex) => this.#operator(graph, vertex));
    const strays = [...this.#tasks.values()].flat().filter(({ task }) => lives(task));
    for (const { task } of strays) {
      const { vertices } = task.graph;
      const vertex = vertices[task.id.vertex];
      if (vertex !== undefined && !operators.some(({ id }) => id === vertex.name)) operators.push(this.#operator(task.graph, vertex));
    }
    return operators;
  }

  #operator({ vertices }: JobGraph, vertex: JobVertex): OperatorFacts {
    const subtasks: SubtaskFacts[] = [];
    for (let subtask = 0; subtask < vertex.parallelism; subtask += 1) subtasks.push(...this.#subtask(vertex, subtask));
    // After a change of parallelism, those of more subtasks may live on for a while.
    for (let subtask = vertex.parallelism; this.#tasks.has(`${vertex.name}[${subtask}]`); subtask += 1) subtasks.push(...this.#zombies(vertex, subtask));
    return {
      id: vertex.name,
      chain: vertex.chain.map(({ uid, name }) => ({ uid, name })),
      parallelism: vertex.parallelism,
      feeds: vertex.inputs.map(({ id, from, partitioning, sideOutput }) => ({ edge: id, from: vertices[from]?.name ?? "", partitioning, sideOutput })),
      subtasks,
    };
  }

  /** The one that counts, and any other that should be gone. */
  #subtask(vertex: JobVertex, subtask: number): readonly SubtaskFacts[] {
    const placed = this.#tasks.get(`${vertex.name}[${subtask}]`) ?? [];
    const wanted = this.#wanted.get(`${vertex.id}:${subtask}`) ?? null;
    const execution = wanted?.execution ?? null;
    const current = execution === null ? placed[0] : placed.find(({ task, process }) => task.id.attempt === execution.id.attempt && process.name === execution.slot.worker);
    // A leader that has not deployed it knows nothing of what an earlier one left running.
    const isCurrent = this.#leader === null || execution !== null;
    const main = current === undefined ? this.#missing(vertex, subtask, wanted) : this.#ofTask(vertex, current, current.task.name, isCurrent);
    return [main, ...this.#zombies(vertex, subtask, current)];
  }

  #zombies(vertex: JobVertex, subtask: number, current?: PlacedTask): readonly SubtaskFacts[] {
    const placed = this.#tasks.get(`${vertex.name}[${subtask}]`) ?? [];
    return placed.filter((one) => one !== current && lives(one.task)).map((one) => this.#ofTask(vertex, one, `${one.task.name}#${one.task.id.attempt}`, false));
  }

  #ofTask(vertex: JobVertex, { task, process }: PlacedTask, key: string, isCurrent: boolean): SubtaskFacts {
    const { attempt, subtask } = task.id;
    const { watermarks, output } = task;
    return {
      key,
      operator: vertex.name,
      subtask,
      isCurrent,
      status: task.state,
      attempt,
      worker: process.name,
      host: process.host.name,
      pausedUntilUs: pauseOf(process, this.#world),
      restoredFrom: task.restoredFrom,
      watermarkMs: watermarks.watermarkMs,
      inputEnded: watermarks.inputEnded,
      snapshots: [...task.checkpointing.snapshotsRunning],
      alignment: alignmentOf(task),
      mails: task.mailbox.size,
      isBackPressured: task.state === "running" && !output.hasRoom,
      inputs: lives(task) ? this.#channels.inputsOf(task, key) : [],
      outputs: lives(task) ? outputsOf(task) : [],
    };
  }

  /** There is no task, whoever expects one. */
  #missing(vertex: JobVertex, subtask: number, wanted: Wanted | null): SubtaskFacts {
    const execution = wanted?.execution ?? null;
    const worker = execution?.slot.worker ?? null;
    return {
      key: `${vertex.name}[${subtask}]`,
      operator: vertex.name,
      subtask,
      isCurrent: true,
      status: this.#statusOfMissing(wanted),
      attempt: execution?.id.attempt ?? null,
      worker,
      host: this.#world.placements().find(({ name }) => name === worker)?.host.name ?? null,
      pausedUntilUs: null,
      restoredFrom: null,
      watermarkMs: null,
      inputEnded: false,
      snapshots: [],
      alignment: null,
      mails: 0,
      isBackPressured: false,
      inputs: [],
      outputs: [],
    };
  }

  #statusOfMissing(wanted: Wanted | null): SubtaskStatus {
    if (wanted === null) return "absent";
    const { phase, execution } = wanted;
    if (execution === null) return "waiting";
    if (execution.state === "finished") return "finished";
    const { worker, incarnation } = execution.slot;
    const isThere = this.#world.processNamed(worker)?.process.incarnation === incarnation;
    if (!isThere || phase === "starting" || phase === "running") return "lost";
    return phase === "deploying" ? "ordered" : "absent";
  }
}

function alignmentOf({ input }: Task): SubtaskFacts["alignment"] {
  if (input === null || !input.barriers.handler.isPending) return null;
  const { handler } = input.barriers;
  return { checkpointId: handler.currentCheckpointId, arrived: handler.alignedChannels().length, channels: input.gate.channels.length };
}

function lives({ state }: Task): boolean {
  return state === "restoring" || state === "initialized" || state === "running";
}
