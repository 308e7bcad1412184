import { present } from "../base/assert.ts";
import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { SubtaskSnapshot } from "../checkpoint/snapshot-file.ts";
import { decodeSnapshotFile } from "../checkpoint/snapshot-file.ts";
import { retryStorage } from "../checkpoint/storage-retry.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { RestoreCost } from "./restore-strategy.ts";

/** The own files of old subtasks as one restore reads them, and what that cost. */
export class SubtaskFiles {
  readonly #ports: ProcessPorts;
  readonly #startedUs: number;
  readonly #snapshots: Map<string, SubtaskSnapshot> = new Map();
  #remoteBytes = 0;
  #requests = 0;

  constructor(ports: ProcessPorts) {
    this.#ports = ports;
    this.#startedUs = ports.clock.nowUs();
  }

  /** Reads what was not read yet, one after the other; `done` gets null, or why one of them could not be read. */
  read(files: readonly FileHandle[], done: (reason: string | null) => void): void {
    const next = files.find(({ key }) => !this.#snapshots.has(key));
    if (next === undefined) {
      done(null);
      return;
    }
    this.#readOne(next, (reason) => {
      if (reason === null) this.read(files, done);
      else done(reason);
    });
  }

  /** Of a file that was read. */
  snapshotIn({ key }: FileHandle): SubtaskSnapshot {
    return present(this.#snapshots.get(key), "a file is read before it is looked into");
  }

  /** So far. */
  cost(): RestoreCost {
    return {
      remoteBytes: this.#remoteBytes,
      localBytes: 0,
      files: this.#snapshots.size,
      requests: this.#requests,
      durationUs: this.#ports.clock.nowUs() - this.#startedUs,
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
          if (!reply.ok) {
            report(`${file.key}: ${reply.code}`);
            return;
          }
          this.#remoteBytes += reply.value.length;
          const opened = decodeSnapshotFile(reply.value, file);
          if (opened.ok) this.#snapshots.set(file.key, opened.snapshot);
          report(opened.ok ? null : opened.reason);
        });
      },
      () => true,
      done,
    );
  }
}
