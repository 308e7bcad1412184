import { crc32 } from "../../engine/base/crc32.ts";
import type { Fence } from "../../engine/ports/coordination.ts";
import type { BlobObserver } from "../hosts/service-observers.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracle.ts";
import { LeftFiles } from "./referential-integrity-leaks.ts";
import { isUnclaimed } from "./unclaimed-snapshots.ts";

/**
 * Referential integrity: at every moment every file that a record in Coordination references is in the blob
 * store as its checksum says; and when a job has finished or was cancelled, nothing else is left there.
 *
 * What a version of the job was started from without a claim stays, record and files, and no later checkpoint names
 * any of its files: whoever owns it may take them away.
 *
 * Seen from the records, and from every put and delete as it takes effect (durability looks at the moment of
 * the record itself). Not seen: bytes that change without a put, before the end of the run.
 *
 * A file that no record references may be left behind by such a job only where the one that had to delete
 * it could not, or storage did not let it (see `LeftFiles`, which states the allowances).
 */
export const referentialIntegrityOracle: OracleKind = {
  name: "referential integrity",
  create: (context) => (context.graph.config.checkpoint === null ? null : new ReferentialIntegrity(context)),
};

class ReferentialIntegrity implements Oracle, BlobObserver, RecordListener {
  readonly name: string = referentialIntegrityOracle.name;
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  readonly #left: LeftFiles;
  readonly #retained: CheckpointRecord[] = [];

  constructor(context: OracleContext) {
    this.#context = context;
    const { world } = context;
    this.#records = CheckpointRecords.of(world);
    this.#records.listen(this);
    this.#left = new LeftFiles(context, this.#records);
    world.blobObservers.push(this);
  }

  recordWritten(record: CheckpointRecord): void {
    const { world, report } = this.#context;
    for (const other of this.#retained) {
      const shared = isUnclaimed(world, other) ? [...record.files.keys()].find((key) => other.files.has(key)) : undefined;
      if (shared === undefined) continue;
      report(`checkpoint ${record.checkpointId} names ${shared} of ${nameOf(other)}, from which the job was started without a claim`);
      break;
    }
    this.#retained.push(record);
  }

  savepointWritten(record: CheckpointRecord): void {
    this.#retained.push(record);
  }

  recordRemoved(record: CheckpointRecord, process: SimProcess, fence: Fence): void {
    const { world, report } = this.#context;
    if (isUnclaimed(world, record)) report(`${process.name} removed ${nameOf(record)}, on which the job has no claim`);
    this.#retained.splice(this.#retained.indexOf(record), 1);
    this.#left.recordRemoved(record, fence);
  }

  onPut(process: SimProcess, key: string, bytes: Uint8Array, before: Uint8Array | null): void {
    if (before === null) return;
    const record = this.#records.referencing(key);
    if (record === null) return;
    const file = record.files.get(key);
    if (file === undefined || (bytes.length === file.handle.sizeBytes && crc32(bytes) === file.handle.checksum)) return;
    this.#context.report(`${process.name} overwrote ${key}, which checkpoint ${record.checkpointId} references, with something else`);
  }

  onDelete(process: SimProcess, key: string): void {
    const record = this.#records.referencing(key);
    if (record === null) return;
    this.#context.report(`${process.name} deleted ${key}, which checkpoint ${record.checkpointId} references`);
  }

  finish(end: RunEnd): void {
    for (const { checkpointId, files } of this.#retained) {
      for (const { handle } of files.values()) {
        const problem = this.#records.problemOf(handle);
        if (problem !== null) this.#context.report(`checkpoint ${checkpointId} is retained, but ${problem}`);
      }
    }
    const isOver = end.job === "finished" || end.job === "cancelled";
    if (isOver && this.#context.world.kernel.crash === null) this.#left.check();
  }
}

function nameOf({ metadata, checkpointId }: CheckpointRecord): string {
  return `${metadata?.kind ?? "checkpoint"} ${checkpointId}`;
}
