import type { CheckpointId } from "../../engine/base/units.ts";
import type { FileHandle } from "../../engine/checkpoint/checksummed-file.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { NetworkObserver } from "../hosts/service-observers.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords, filesNamedBy } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";

interface IdsOfAttempt {
  readonly attempt: number;
  least: number;
  greatest: number;
}

/**
 * Durability: what is promised is durable at the moment it is promised.
 *
 * - The first time an acknowledgement leaves a worker, the file that it names is in the blob store with that
 *   size and checksum; repetitions name the same file.
 * - When the record of a checkpoint appears in Coordination, its metadata file and every file that this
 *   references are in the blob store, whole.
 * - A checkpoint whose record was ever written is never aborted afterwards.
 * - Ids grow: records appear in the order of their ids, and of two attempts the greater one triggers the
 *   greater ids, also across leaders.
 *
 * Seen from control messages, Coordination, the bytes in the blob store, and the points checkpointTriggered
 * and checkpointAborted. Not seen: whether what is in the files is right (restore fidelity sees that), nor
 * what the store loses later (referential integrity does).
 *
 * Allowed for: an acknowledgement that is repeated after the checkpoint was given up or subsumed, when its
 * file may be gone; a deposed leader that does not know it yet and triggers an id that it took in time, after
 * its successor triggered greater ones (so ids are compared by attempt, not by time).
 */
export const durabilityOracle: OracleKind = {
  name: "durability",
  create: (context) => new Durability(context),
};

class Durability implements Oracle, NetworkObserver<ControlMessage>, RecordListener {
  readonly name: string = durabilityOracle.name;
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  /** By key of the file: size and checksum of the first acknowledgement. */
  readonly #acknowledged: Map<string, { readonly sizeBytes: number; readonly checksum: number }> = new Map();
  readonly #ids: IdsOfAttempt[] = [];
  #lastRecorded = 0;

  constructor(context: OracleContext) {
    this.#context = context;
    const { world } = context;
    this.#records = CheckpointRecords.of(world);
    this.#records.listen(this);
    world.networkObservers.push(this);
    world.kernel.on(TRACE.checkpointTriggered, (_process, _subject, id, attempt) => this.#triggered(id, attempt));
    world.kernel.on(TRACE.checkpointAborted, (_process, _subject, id) => {
      if (this.#records.byId(id) !== null) context.report(`checkpoint ${id} was aborted after its record was written`);
    });
  }

  onCallSent(_call: number, from: SimProcess, _to: Address, message: ControlMessage): void {
    if (message.kind !== "acknowledge-checkpoint" || message.state === null) return;
    for (const handle of filesNamedBy(message.state)) this.#acknowledge(from, message.checkpointId, handle);
  }

  #acknowledge(from: SimProcess, checkpointId: CheckpointId, handle: FileHandle): void {
    const first = this.#acknowledged.get(handle.key);
    if (first === undefined) {
      this.#acknowledged.set(handle.key, handle);
      const problem = this.#records.problemOf(handle);
      if (problem !== null) this.#report(from, checkpointId, problem);
    } else if (first.sizeBytes !== handle.sizeBytes || first.checksum !== handle.checksum) {
      this.#report(from, checkpointId, `${handle.key} was acknowledged before with another size or checksum`);
    }
  }

  recordWritten(record: CheckpointRecord): void {
    const { checkpointId, problem } = record;
    const { report } = this.#context;
    if (problem !== null) report(`checkpoint ${checkpointId} completed although ${problem}`);
    if (checkpointId <= this.#lastRecorded) {
      report(`checkpoint ${checkpointId} completed after checkpoint ${this.#lastRecorded}`);
    }
    this.#lastRecorded = Math.max(this.#lastRecorded, checkpointId);
  }

  savepointWritten({ checkpointId, problem }: CheckpointRecord): void {
    if (problem !== null) this.#context.report(`savepoint ${checkpointId} completed although ${problem}`);
  }

  finish(): void {}

  #report(worker: SimProcess, checkpointId: number, problem: string): void {
    this.#context.report(`${worker.name} acknowledged checkpoint ${checkpointId} although ${problem}`);
  }

  #triggered(id: number, attempt: number): void {
    const { report } = this.#context;
    let own: IdsOfAttempt | null = null;
    for (const ids of this.#ids) {
      if (ids.attempt === attempt) own = ids;
      if (ids.attempt <= attempt && id <= ids.greatest) {
        report(`checkpoint ${id} of attempt ${attempt} was triggered after checkpoint ${ids.greatest} of attempt ${ids.attempt}`);
      } else if (ids.attempt > attempt && id >= ids.least) {
        report(`checkpoint ${id} of attempt ${attempt} is not below checkpoint ${ids.least} of the later attempt ${ids.attempt}`);
      }
    }
    if (own === null) this.#ids.push({ attempt, least: id, greatest: id });
    else own.greatest = Math.max(own.greatest, id);
  }
}
