import { invariant, present } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import { US_PER_MS } from "../base/units.ts";
import type { Fence, Register } from "../ports/coordination.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import { TRACE } from "../ports/tracer.ts";
import { retryStorage } from "./storage-retry.ts";
import type { CheckpointMetadata, CompletedCheckpoint } from "./checkpoint-metadata.ts";
import { decodeMetadata, filesOf, ownFilesOfCheckpoint, sharedFilesOfCheckpoint } from "./checkpoint-metadata.ts";
import { CheckpointsCleaner } from "./checkpoints-cleaner.ts";
import type { FileHandle } from "./checksummed-file.ts";
import { readRegister, writeRegister } from "./register-writer.ts";
import type { SharedEntry, SharedFileRefusal } from "./shared-state-registry.ts";
import { SharedStateRegistry } from "./shared-state-registry.ts";
import type { SharedFile } from "./subtask-state.ts";

const RECOVERY_RETRY_US = 200 * US_PER_MS;

export interface CompletedStoreContext {
  readonly ports: ProcessPorts;
  readonly subject: number;
  readonly jobId: string;
  readonly fence: Fence;
  readonly retained: number;
  /** False once this leader stepped down: nothing may be changed any more. */
  isActive(): boolean;
}

/**
 * The completed checkpoints of a job: one record each in Coordination, under "<job>/checkpoints/<id>",
 * which names the metadata file. That record is the commit point: a checkpoint is complete if and only if
 * its record exists. Everything it references is durable before the record is written, and is deleted only
 * after the record is gone.
 */
export class CompletedStore {
  readonly #context: CompletedStoreContext;
  /** Oldest first. */
  #retained: CompletedCheckpoint[] = [];
  /** No longer retained, but their records may still be there. */
  readonly #leaving: Set<CompletedCheckpoint> = new Set();
  /** As long as this leader's term: attempts come and go, what storage holds does not (FLINK-7268). */
  readonly #shared: SharedStateRegistry = new SharedStateRegistry();
  #closed = false;
  readonly #cleaner: CheckpointsCleaner = new CheckpointsCleaner(() => this.onCleaned());
  /** What to call when the files of a checkpoint are gone. */
  onCleaned: () => void = () => undefined;

  constructor(context: CompletedStoreContext) {
    invariant(context.retained >= 1, "at least one checkpoint is retained");
    this.#context = context;
  }

  get retained(): readonly CompletedCheckpoint[] {
    return this.#retained;
  }

  /** Checkpoints whose files are being deleted. */
  get cleaning(): number {
    return this.#cleaner.cleaning;
  }

  latest(): CompletedCheckpoint | null {
    return this.#retained.at(-1) ?? null;
  }

  /** True for a file that a record names, or may still name: it must not be deleted, whoever asks. */
  references(key: string): boolean {
    for (const checkpoint of this.#retained) if (filesOf(checkpoint).includes(key)) return true;
    for (const checkpoint of this.#leaving) if (filesOf(checkpoint).includes(key)) return true;
    return false;
  }

  /**
   * Reads all records and their metadata. A record that cannot be read now is waited for, never skipped:
   * going on with an older checkpoint would take back what the newer one committed.
   */
  recover(done: () => void): void {
    const { ports, jobId } = this.#context;
    ports.coordination.list(`${jobId}/checkpoints/`, (reply) => {
      if (!this.#context.isActive()) return;
      if (!reply.ok) {
        ports.scheduler.after(RECOVERY_RETRY_US, () => this.recover(done));
        return;
      }
      this.#readAll(reply.value, 0, [], done);
    });
  }

  #readAll(records: readonly Register[], index: number, read: CompletedCheckpoint[], done: () => void): void {
    const { ports, subject } = this.#context;
    if (index < records.length) {
      this.#readOne(present(records[index], "index is in range"), (checkpoint) => {
        read.push(checkpoint);
        this.#readAll(records, index + 1, read, done);
      });
      return;
    }
    read.sort((left, right) => left.metadata.checkpointId - right.metadata.checkpointId);
    this.#retained = read;
    for (const { metadata } of read) {
      const files = sharedFilesOfCheckpoint(metadata);
      const refusal = this.#shared.registerAllAfterRestored(metadata.checkpointId, files, true);
      invariant(refusal === null, "a key in shared storage stands for the same bytes in all retained checkpoints");
    }
    ports.tracer.point(TRACE.storeRecovered, subject, this.latest()?.metadata.checkpointId ?? -1, read.length);
    done();
  }

