import { invariant, present } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import { NO_CHECKPOINT, US_PER_MS } from "../base/units.ts";
import type { Fence, Register } from "../ports/coordination.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import { TRACE } from "../ports/tracer.ts";
import { retryStorage } from "./storage-retry.ts";
import type { CheckpointMetadata, CompletedCheckpoint } from "./checkpoint-metadata.ts";
import { decodeMetadata, filesOf, ownFilesOfCheckpoint, sharedFilesOfCheckpoint } from "./checkpoint-metadata.ts";
import type { StopMode } from "./checkpoint-properties.ts";
import { subsumed } from "./checkpoint-subsuming.ts";
import { CheckpointsCleaner } from "./checkpoints-cleaner.ts";
import type { FileHandle } from "./checksummed-file.ts";
import { readRegister, writeRegister } from "./register-writer.ts";
import type { SavepointRecord } from "./savepoint-record.ts";
import { parseSavepoint, savepointKey, savepointPrefix } from "./savepoint-record.ts";
import type { SnapshotRestore } from "./snapshot-restore.ts";
import { isOwned } from "./snapshot-restore.ts";
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
  /** What the job is started from, or null. */
  readonly restoreFrom: SnapshotRestore | null;
  /** False once this leader stepped down: nothing may be changed any more. */
  isActive(): boolean;
}

/** A record as it was found, and what it names. */
interface StoredRecord {
  readonly key: string;
  /** 0: there is none in this job's registers. */
  readonly version: number;
  readonly file: FileHandle;
  readonly stop: StopMode | null;
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
  /** Of savepoints that completed in this leader's term: acknowledgements of an earlier term are refused. */
  readonly #savepointFiles: Set<string> = new Set();
  #unreadable: string | null = null;
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

  /** For inspection: why the recovery goes on asking for the metadata of a checkpoint, or null. */
  get unreadable(): string | null {
    return this.#unreadable;
  }

