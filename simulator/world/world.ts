import { invariant, present } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import { US_PER_MS } from "../../engine/base/units.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { StreamFrame } from "../../engine/runtime/buffer.ts";
import type { ClusterConfig } from "../../engine/runtime/cluster-config.ts";
import { JobClient } from "../../engine/runtime/job-client.ts";
import { JobManager } from "../../engine/runtime/job-manager.ts";
import type { SnapshotRestore, StartingSnapshot } from "../../engine/checkpoint/snapshot-restore.ts";
import type { JobEndStatus, JobStatusRecord } from "../../engine/runtime/job-status.ts";
import { jobStatusKey, parseJobEnd } from "../../engine/runtime/job-status.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { ExecutionId } from "../../engine/graph/execution-id.ts";
import type { EnginePorts } from "../../engine/runtime/task-manager.ts";
import { TaskManager } from "../../engine/runtime/task-manager.ts";
import { NO_LIBRARIES, type StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import type { Disk } from "../../engine/ports/disk.ts";
import type { QuietFiles } from "../../engine/state/ordered-store.ts";
import { ObserverList } from "../hosts/observer-list.ts";
import type { FaultPlan } from "../faults/fault.ts";
import type { BlobObserver, CoordinationObserver, LogObserver, NetworkObserver } from "../hosts/service-observers.ts";
import { SimBlobStore } from "../hosts/sim-blob-store.ts";
import { SimCoordination } from "../hosts/sim-coordination.ts";
import type { DiskProfile } from "../hosts/disk-survivors.ts";
import { SimulatedDisk } from "../hosts/simulated-disk.ts";
import { SimExternalLog } from "../hosts/sim-external-log.ts";
import { SimNetwork } from "../hosts/sim-network.ts";
import type { InputTopic, RunOptions, Scenario } from "../scenario.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import { clusterConfig, JOB_ID } from "./simulated-cluster.ts";
import type { KeptServices } from "./kept-services.ts";
import { loadServices } from "./kept-services.ts";
import type { FaultActions } from "./fault-actions.ts";
import { ELEMENT_US } from "./cost-model.ts";
import { schedulerOf } from "./process-scheduler.ts";
import type { SimHost } from "./kernel.ts";
import { stateHash } from "./state-hash.ts";
import { askFor } from "./client-requests.ts";
import { restoreOfNextVersion, startOfNextVersion } from "./next-version.ts";
import { SimKernel } from "./sim-kernel.ts";
import { Host, Process } from "./sim-process.ts";

/** Rewrites the job's graph before the engine sees it (oracles carry their ids through it). */
export type GraphRewriter = (graph: StreamGraph, process: Process, execution: ExecutionId | null) => StreamGraph;

export interface WorldOptions {
  readonly scenario: Scenario;
  readonly options: RunOptions;
  /** Decimal u64. */
  readonly seed: string;
  /** Mean latencies, FIFO order, no faults but those of the plan. */
  readonly calm: boolean;
  readonly plan: FaultPlan;
  /** Chaos ends here: windows close, what has not fired never will. */
  readonly healAtUs: TimeUs;
  readonly inputs: readonly InputTopic[];
  /** What the state backend needs; absent: nothing. */
  readonly libraries?: StateLibraries;
  /** What the services outside of the cluster hold when it begins; absent: nothing. */
  readonly services?: KeptServices;
  /** What the clock says before the first step; absent: 0. */
  readonly beginsAtUs?: TimeUs;
}

export { JOB_ID };
/** After the job's end its processes get so long to tidy up. */
const TIDY_UP_US = 2_000_000;

/** A living engine process. */
export type EngineProcess =
  | { readonly kind: "job-manager"; readonly process: Process; readonly engine: JobManager }
  | { readonly kind: "worker"; readonly process: Process; readonly engine: TaskManager };

/** A process that belongs on a host. */
export interface Placement {
  readonly name: string;
  readonly kind: EngineProcess["kind"];
  readonly host: Host;
  /** The latest. */
  readonly incarnation: number;
}

/** How the job ended, as its record in Coordination says. */
export interface JobEnd {
  readonly status: JobEndStatus;
  /** Why it failed; null where it did not. */
  readonly reason: string | null;
  readonly atUs: TimeUs;
  readonly step: number;
}

/**
 * Everything that exists in one run: hosts with disks, processes with the engine in them, and the services
 * around them. Built from (scenario, options, seed, plan) alone; shares nothing with another World. Between
 * two steps all of it can be looked at without changing it.
 */
export class World {
  readonly options: WorldOptions;
  readonly kernel: SimKernel;
  readonly blobs: SimBlobStore;
  readonly coordination: SimCoordination;
  readonly log: SimExternalLog;
  readonly network: SimNetwork<ControlMessage, StreamFrame>;
  readonly networkObservers: ObserverList<NetworkObserver<ControlMessage, StreamFrame>> = new ObserverList();
  readonly blobObservers: ObserverList<BlobObserver> = new ObserverList();
  readonly coordinationObservers: ObserverList<CoordinationObserver> = new ObserverList();
  readonly logObservers: ObserverList<LogObserver> = new ObserverList();
  readonly hosts: readonly Host[];
  /** Set by oracles that carry something through the job. */
  rewriter: GraphRewriter = (graph) => graph;
  jobEnd: JobEnd | null = null;
  #config: ClusterConfig;
  readonly #disks = new Map<Host, SimulatedDisk>();
  /** Living processes by address. */
  readonly #living = new Map<string, EngineProcess>();
  readonly #incarnations = new Map<string, number>();
  readonly #diskPorts = new Map<Process, Disk>();
  #client: JobClient | null = null;
  /** Processes whose memory in libraries is still to be given up. */
  readonly #dead: Process[] = [];
  /** Which processes belong on which host. */
  readonly #placement: readonly { readonly name: string; readonly kind: EngineProcess["kind"]; readonly host: Host }[];

  constructor(options: WorldOptions) {
    this.options = options;
    const { scenario, seed, calm, plan, healAtUs, beginsAtUs = 0 } = options;
    this.kernel = new SimKernel({ seed, calm, plan, healAtUs, beginsAtUs, elementUs: scenario.cluster.elementUs ?? ELEMENT_US }, this.#faultActions());
    this.network = new SimNetwork(this.kernel, (address) => this.#living.get(address)?.process ?? null, this.networkObservers.guarded);
    this.blobs = new SimBlobStore(this.kernel, this.blobObservers.guarded);
    this.coordination = new SimCoordination(this.kernel, this.coordinationObservers.guarded);
    this.log = new SimExternalLog(
      this.kernel,
      { inputs: options.inputs, outputs: scenario.outputs, transactionTimeoutUs: 60_000_000 },
      this.logObservers.guarded,
    );
    if (options.services !== undefined) loadServices(options.services, this);
    this.coordinationObservers.push({
      onWrite: (_process, _before, after) => {
        if (after.key === jobStatusKey(JOB_ID, this.#config.submission) && after.value !== null) this.#jobEnded(parseJobEnd(after.value));
      },
    });
    this.#config = clusterConfig(scenario.cluster.slotsPerWorker, options.options.backend, options.libraries ?? NO_LIBRARIES);
    const { jobManagers, workers } = scenario.cluster;
    const placement: { name: string; kind: EngineProcess["kind"]; host: Host }[] = [];
    for (let i = 1; i <= jobManagers; i += 1) {
      placement.push({ name: `jm-${i}`, kind: "job-manager", host: new Host(`jm-host-${i}`) });
    }
    for (let i = 1; i <= workers; i += 1) placement.push({ name: `worker-${i}`, kind: "worker", host: new Host(`host-${i}`) });
    this.#placement = placement;
    this.hosts = placement.map((one) => one.host);
    for (const { name, kind, host } of placement) {
      this.#disks.set(host, new SimulatedDisk(this.kernel, host, this.#diskProfile));
      this.#startProcess(name, kind, host);
    }
  }

  /** Delivers one queue event and runs what it wakes to its end. False when nothing is left to happen. */
  step(): boolean {
    // Not where it dies, which may be within a call of the library.
    if (this.#dead.length > 0) this.#abandonDead();
    return this.kernel.step();
  }

  /**
   * Gives up what the processes hold in libraries that all Worlds of a thread share. To be called when a World
   * is done with; it cannot be stepped or looked into afterwards.
   */
  release(): void {
    for (const { process } of this.#living.values()) this.#dead.push(process);
    this.#abandonDead();
  }

  #abandonDead(): void {
    for (const process of this.#dead) {
      const disk = this.#diskPorts.get(process);
      if (disk !== undefined) this.options.libraries?.sqlite?.abandon(disk);
      this.#diskPorts.delete(process);
    }
    this.#dead.length = 0;
  }

  get nowUs(): TimeUs {
    return this.kernel.nowUs;
  }

  /** True when the run is over: the job ended and had time to tidy up, or a bug ended it. */
  get isOver(): boolean {
    if (this.kernel.crash !== null) return true;
    return this.jobEnd !== null && this.kernel.nowUs >= this.jobEnd.atUs + TIDY_UP_US;
  }

  /** Living engine processes, in order of address. */
  get processes(): readonly EngineProcess[] {
    return [...this.#living.values()].sort((left, right) => (left.process.name < right.process.name ? -1 : 1));
  }

  processNamed(name: string): EngineProcess | null {
    return this.#living.get(name) ?? null;
  }

  /** For inspection: what runs where, be it alive or not, and how often it was started. */
  placements(): readonly Placement[] {
    return this.#placement.map(({ name, kind, host }) => ({ name, kind, host, incarnation: this.#incarnations.get(name) ?? 0 }));
  }

  diskOf(host: Host): SimulatedDisk {
    return present(this.#disks.get(host), "every host has a disk");
  }

  /**
   * The files of a host as its processes wrote them, for looking into a paused process without disturbing it:
   * without damage, which is for the processes to notice and not for whoever looks.
   */
  quietFilesOf(host: SimHost): QuietFiles {
    const disk = this.diskOf(host as Host);
    return { read: (path) => disk.peekPristine(path) };
  }

  /** From the next step on, all randomness goes on as with this seed. */
  reseed(seed: string): void {
    this.kernel.reseed(seed);
  }

  /** A hash of the state at this moment (see state-hash); computed on demand. */
  stateHash(): string {
    return stateHash(this);
  }

  #jobEnded(end: JobStatusRecord): void {
    const { status, reason } = end;
    const { nowUs: atUs, stepNumber: step } = this.kernel;
    const snapshot = startOfNextVersion(end, this.coordination, this.options.scenario, this.upgrades);
    if (snapshot === null) this.jobEnd ??= { status, reason, atUs, step };
    else this.kernel.schedule(null, TIDY_UP_US, () => this.#startNextVersion(snapshot));
  }

  /**
   * The job stopped with a savepoint, or was cancelled. Its cluster ends, and another one starts on the same hosts, with
   * the next version of the job, which begins from there.
   */
  #startNextVersion(snapshot: StartingSnapshot): void {
    const { scenario, options } = this.options;
    const after = scenario.upgrade?.after(options) ?? options;
    const restoreFrom = restoreOfNextVersion(snapshot, scenario, after);
    this.#config = { ...this.#config, submission: this.#config.submission + 1, restoreFrom, stateBackend: after.backend };
    for (const { process } of this.processes) this.#processDied(process, PORT_TRACE.processStopped);
    this.#client = null;
    this.kernel.point(null, PORT_TRACE.versionStarted, this.kernel.intern(JOB_ID), this.#config.submission, snapshot.checkpointId);
    for (const { name, kind, host } of this.#placement) if (host.up) this.#startProcess(name, kind, host);
  }

  /** What the present version of the job was started from; null: from nothing. */
  get startedFrom(): SnapshotRestore | null {
    return this.#config.restoreFrom;
  }

  /** How often a version of the job went on from where the one before stopped. */
  get upgrades(): number {
    return this.#config.submission - 1;
  }

  /** The job as the present version of it is, before any rewriting. */
  buildJob(parallelism: number | null): StreamGraph {
    const { scenario, options } = this.options;
    const { upgrade } = scenario;
    const own = upgrade === undefined || this.upgrades === 0 ? options : upgrade.after(options);
    const build = upgrade === undefined || this.upgrades > 0 ? scenario.job : upgrade.before;
    return build(parallelism === null ? own : { ...own, parallelism });
  }

  /* ---- the supervisor: starts processes, and starts them again ---- */

  #startProcess(name: string, kind: EngineProcess["kind"], host: Host): void {
    invariant(!this.#living.has(name), `${name} runs at most once`);
    const incarnation = (this.#incarnations.get(name) ?? 0) + 1;
    this.#incarnations.set(name, incarnation);
    const process = new Process(name, incarnation, host, this.kernel.intern(name));
    const ports = this.#portsOf(process);
    const factory = (execution: ExecutionId | null, parallelism: number | null): StreamGraph =>
      this.rewriter(this.buildJob(parallelism), process, execution);
    const living: EngineProcess =
      kind === "job-manager"
        ? { kind, process, engine: new JobManager(ports, this.#config, factory) }
        : { kind, process, engine: new TaskManager(ports, this.#config, factory) };
    this.#living.set(name, living);
    this.kernel.schedule(process, 0, () => {
      this.kernel.point(process, PORT_TRACE.processStarted, process.subject, incarnation, 0);
      living.engine.start();
    });
  }

  #processDied(process: Process, kind: number = PORT_TRACE.processCrashed): void {
    process.alive = false;
    this.#dead.push(process);
    this.#living.delete(process.name);
    this.kernel.point(null, kind, process.subject, process.incarnation, 0);
    this.network.processDied(process);
  }

  #crashProcess(process: Process): void {
    if (!process.alive) return;
    this.#processDied(process);
    const restartUs = this.options.scenario.cluster.processRestartUs;
    this.kernel.schedule(null, restartUs, () => {
      if (process.host.up && !this.#living.has(process.name)) this.#startOn(process.host, process.name);
    });
  }

  #crashHost(host: Host, replace: boolean): void {
    host.up = false;
    this.kernel.point(null, PORT_TRACE.hostCrashed, this.kernel.intern(host.name), replace ? 1 : 0, 0);
    for (const { process } of this.processes) if (process.host === host) this.#processDied(process);
    if (replace) this.#disks.set(host, new SimulatedDisk(this.kernel, host, this.#diskProfile));
    else this.diskOf(host).powerLoss();
    this.kernel.schedule(null, this.options.scenario.cluster.hostRestartUs, () => {
      host.up = true;
      this.kernel.point(null, PORT_TRACE.hostStarted, this.kernel.intern(host.name), 0, 0);
      for (const one of this.#placement) if (one.host === host) this.#startOn(host, one.name);
    });
  }

  /** Without its disk no process goes on: they start again on the empty one. */
  #loseDisk(host: Host): void {
    this.#disks.set(host, new SimulatedDisk(this.kernel, host, this.#diskProfile));
    this.kernel.point(null, PORT_TRACE.diskLost, this.kernel.intern(host.name), 0, 0);
    for (const { process } of this.processes) if (process.host === host) this.#crashProcess(process);
  }

  /** Lives outside the cluster, on a host of its own that nothing strikes. */
  #theClient(): JobClient {
    if (this.#client === null) {
      const process = new Process("client", 1, new Host("client-host"), this.kernel.intern("client"));
      this.#disks.set(process.host, new SimulatedDisk(this.kernel, process.host, this.#diskProfile));
      this.#client = new JobClient(this.#portsOf(process), this.#config);
    }
    return this.#client;
  }

  get #diskProfile(): DiskProfile {
    return this.options.scenario.cluster.diskProfile ?? "adversarial";
  }

  #startOn(host: Host, name: string): void {
    const placed = this.#placement.find((one) => one.name === name && one.host === host);
    this.#startProcess(name, present(placed, "the supervisor knows what runs where").kind, host);
  }

  #portsOf(process: Process): EnginePorts {
    const { kernel } = this;
    const disk = this.diskOf(process.host).portFor(process);
    this.#diskPorts.set(process, disk);
    return {
      self: process.name,
      incarnation: process.incarnation,
      clock: {
        nowUs: () => kernel.nowUs,
        processingTimeMs: () => Math.floor(kernel.nowUs / US_PER_MS),
      },
      scheduler: schedulerOf(kernel, process),
      rng: { stream: (label) => kernel.stream(`${process.name}:${process.incarnation}:${label}`) },
      tracer: {
        intern: (name) => kernel.intern(name),
        point: (kind, subject, x, y) => kernel.point(process, kind, subject, x, y),
      },
      network: this.network.portFor(process),
      disk,
      blobs: this.blobs.portFor(process),
      coordination: this.coordination.portFor(process),
      log: this.log.portFor(process),
    };
  }

  #faultActions(): FaultActions {
    return {
      crashProcess: (process) => this.#crashProcess(process),
      crashHost: (host, replace) => this.#crashHost(host as Host, replace),
      loseDisk: (host) => this.#loseDisk(host as Host),
      loseLease: (lease) => void this.coordination.loseLease(lease),
      partitionStarted: () => this.network.hostsCut(),
      request: (request) => askFor(this.#theClient(), request),
      processNamed: (name) => this.#living.get(name)?.process ?? null,
      hostNamed: (name): SimHost | null => this.hosts.find((host) => host.name === name) ?? null,
      processOf: (subject) => this.#living.get(this.kernel.nameOf(subject))?.process ?? null,
    };
  }
}
