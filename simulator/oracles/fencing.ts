import type { Fence, Register } from "../../engine/ports/coordination.ts";
import type { ProducerSession } from "../../engine/ports/external-log.ts";
import type {
  AbortReason,
  BlobObserver,
  CoordinationObserver,
  LogObserver,
} from "../hosts/service-observers.ts";
import type { SimProcess } from "../world/kernel.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import { TaskAttempts } from "./task-attempts.ts";

/** One producer session as opened. */
interface Session {
  readonly process: SimProcess;
  /** Of the job; 0 where it cannot be told. */
  readonly attempt: number;
}

/**
 * Fencing: once a successor acted, its predecessors change nothing any more.
 *
 * - Coordination takes no write under an epoch below the highest granted, nor by a process other than the one
 *   that was granted its epoch.
 * - The log takes no append and no prepare of a session that an older attempt opened, once a newer attempt
 *   opened one of that producer id behind it; nor from another process than the one that opened the session.
 *   No attempt aborts a transaction of a newer one.
 * - No deposed leader and no process without a task of the latest attempt overwrites or deletes a file that a
 *   retained checkpoint references.
 *
 * Seen from the effects in Coordination, log and blob store. Which attempt a session belongs to is known from
 * the sink's subtask in its producer id and what was deployed in that process (TaskAttempts.findByProducer). Not seen: producers with other
 * ids; harmless acts of a zombie (it may read, upload, acknowledge, be refused).
 *
 * Allowed for: an older attempt, driven by a leader that does not know yet that it was deposed, which opens a
 * producer behind its successor: the log goes by who opened last. What it writes must never be committed
 * (notifications sees to that), and the successor fails over.
 */
export const fencingOracle: OracleKind = {
  name: "fencing",
  create: (context) => new Fencing(context),
};

class Fencing implements Oracle, CoordinationObserver, LogObserver, BlobObserver {
  readonly name: string = fencingOracle.name;
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  readonly #tasks: TaskAttempts;
  /** By lease: who was granted each epoch, epoch 1 first. */
  readonly #leaders: Map<string, SimProcess[]> = new Map();
  /** By producer id: its sessions, epoch 1 first. */
  readonly #sessions: Map<string, Session[]> = new Map();
  /** By id of an undecided transaction: the attempt that began it. */
  readonly #transactions: Map<string, number> = new Map();

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph } = context;
    this.#records = CheckpointRecords.of(world);
    this.#tasks = TaskAttempts.of(world, graph);
    world.coordinationObservers.push(this);
    world.logObservers.push(this);
    world.blobObservers.push(this);
  }

  onEpochGranted(process: SimProcess, lease: string, epoch: number): void {
    const leaders = this.#leaders.get(lease) ?? [];
    leaders[epoch - 1] = process;
    this.#leaders.set(lease, leaders);
  }

  onWrite(process: SimProcess, _before: Register, after: Register, { lease, epoch }: Fence): void {
    const leaders = this.#leaders.get(lease) ?? [];
    const { report } = this.#context;
    if (epoch < leaders.length) {
      report(`${process.name} wrote ${after.key} under epoch ${epoch} although epoch ${leaders.length} was granted`);
    } else if (leaders[epoch - 1] !== process) {
      report(`${process.name} wrote ${after.key} under epoch ${epoch}, which was granted to another process`);
    }
  }

  onProducerOpened(process: SimProcess, { producerId, epoch }: ProducerSession): void {
    const place = this.#tasks.placeOfProducer(producerId);
    const task = place === null ? null : this.#tasks.findByProducer(process, place);
    const sessions = this.#sessions.get(producerId) ?? [];
    sessions[epoch - 1] = { process, attempt: task === null ? 0 : task.attempt };
    this.#sessions.set(producerId, sessions);
  }

  onAppend(process: SimProcess, producer: ProducerSession, transactionId: string): void {
    this.#written(process, producer, transactionId, "appended to");
  }

  onPrepare(process: SimProcess, producer: ProducerSession, transactionId: string): void {
    this.#written(process, producer, transactionId, "prepared");
  }

  onCommit(_process: SimProcess, _producerId: string, transactionId: string): void {
    this.#transactions.delete(transactionId);
  }

  onAbort(process: SimProcess | null, producerId: string, transactionId: string, reason: AbortReason): void {
    const owner = this.#transactions.get(transactionId) ?? 0;
    this.#transactions.delete(transactionId);
    if (process === null || reason !== "requested") return;
    const place = this.#tasks.placeOfProducer(producerId);
    const task = place === null ? null : this.#tasks.findByProducer(process, place);
    // Where a newer attempt was deployed meanwhile, this is that one: never too low.
    if (task === null || task.attempt >= owner) return;
    this.#context.report(`${process.name}, attempt ${task.attempt}, aborted the transaction ${transactionId} of attempt ${owner}`);
  }

  onPut(process: SimProcess, key: string, bytes: Uint8Array, before: Uint8Array | null): void {
    if (before === null || this.#records.referencing(key) === null || sameBytes(bytes, before)) return;
    this.#harmed(process, key, "overwrote");
  }

  onDelete(process: SimProcess, key: string): void {
    if (this.#records.referencing(key) !== null) this.#harmed(process, key, "deleted");
  }

  finish(): void {}

  #written(process: SimProcess, { producerId, epoch }: ProducerSession, transactionId: string, what: string): void {
    const sessions = this.#sessions.get(producerId) ?? [];
    const session = sessions[epoch - 1];
    if (session === undefined) return;
    const { report } = this.#context;
    if (session.process !== process) report(`${process.name} ${what} ${transactionId} in a session that another process opened`);
    if (!this.#transactions.has(transactionId)) this.#transactions.set(transactionId, session.attempt);
    for (let later = epoch; later < sessions.length; later += 1) {
      const { attempt } = sessions[later] as Session;
      if (attempt <= session.attempt) continue;
      report(`${process.name}, attempt ${session.attempt}, ${what} ${transactionId} after attempt ${attempt} opened the producer`);
      return;
    }
  }

  #harmed(process: SimProcess, key: string, what: string): void {
    const stale = this.#staleness(process);
    const record = this.#records.referencing(key);
    if (stale === null || record === null) return;
    this.#context.report(`${process.name}, ${stale}, ${what} ${key}, which checkpoint ${record.checkpointId} references`);
  }

  /** Why a process has no business with retained files any more; null where it has. */
  #staleness(process: SimProcess): string | null {
    let led = false;
    for (const leaders of this.#leaders.values()) {
      if (leaders.at(-1) === process) return process.alive ? null : "a dead leader";
      led ||= leaders.includes(process);
    }
    if (led) return "a deposed leader";
    if (!process.alive) return "a dead worker";
    const current = this.#tasks.runningIn(process).some((task) => this.#tasks.isCurrent(task));
    return current ? null : "a worker without a task of the latest attempt";
  }
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i += 1) if (left[i] !== right[i]) return false;
  return true;
}
