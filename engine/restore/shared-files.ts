import { crc32 } from "../base/crc32.ts";
import { present } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import { retryStorage } from "../checkpoint/storage-retry.ts";
import type { SharedFile } from "../checkpoint/subtask-state.ts";
import type { TaskSharedFiles } from "../checkpoint/task-shared-files.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { RestoreReads } from "./restore-strategy.ts";

/**
 * The shared files that one restore needs: from the host where it holds them intact, else from remote storage,
 * and then the host keeps them. Nothing whose length or checksum differs is ever given out.
 */
export class SharedFileReads {
  readonly #ports: ProcessPorts;
  readonly #checkpointId: CheckpointId;
  /** Null: nothing is kept on this host. */
  readonly #host: TaskSharedFiles | null;
  readonly #isWanted: () => boolean;
  /** By key in storage. */
  readonly #bytes: Map<string, Uint8Array> = new Map();
  #remoteBytes = 0;
  #localBytes = 0;
  #requests = 0;

  constructor(ports: ProcessPorts, checkpointId: CheckpointId, host: TaskSharedFiles | null, isWanted: () => boolean) {
    this.#ports = ports;
    this.#checkpointId = checkpointId;
    this.#host = host;
    this.#isWanted = isWanted;
  }

  /** Reads what was not read yet, one after the other; `done` gets null, or why one could not be read. */
  read(files: readonly SharedFile[], done: (reason: string | null) => void): void {
    const next = files.find(({ file }) => !this.#bytes.has(file.key));
    if (next === undefined) {
      done(null);
      return;
    }
    const then = (reason: string | null): void => {
      if (reason === null) this.read(files, done);
      else done(reason);
    };
    const local = this.#host?.cached(this.#checkpointId, next.file) ?? null;
    if (local === null) {
      this.#fetch(next.file, then);
      return;
    }
    this.#localBytes += local.length;
    this.#bytes.set(next.file.key, local);
    // The disk has taken its time before anything follows.
    this.#ports.scheduler.resume(1, () => then(null));
  }

  /** Of a file that was read. */
  bytesOf({ file }: SharedFile): Uint8Array {
    return present(this.#bytes.get(file.key), "a file is read before it is looked into");
  }

  /** So far. */
  reads(): RestoreReads {
    return { remoteBytes: this.#remoteBytes, localBytes: this.#localBytes, files: this.#bytes.size, requests: this.#requests };
  }

  /** A short or damaged read is repeated like any other failed one. */
  #fetch(file: FileHandle, done: (reason: string | null) => void): void {
    const { blobs, scheduler } = this.#ports;
    retryStorage(
      scheduler,
      (report) => {
        this.#requests += 1;
        blobs.get(file.key, (reply) => {
          if (!reply.ok) {
            report(`${file.key}: ${reply.code}`);
            return;
          }
          this.#remoteBytes += reply.value.length;
          const reason = faultIn(reply.value, file);
          if (reason === null) this.#bytes.set(file.key, reply.value);
          report(reason);
        });
      },
      () => true,
      (error) => {
        const bytes = error === null ? this.#bytes.get(file.key) : undefined;
        if (bytes === undefined || this.#host === null || !this.#isWanted()) done(error);
        else this.#host.keep(this.#checkpointId, file, bytes, this.#isWanted, () => done(null));
      },
    );
  }
}

function faultIn(bytes: Uint8Array, { key, sizeBytes, checksum }: FileHandle): string | null {
  if (bytes.length !== sizeBytes) return `${key}: ${bytes.length} bytes where ${sizeBytes} were written`;
  return crc32(bytes) === checksum ? null : `${key}: checksum differs`;
}
