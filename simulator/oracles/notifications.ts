import { encode } from "../../engine/base/codec.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { LogObserver, NetworkObserver } from "../hosts/service-observers.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import { TaskAttempts } from "./task-attempts.ts";

/** Records in which a committed transaction is looked for, the latest first. */
const RECORDS_SEARCHED = 16;

/** The files of one record in which transactions may be named. */
interface Promises {
  readonly checkpointId: CheckpointId;
  readonly ofVertices: readonly PromisesOfVertex[];
}

interface PromisesOfVertex {
  readonly uids: readonly string[];
  /** By subtask. */
  readonly files: readonly (Uint8Array | null)[];
}

/**
 * Notifications: nobody hears of a completed checkpoint, or acts on it, before it is complete.
 *
 * - A notify-complete message leaves only after the record of its checkpoint was written to Coordination, and never
 *   for a savepoint with which the job goes on.
 * - The ids of which one attempt of a subtask is notified strictly rise, exceed the one it was restored from,
 *   and are complete.
 * - A transaction is committed in the external log only after a checkpoint completed whose durable snapshot
 *   names that transaction: the promise that a restart will commit it again.
 *
 * Seen from control messages, the points checkpointNotified and taskRestored, the log, and the bytes of the
 * snapshot files as they were at the commit point (a transaction id counts as named where its encoded bytes
 * occur). Not seen: which record put a transaction into the snapshot; that everything that should be
 * committed is (the data oracles see that).
 *
 * Allowed for: a commit that takes effect long after it was asked for, or that is asked for by a later attempt;
 * transactions that aborted checkpoints left to a later one; notifications that are lost or come twice.
 */
export const notificationsOracle: OracleKind = {
  name: "notifications",
  create: (context) => (context.graph.config.checkpoint === null ? null : new Notifications(context)),
};

class Notifications implements Oracle, NetworkObserver<ControlMessage>, LogObserver, RecordListener {
  readonly name: string = notificationsOracle.name;
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  readonly #tasks: TaskAttempts;
  /** By number of the task attempt: the last id it was notified of. */
  readonly #notified: (CheckpointId | undefined)[] = [];
  /** The latest last. */
  readonly #promises: Promises[] = [];

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph } = context;
    this.#tasks = TaskAttempts.of(world, graph);
    this.#records = CheckpointRecords.of(world);
    this.#records.listen(this);
    world.networkObservers.push(this);
    world.logObservers.push(this);
    world.kernel.on(TRACE.checkpointNotified, (process, subject, id) => this.#heard(process, subject, id));
  }

  onCallSent(_call: number, from: SimProcess, _to: Address, message: ControlMessage): void {
    if (message.kind !== "notify-complete") return;
    const record = this.#records.byId(message.checkpointId);
    if (record !== null) {
      if (record.isAside) this.#context.report(`${from.name} announces savepoint ${message.checkpointId}, with which the job goes on`);
      return;
    }
    this.#context.report(`${from.name} announces checkpoint ${message.checkpointId} as complete, which has no record`);
  }

  recordWritten({ checkpointId, metadata, files }: CheckpointRecord): void {
    if (metadata === null) return;
    const ofVertices = metadata.vertices.map(({ uids, subtasks }) => {
      return { uids, files: subtasks.map((state) => files.get(state?.file?.key ?? "")?.bytes ?? null) };
    });
    this.#promises.push({ checkpointId, ofVertices });
    if (this.#promises.length > RECORDS_SEARCHED) this.#promises.shift();
  }

  onCommit(process: SimProcess, producerId: string, transactionId: string): void {
    const sink = this.#tasks.placeOfProducer(producerId);
    const wanted = encode(transactionId);
    for (let i = this.#promises.length - 1; i >= 0; i -= 1) {
      const { ofVertices } = this.#promises[i] as Promises;
      const isNamed = ofVertices.some(({ uids, files }) => {
        if (sink === null) return files.some((bytes) => holds(bytes, wanted));
        return uids.includes(sink.uid) && holds(files[sink.subtask] ?? null, wanted);
      });
      if (isNamed) return;
    }
    const latest = this.#promises.at(-1);
    const known = latest === undefined ? "no checkpoint is complete" : `checkpoint ${latest.checkpointId} and those before it do not name it`;
    this.#context.report(`${process.name} committed the transaction ${transactionId}, but ${known}`);
  }

  finish(): void {}

  #heard(process: SimProcess | null, subject: number, id: CheckpointId): void {
    const task = this.#tasks.find(process, subject);
    if (task === null) return;
    const { kernel } = this.#context.world;
    const last = this.#notified[task.number] ?? task.restoredFrom;
    if (id <= last) {
      const before = this.#notified[task.number] === undefined ? "it was restored from" : "it was notified of";
      this.#context.report(`${kernel.nameOf(subject)}, attempt ${task.attempt}, is notified of checkpoint ${id} after ${before} ${last}`);
    }
    if (this.#records.byId(id) === null) {
      this.#context.report(`${kernel.nameOf(subject)}, attempt ${task.attempt}, is notified of checkpoint ${id}, which has no record`);
    }
    this.#notified[task.number] = id;
  }
}

/** From the end: the list state of a sink, which ends its chain, stands last in the file. */
function holds(bytes: Uint8Array | null, wanted: Uint8Array): boolean {
  if (bytes === null) return false;
  const first = wanted[0];
  for (let at = bytes.length - wanted.length; at >= 0; at -= 1) {
    if (bytes[at] !== first) continue;
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same += 1;
    if (same === wanted.length) return true;
  }
  return false;
}
