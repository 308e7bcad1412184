import { unreachable } from "../../engine/base/assert.ts";
import { ABORT_REASONS } from "../../engine/checkpoint/checkpoint-failure-manager.ts";
import type { Fence, Register } from "../../engine/ports/coordination.ts";
import type { LogError, ProducerSession } from "../../engine/ports/external-log.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import { RESTORE_OF_COMBINATION } from "../explore/matrix.ts";
import type { CoordinationObserver, LogObserver, NetworkObserver, ObservedConnection } from "../hosts/service-observers.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import { DataObservation } from "./data-oracles-observation.ts";
import { CombinationPath } from "./sometimes-combination.ts";
import { FAILOVER_PATHS, FailoverPaths } from "./sometimes-failover.ts";
import { LOCAL_COPY_PATHS, LocalCopyPaths } from "./sometimes-local-copies.ts";
import { CoordinatorPaths } from "./sometimes-coordinator.ts";
import { IN_FLIGHT_PATHS, InFlightPaths } from "./sometimes-in-flight.ts";
import { LOCAL_STATE_PATHS, LocalStatePaths } from "./sometimes-local-state.ts";
import { SHARED_FILE_PATHS, SharedFilePaths } from "./sometimes-shared-files.ts";
import { VERSION_PATHS, VersionPaths } from "./sometimes-versions.ts";
import { CrashSites } from "./sometimes-crash-sites.ts";
import { APPLIED_TWICE } from "./surviving-history.ts";
import type { SharedReplay } from "./surviving-history-shared.ts";
import { TaskAttempts } from "./task-attempts.ts";

const VALUE_EXPIRED = "a value expired";

/**
 * The paths that scenarios may declare, so that a sweep which never reaches one is noticed. Names of crashes:
 * `CrashSites` says exactly what counts. Of the others counts:
 *
 * - "a checkpoint expired": a pending one is given up for its timeout; "a checkpoint subsumed": a pending one
 *   is given up because a newer one completed first (a retained one that makes room for the next does not
 *   count); "a checkpoint aborted": a pending one is given up, for whatever reason;
 * - "a zombie that tried to act": a call arrives of a leader whose successor was granted the lease; or of a
 *   task whose attempt has been replaced by a later one (an acknowledgement, a report, a new connection, a
 *   change of the log); or the log refuses a fenced producer; or Coordination refuses a fenced write;
 * - "a timer fired after a restore": of event time, in an attempt that was restored from a checkpoint; once
 *   for each such task;
 * - "a late record dropped": a window operator drops a record;
 * - those of failover by region: see `FailoverPaths`;
 * - "a value expired": the replay of the surviving history asked for a value whose time to live was over;
 * - "a record applied twice (at-least-once)": the oracle of surviving history counts it;
 * - "a savepoint completed"; those of jobs in several versions: see `VersionPaths`;
 * - "a leader recovered retained checkpoints": one after the first finds some in Coordination;
 * - those of `LocalStatePaths` lie inside a state backend, those of `LocalCopyPaths` beside it;
 * - "a checkpoint with finished tasks": one completes in an attempt of which some task has finished;
 * - "a late decline ignored": a task declines a checkpoint that is decided already;
 * - "cleaning held a trigger back": a request waits because too many old checkpoints are being deleted;
 * - those of `LocalStatePaths` lie inside a state backend;
 * - those of `InFlightPaths` are about data in flight;
 * - those of `SharedFilePaths` are of checkpoints that share files;
 * - "a restore as its combination says": `CombinationPath` says what counts.
 */
export const SOMETIMES: readonly string[] = [
  "crash between snapshot and ack",
  "crash between ack and completion",
  "crash between completion and notification",
  "crash between pre-commit and commit",
  "crash during a restore",
  "two crashes within one recovery",
  "barriers in flight on two channels at a crash",
  "a checkpoint expired",
  "a checkpoint subsumed",
  "a checkpoint aborted",
  "a zombie that tried to act",
  "a timer fired after a restore",
  "a late record dropped",
  "a checkpoint with finished tasks",
  "a late decline ignored",
  "cleaning held a trigger back",
  "a savepoint completed",
  "a leader recovered retained checkpoints",
  VALUE_EXPIRED,
  APPLIED_TWICE,
  RESTORE_OF_COMBINATION,
  ...VERSION_PATHS,
  ...FAILOVER_PATHS,
  ...LOCAL_STATE_PATHS,
  ...LOCAL_COPY_PATHS,
  ...IN_FLIGHT_PATHS,
  ...SHARED_FILE_PATHS,
];

/** Counts the declared paths. Finds nothing wrong. */
export const sometimesOracle: OracleKind = {
  name: "sometimes",
  create: (context) => new Sometimes(context),
};