  #readOne(record: Register, done: (checkpoint: CompletedCheckpoint) => void): void {
    const { ports } = this.#context;
    if (!this.#context.isActive()) return;
    const file = JSON.parse(present(record.value, "a listed register has a value")) as FileHandle;
    ports.blobs.get(file.key, (reply) => {
      const result = reply.ok ? decodeMetadata(reply.value, file) : null;
      if (result !== null && result.ok) done({ metadata: result.metadata, file, version: record.version });
      else ports.scheduler.after(RECOVERY_RETRY_US, () => this.#readOne(record, done));
    });
  }

  /** The commit point. "rejected": another leader's record is there, or rules. Never ambiguous. */
  add(metadata: CheckpointMetadata, file: FileHandle, done: (outcome: "added" | "rejected") => void): void {
    const { ports, fence, isActive } = this.#context;
    const key = this.#key(metadata.checkpointId);
    const value = JSON.stringify({ key: file.key, sizeBytes: file.sizeBytes, checksum: file.checksum });
    writeRegister(ports, { key, expectedVersion: 0, value, fence }, isActive, (outcome) => {
      if (outcome.kind !== "written") {
        done("rejected");
        return;
      }
      invariant((this.latest()?.metadata.checkpointId ?? 0) < metadata.checkpointId, "checkpoints complete in order");
      this.#retained.push({ metadata, file, version: outcome.version });
      done("added");
    });
  }

  /** Lets the oldest go where more than `retained` are there: first the record, then the files. */
  subsumeOldest(): void {
    if (this.#retained.length <= this.#context.retained) return;
    const oldest = present(this.#retained.shift(), "more than the retained number are there");
    const { ports, subject, fence, isActive } = this.#context;
    const checkpointId = oldest.metadata.checkpointId;
    ports.tracer.point(TRACE.checkpointSubsumed, subject, checkpointId, 0);
    const write = { key: this.#key(checkpointId), expectedVersion: oldest.version, value: null, fence };
    this.#leaving.add(oldest);
    writeRegister(ports, write, isActive, (outcome) => {
      if (outcome.kind !== "written") return;
      this.#leaving.delete(oldest);
      this.discardFiles(checkpointId, ownFilesOfCheckpoint(oldest));
      this.#discardUnusedShared();
    });
    this.subsumeOldest();
  }

  /**
   * What an acknowledgement shares, of whatever attempt and however late: from now on these files are here to be
   * deleted. Returns why one of them was refused, or null.
   */
  registerShared(checkpointId: CheckpointId, shared: readonly SharedFile[]): SharedFileRefusal | null {
    let refused: SharedFileRefusal | null = null;
    for (const { file, isPlaceholder } of shared) {
      refused = this.#shared.register(file, isPlaceholder, checkpointId) ?? refused;
    }
    if (this.#closed) this.#discardUnreferencedShared();
    return refused;
  }

  /** The job is over: no checkpoint follows that could share anything with what is retained. */
  close(): void {
    this.#closed = true;
    this.#discardUnreferencedShared();
  }

  /** For inspection: the shared files that this leader knows of. */
  sharedFiles(): readonly SharedEntry[] {
    return this.#shared.entries();
  }

  /** Records that are being removed may still be there: until they are gone, nothing that they need may go. */
  #discardUnusedShared(): void {
    const ids = [...this.#retained, ...this.#leaving].map(({ metadata }) => metadata.checkpointId);
    if (this.#closed) this.#discardUnreferencedShared();
    else if (ids.length > 0) this.#discardShared(this.#shared.unregisterUnused(Math.min(...ids)));
  }

  #discardUnreferencedShared(): void {
    const referenced = new Set<string>();
    for (const { metadata } of [...this.#retained, ...this.#leaving]) {
      for (const { key } of sharedFilesOfCheckpoint(metadata)) referenced.add(key);
    }
    this.#discardShared(this.#shared.unregisterAllBut(referenced));
  }

  #discardShared(entries: readonly SharedEntry[]): void {
    const { ports, subject } = this.#context;
    for (const { file, createdBy, lastUsed } of entries) {
      ports.tracer.point(TRACE.sharedFileDiscarded, subject, createdBy, lastUsed);
      this.#delete(file.key, () => undefined);
    }
  }

  /** Deletes files, except those that a record references. Failed deletes are given up after a few tries. */
  discardFiles(checkpointId: CheckpointId, keys: readonly string[]): void {
    const { ports, subject } = this.#context;
    const unused = keys.filter((key) => !this.references(key));
    ports.tracer.point(TRACE.checkpointDiscarded, subject, checkpointId, unused.length);
    this.#cleaner.clean(unused, (key, done) => this.#delete(key, done));
  }

  #delete(key: string, done: () => void): void {
    const { ports, isActive } = this.#context;
    retryStorage(
      ports.scheduler,
      (report) => ports.blobs.delete(key, (reply) => report(reply.ok ? null : reply.code)),
      isActive,
      done,
    );
  }

  #key(checkpointId: CheckpointId): string {
    return `${this.#context.jobId}/checkpoints/${checkpointId}`;
  }
}

/** Hands out checkpoint ids that grow across leaders: the next one is kept in a register. */
export class CheckpointIdCounter {
  readonly #context: CompletedStoreContext;
  #next: CheckpointId = 1;
  #version = 0;

  constructor(context: CompletedStoreContext) {
    this.#context = context;
  }

  recover(done: () => void): void {
    const { ports, isActive } = this.#context;
    readRegister(ports, this.#key(), isActive, (register) => {
      this.#version = register.version;
      if (register.value !== null) this.#next = (JSON.parse(register.value) as { next: number }).next;
      done();
    });
  }

  /** Takes the next id; null where this leader was deposed. */
  take(done: (checkpointId: CheckpointId | null) => void): void {
    const { ports, fence, isActive } = this.#context;
    const taken = this.#next;
    const value = JSON.stringify({ next: taken + 1, epoch: fence.epoch });
    const write = { key: this.#key(), expectedVersion: this.#version, value, fence };
    writeRegister(ports, write, isActive, (outcome) => {
      if (outcome.kind !== "written") {
        done(null);
        return;
      }
      this.#version = outcome.version;
      this.#next = taken + 1;
      done(taken);
    });
  }

  #key(): string {
    return `${this.#context.jobId}/checkpoint-counter`;
  }
}