  /** True for a file that a record names, or may still name: it must not be deleted, whoever asks. */
  references(key: string): boolean {
    for (const checkpoint of this.#retained) if (filesOf(checkpoint).includes(key)) return true;
    for (const checkpoint of this.#leaving) if (filesOf(checkpoint).includes(key)) return true;
    return this.#savepointFiles.has(key);
  }

  /** A savepoint completed: its files are its owner's from now on, whatever acknowledgement of it comes late or twice. */
  savepointCompleted(files: readonly string[]): void {
    for (const key of files) this.#savepointFiles.add(key);
  }

  /**
   * Reads all records and their metadata. A record that cannot be read now is waited for, never skipped:
   * going on with an older checkpoint would take back what the newer one committed.
   */
  recover(done: () => void): void {
    const { jobId } = this.#context;
    this.#list(`${jobId}/checkpoints/`, (records) =>
      this.#list(savepointPrefix(jobId), (savepoints) => {
        const checkpoints = this.#checkpointsToRead(records);
        const latestId = Math.max(NO_CHECKPOINT, ...checkpoints.map(({ checkpointId }) => checkpointId));
        const savepoint = this.#startingSavepoint(savepoints, latestId);
        this.#readAll(savepoint === null ? checkpoints : [...checkpoints, savepoint], 0, [], done);
      }),
    );
  }

  /**
   * The job's own, and the one that it is started from: as long as it has completed none itself, that is its latest.
   * What somebody else has beside it is left alone.
   */
  #checkpointsToRead(registers: readonly Register[]): readonly (StoredRecord & { readonly checkpointId: CheckpointId })[] {
    const { restoreFrom } = this.#context;
    const given = restoreFrom !== null && restoreFrom.snapshot.kind === "checkpoint" ? restoreFrom.snapshot : null;
    const all = registers.map(({ key, value, version }) => {
      const file = JSON.parse(present(value, "a listed register has a value")) as FileHandle;
      return { checkpointId: Number(key.slice(key.lastIndexOf("/") + 1)), key, version, file, stop: null };
    });
    const read = all.filter(({ checkpointId }) => checkpointId === given?.checkpointId || isOwned(restoreFrom, { kind: "checkpoint", checkpointId }));
    const hasOne = given !== null && read.some(({ checkpointId }) => checkpointId >= given.checkpointId);
    if (given === null || hasOne) return read;
    return [...read, { checkpointId: given.checkpointId, key: this.#key(given.checkpointId), version: 0, file: given.file, stop: null }];
  }

  /**
   * A savepoint that the job stopped with, or is started from, counts as a checkpoint until a newer one completed:
   * what it prepared may be committed already.
   */
  #startingSavepoint(registers: readonly Register[], latestId: CheckpointId): StoredRecord | null {
    const { jobId, restoreFrom } = this.#context;
    const given = restoreFrom?.snapshot.kind === "savepoint" ? restoreFrom.snapshot : null;
    const known = registers.map(({ value, version }) => ({ savepoint: parseSavepoint(present(value, "a listed register has a value")), version }));
    const candidates = known.filter(({ savepoint }) => savepoint.stop !== null || savepoint.requestId === given?.requestId);
    if (given !== null && !candidates.some(({ savepoint }) => savepoint.checkpointId === given.checkpointId)) {
      candidates.push({ savepoint: given, version: 0 });
    }
    candidates.sort((left, right) => left.savepoint.checkpointId - right.savepoint.checkpointId);
    const last = candidates.at(-1);
    if (last === undefined || last.savepoint.checkpointId <= latestId) return null;
    const { requestId, file, stop } = last.savepoint;
    return { key: savepointKey(jobId, requestId), version: last.version, file, stop };
  }

  #list(prefix: string, done: (records: readonly Register[]) => void): void {
    const { ports } = this.#context;
    ports.coordination.list(prefix, (reply) => {
      if (!this.#context.isActive()) return;
      if (reply.ok) done(reply.value);
      else ports.scheduler.after(RECOVERY_RETRY_US, () => this.#list(prefix, done));
    });
  }

  #readAll(records: readonly StoredRecord[], index: number, read: CompletedCheckpoint[], done: () => void): void {
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
    for (const { metadata, isOwned: isOurs } of read) {
      const files = sharedFilesOfCheckpoint(metadata);
      const refusal = this.#shared.registerAllAfterRestored(metadata.checkpointId, files, isOurs || metadata.kind === "savepoint");
      invariant(refusal === null, "a key in shared storage stands for the same bytes in all retained checkpoints");
    }
    ports.tracer.point(TRACE.storeRecovered, subject, this.latest()?.metadata.checkpointId ?? -1, read.length);
    done();
  }

  /** Repeated for as long as it takes (FLINK-7783). */
  #readOne(record: StoredRecord, done: (checkpoint: CompletedCheckpoint) => void): void {
    const { ports } = this.#context;
    if (!this.#context.isActive()) return;
    const { key, version, file, stop } = record;
    ports.blobs.get(file.key, (reply) => {
      const result = reply.ok ? decodeMetadata(reply.value, file) : { ok: false as const, reason: `${file.key}: ${reply.code}` };
      this.#unreadable = result.ok ? null : result.reason;
      if (result.ok) {
        const { metadata } = result;
        done({ metadata, file, record: { key, version }, stop, isOwned: isOwned(this.#context.restoreFrom, metadata) });
        return;
      }
      ports.scheduler.after(RECOVERY_RETRY_US, () => this.#readOne(record, done));
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
      this.#retained.push({ metadata, file, record: { key, version: outcome.version }, stop: null, isOwned: true });
      done("added");
    });
  }

  /** The job stops with this savepoint, whose record is written: nothing older is to be restored any more. */
  stoppedWith(metadata: CheckpointMetadata, { requestId, file, stop }: SavepointRecord): void {
    const record = { key: savepointKey(this.#context.jobId, requestId), version: 0 };
    this.#retained.push({ metadata, file, record, stop, isOwned: false });
  }

  /** Lets those go that need not be retained any more, the oldest first. */
  subsumeOldest(): void {
    const all = this.#retained.map((checkpoint) => {
      const { metadata, stop } = checkpoint;
      return { checkpointId: metadata.checkpointId, properties: { kind: metadata.kind, stop }, checkpoint };
    });
    for (const { checkpoint } of subsumed(all, this.#context.retained)) this.#remove(checkpoint, () => undefined);
  }

  /**
   * The job has ended, and its checkpoints are not to stay. What is not the job's is left alone. `done`: the records
   * are gone, or another leader rules.
   */
  removeAll(done: () => void): void {
    const all = this.#retained.slice();
    let left = all.length;
    const oneLess = (): void => {
      left -= 1;
      if (left === 0) done();
    };
    for (const checkpoint of all) this.#remove(checkpoint, oneLess);
    if (all.length === 0) done();
  }

  /** First the record goes, then the files. */
  #remove(checkpoint: CompletedCheckpoint, done: () => void): void {
    this.#retained = this.#retained.filter((one) => one !== checkpoint);
    const { metadata, record } = checkpoint;
    if (!checkpoint.isOwned) {
      this.#discardUnusedShared();
      done();
      return;
    }
    const { ports, subject, fence, isActive } = this.#context;
    const { checkpointId } = metadata;
    ports.tracer.point(TRACE.checkpointSubsumed, subject, checkpointId, 0);
    const write = { key: record.key, expectedVersion: record.version, value: null, fence };
    this.#leaving.add(checkpoint);
    const gone = (): void => {
      this.#leaving.delete(checkpoint);
      this.discardFiles(checkpointId, ownFilesOfCheckpoint(checkpoint));
      this.#discardUnusedShared();
    };
    // Of a snapshot from elsewhere there is no record here.
    if (record.version === 0) {
      gone();
      done();
      return;
    }
    writeRegister(ports, write, isActive, (outcome) => {
      if (outcome.kind === "written") gone();
      done();
    });
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

  /** For inspection: no longer retained, but their records may still be there. */
  get leaving(): readonly CompletedCheckpoint[] {
    return [...this.#leaving];
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

  /** For inspection. */
  get next(): CheckpointId {
    return this.#next;
  }

  recover(done: () => void): void {
    const { ports, isActive } = this.#context;
    readRegister(ports, this.#key(), isActive, (register) => {
      this.#version = register.version;
      if (register.value !== null) this.#next = (JSON.parse(register.value) as { next: number }).next;
      // A job that starts from somebody else's snapshot goes on counting from there.
      this.#next = Math.max(this.#next, (this.#context.restoreFrom?.snapshot.checkpointId ?? 0) + 1);
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