class Sometimes implements Oracle, NetworkObserver<ControlMessage>, LogObserver, CoordinationObserver {
  readonly name: string = sometimesOracle.name;
  readonly #context: OracleContext;
  readonly #tasks: TaskAttempts;
  readonly #replay: SharedReplay | null;
  #highestEpoch = 0;
  /** By number of the task attempt. */
  readonly #firedAfterRestore: (true | undefined)[] = [];

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph, scenario, sometimes } = context;
    this.#replay = scenario.sometimes.includes(VALUE_EXPIRED) ? DataObservation.of(world).replay() : null;
    const tasks = TaskAttempts.of(world, graph);
    this.#tasks = tasks;
    new CrashSites(context, tasks).watch();
    new CoordinatorPaths(context, tasks).watch();
    new FailoverPaths(context).watch();
    new LocalStatePaths(context).watch();
    new CombinationPath(context).watch();
    new LocalCopyPaths(context).watch();
    new InFlightPaths(context, tasks).watch();
    new SharedFilePaths(context).watch();
    new VersionPaths(context).watch();
    world.networkObservers.push(this);
    world.logObservers.push(this);
    world.coordinationObservers.push(this);
    const { kernel } = world;
    kernel.on(TRACE.checkpointAborted, (_process, _subject, _id, reason) => {
      sometimes("a checkpoint aborted");
      if (reason === ABORT_REASONS.expired) sometimes("a checkpoint expired");
      if (reason === ABORT_REASONS.subsumed) sometimes("a checkpoint subsumed");
    });
    kernel.on(TRACE.timerFired, (process, subject, _timestampMs, domain) => {
      if (domain !== 0) return;
      const task = tasks.findByOperator(process, subject);
      if (task === null || task.restoredFrom < 0 || this.#firedAfterRestore[task.number] === true) return;
      this.#firedAfterRestore[task.number] = true;
      sometimes("a timer fired after a restore");
    });
    kernel.on(TRACE.recordDropped, () => sometimes("a late record dropped"));
  }

  onEpochGranted(_process: SimProcess, _lease: string, epoch: number): void {
    this.#highestEpoch = Math.max(this.#highestEpoch, epoch);
  }

  onWriteRefused(_process: SimProcess, _current: Register, _fence: Fence, code: "conflict" | "fenced"): void {
    if (code === "fenced") this.#context.sometimes("a zombie that tried to act");
  }

  onRefused(_process: SimProcess, _call: number, _producerId: string, _transactionId: string, code: LogError): void {
    if (code === "fenced") this.#context.sometimes("a zombie that tried to act");
  }

  onCallDelivered(_call: number, _from: Address, _to: SimProcess, message: ControlMessage): void {
    if (this.#isOfZombie(message)) this.#context.sometimes("a zombie that tried to act");
  }

  onConnectionOpened({ hello }: ObservedConnection<ControlMessage>): void {
    if (hello.kind === "open-channel" && this.#tasks.isReplaced(hello.subject, hello.attempt)) this.#context.sometimes("a zombie that tried to act");
  }

  onProducerOpened(process: SimProcess, { producerId }: ProducerSession): void {
    this.#changedLog(process, producerId);
  }

  onAppend(process: SimProcess, { producerId }: ProducerSession): void {
    this.#changedLog(process, producerId);
  }

  onPrepare(process: SimProcess, { producerId }: ProducerSession): void {
    this.#changedLog(process, producerId);
  }

  onCommit(process: SimProcess, producerId: string): void {
    this.#changedLog(process, producerId);
  }

  finish(): void {
    if ((this.#replay?.expirations ?? 0) > 0) this.#context.sometimes(VALUE_EXPIRED);
  }

  #changedLog(process: SimProcess, producerId: string): void {
    const place = this.#tasks.placeOfProducer(producerId);
    const task = place === null ? null : this.#tasks.findByUid(process, place);
    if (task !== null && this.#tasks.isReplaced(task.subject, task.attempt)) this.#context.sometimes("a zombie that tried to act");
  }

  #isOfZombie(message: ControlMessage): boolean {
    switch (message.kind) {
      case "acknowledge-checkpoint":
      case "decline-checkpoint":
      case "task-state":
        return this.#tasks.isReplaced(message.subject, message.id.attempt);
      case "heartbeat":
      case "deploy-task":
      case "start-attempt":
      case "cancel-attempt":
      case "trigger-checkpoint":
      case "notify-complete":
      case "notify-aborted":
        return message.epoch < this.#highestEpoch;
      case "register-worker":
      case "rescale":
      case "trigger-savepoint":
      case "abort-checkpoints":
      case "cancel-job":
      case "savepoint-taken":
      case "accepted":
      case "refused":
      case "open-channel":
        return false;
      default:
        return unreachable(message, "Sometimes.isOfZombie");
    }
  }
}
