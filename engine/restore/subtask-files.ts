import { present } from "../base/assert.ts";
import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { SubtaskSnapshot } from "../checkpoint/snapshot-file.ts";
import { decodeSnapshotFile } from "../checkpoint/snapshot-file.ts";
import { retryStorage } from "../checkpoint/storage-retry.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { RestoreReads } from "./restore-strategy.ts";

/** What this host holds of a file, intact; else null. */
export type LocalReader = (file: FileHandle) => Uint8Array | null;

/** The own files of old subtasks as one restore reads them, and how much that was. */
export class SubtaskFiles {
  readonly #ports: ProcessPorts;
  readonly #local: LocalReader | null;
  readonly #snapshots: Map<string, SubtaskSnapshot> = new Map();
  /** Those that came from remote storage, where there are copies to be made of them. */
  readonly #fetched: Map<string, Uint8Array> = new Map();
  /** The last that was asked for is gone, or is not what it should be. */
  isLost: boolean = false;
  #remoteBytes = 0;
  #localBytes = 0;
  #requests = 0;

  /** `local` is asked first, where there is one. */
  constructor(ports: ProcessPorts, local: LocalReader | null = null) {
    this.#ports = ports;
    this.#local = local;
  }

  /** Reads what was not read yet, one after the other; `done` gets null, or why one of them could not be read. */
  read(files: readonly FileHandle[], done: (reason: string | null) => void): void {
    const next = files.find(({ key }) => !this.#snapshots.has(key));
    if (next === undefined) {
      done(null);
      return;
    }
    const then = (reason: string | null): void => {
      if (reason === null) this.read(files, done);
      else done(reason);
    };
    // The disk has taken its time before anything follows.
    if (this.#readLocal(next)) this.#ports.scheduler.resume(1, () => then(null));
    else this.#readOne(next, then);
  }

  #readLocal(file: FileHandle): boolean {
    const bytes = this.#local === null ? null : this.#local(file);
    if (bytes === null) return false;
    const opened = decodeSnapshotFile(bytes, file);
    if (!opened.ok) return false;
    this.#localBytes += bytes.length;
    this.#snapshots.set(file.key, opened.snapshot);
    return true;
  }

  /** Of a file that was read. */
  snapshotIn({ key }: FileHandle): SubtaskSnapshot {
    return present(this.#snapshots.get(key), "a file is read before it is looked into");
  }

  /** The bytes of a file that came from remote storage, or null. */
  fetched({ key }: FileHandle): Uint8Array | null {
    return this.#fetched.get(key) ?? null;
  }

  /** So far. */
  reads(): RestoreReads {
    return {
      remoteBytes: this.#remoteBytes,
      localBytes: this.#localBytes,
      files: this.#snapshots.size,
      requests: this.#requests,
    };
  }

  /** A short or damaged read is repeated like any other failed one. */
  #readOne(file: FileHandle, done: (reason: string | null) => void): void {
    const { blobs, scheduler } = this.#ports;
    retryStorage(
      scheduler,
      (report) => {
        this.#requests += 1;
        blobs.get(file.key, (reply) => {
          this.isLost = !reply.ok && reply.code === "not-found";
          if (!reply.ok) {
            report(`${file.key}: ${reply.code}`);
            return;
          }
          this.#remoteBytes += reply.value.length;
          const opened = decodeSnapshotFile(reply.value, file);
          if (opened.ok) this.#snapshots.set(file.key, opened.snapshot);
          if (opened.ok && this.#local !== null) this.#fetched.set(file.key, reply.value);
          this.isLost = !opened.ok;
          report(opened.ok ? null : opened.reason);
        });
      },
      () => true,
      done,
    );
  }
}
