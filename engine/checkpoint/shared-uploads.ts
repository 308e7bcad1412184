import { present } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import { TRACE } from "../ports/tracer.ts";
import { retryStorage } from "./storage-retry.ts";
import type { SharedFile } from "./subtask-state.ts";
import type { OperatorFile, TaskSharedFiles } from "./task-shared-files.ts";

/**
 * Brings the shared files of one snapshot to remote storage, one after the other: the new ones are uploaded, the
 * others named. As long as nobody was told of them, the new ones are the snapshot's own to take away again.
 */
export class SharedUploads {
  readonly #files: TaskSharedFiles;
  readonly #checkpointId: CheckpointId;
  readonly #isWanted: () => boolean;
  readonly #uploaded: string[] = [];
  readonly #shared: SharedFile[] = [];
  #bytes = 0;

  constructor(files: TaskSharedFiles, checkpointId: CheckpointId, isWanted: () => boolean) {
    this.#files = files;
    this.#checkpointId = checkpointId;
    this.#isWanted = isWanted;
  }

  /** Once `run` was answered without an error. */
  get shared(): readonly SharedFile[] {
    return this.#shared;
  }

  /** That were uploaded. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `done` gets null, or why not all files are there; once they are not wanted any more, "abandoned". */
  run(files: readonly OperatorFile[], done: (error: string | null) => void, from: number = 0): void {
    for (let at = from; at < files.length; at += 1) {
      const one = present(files[at], "the index is in range");
      const { bytes } = one.file;
      if (bytes === null) {
        this.#shared.push(this.#files.placeholder(this.#checkpointId, one));
        continue;
      }
      this.#upload(one, bytes, (error) => {
        if (error === null) this.run(files, done, at + 1);
        else done(error);
      });
      return;
    }
    done(null);
  }

  /** Takes the new files away again, as far as storage lets us. */
  discard(): void {
    const { blobs, scheduler } = this.#files.ports;
    for (const key of this.#uploaded.splice(0)) {
      retryStorage(
        scheduler,
        (report) => blobs.delete(key, (reply) => report(reply.ok ? null : reply.code)),
        () => true,
        () => undefined,
      );
    }
  }

  #upload(one: OperatorFile, bytes: Uint8Array, done: (error: string | null) => void): void {
    const { ports, subject } = this.#files;
    const handle = this.#files.handleFor(this.#checkpointId, one.file);
    this.#uploaded.push(handle.key);
    retryStorage(
      ports.scheduler,
      (report) => ports.blobs.put(handle.key, bytes, (reply) => report(reply.ok ? null : reply.code)),
      this.#isWanted,
      (error) => {
        if (error !== null || !this.#isWanted()) {
          done(error ?? "abandoned");
          return;
        }
        this.#bytes += bytes.length;
        ports.tracer.point(TRACE.sharedFileUploaded, subject, this.#checkpointId, bytes.length);
        this.#shared.push(this.#files.uploaded(this.#checkpointId, one, handle));
        this.#files.keep(this.#checkpointId, handle, bytes, this.#isWanted, () => done(this.#isWanted() ? null : "abandoned"));
      },
    );
  }
}
