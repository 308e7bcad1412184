import { invariant } from "../base/assert.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { CheckpointMetadata } from "./checkpoint-metadata.ts";
import { encodeMetadata, metadataKey } from "./checkpoint-metadata.ts";
import type { FileHandle } from "./checksummed-file.ts";
import { FileSealer, handleOf } from "./checksummed-file.ts";
import type { PendingCheckpoint } from "./pending-checkpoint.ts";
import { SavepointCopies } from "./savepoint-copies.ts";
import { retryStorage } from "./storage-retry.ts";

/** How a commit ended. "deposed": another leader rules, and what became of the checkpoint is its business. */
export type CommitOutcome =
  | { readonly kind: "committed"; readonly checkpoint: PendingCheckpoint; readonly metadata: CheckpointMetadata; readonly file: FileHandle }
  | { readonly kind: "failed"; readonly checkpoint: PendingCheckpoint }
  | { readonly kind: "deposed" };

export interface CommitContext {
  readonly ports: ProcessPorts;
  readonly storagePrefix: string;
  readonly attempt: number;
  /** False where the checkpoint was given up in the meantime. */
  isPending(checkpoint: PendingCheckpoint): boolean;
  metadataOf(checkpoint: PendingCheckpoint): CheckpointMetadata;
  /** The commit point: writes the record that names the metadata file. Never ambiguous. */
  record(checkpoint: PendingCheckpoint, metadata: CheckpointMetadata, file: FileHandle, done: (outcome: "added" | "rejected") => void): void;
  decided(outcome: CommitOutcome): void;
}

/**
 * Brings checkpoints that every task acknowledged to their commit point, one at a time, in the order in which they
 * became complete: first the metadata file (and before it, what a savepoint has to copy), then the record. Once the record is being written nothing can stop it.
 */
export class CheckpointCommit {
  readonly #context: CommitContext;
  readonly #queue: PendingCheckpoint[] = [];
  readonly #sealer = new FileSealer();
  #current: PendingCheckpoint | null = null;
  #stopped = false;
  #abandoned = false;

  constructor(context: CommitContext) {
    this.#context = context;
  }

  /** The one under way: only its outcome can end it. */
  get current(): PendingCheckpoint | null {
    return this.#current;
  }

  add(checkpoint: PendingCheckpoint): void {
    invariant(checkpoint.missing === 0, "only a checkpoint that every task acknowledged is committed");
    this.#queue.push(checkpoint);
    this.#next();
  }

  /** No further commit begins; one whose record is not being written yet fails. */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
  }

  /** Not a word about anything any more. */
  abandon(): void {
    this.stop();
    this.#abandoned = true;
  }

  #next(): void {
    if (this.#current !== null || this.#stopped) return;
    const checkpoint = this.#queue.shift();
    if (checkpoint === undefined) return;
    if (this.#context.isPending(checkpoint)) this.#begin(checkpoint);
    else this.#next();
  }

  #begin(checkpoint: PendingCheckpoint): void {
    this.#current = checkpoint;
    const { ports, storagePrefix, attempt } = this.#context;
    const metadata = this.#context.metadataOf(checkpoint);
    if (metadata.kind === "checkpoint") {
      this.#write(checkpoint, metadata);
      return;
    }
    const copies = new SavepointCopies({ ports, storagePrefix, attempt, isWanted: () => !this.#stopped }, checkpoint, metadata);
    copies.run((complete) => {
      if (this.#abandoned) return;
      if (complete === null || this.#stopped) this.#decide({ kind: "failed", checkpoint });
      else this.#write(checkpoint, complete);
    });
  }

  #write(checkpoint: PendingCheckpoint, metadata: CheckpointMetadata): void {
    const { ports, storagePrefix, attempt } = this.#context;
    const bytes = encodeMetadata(metadata, this.#sealer);
    const file = handleOf(metadataKey(storagePrefix, metadata.kind, metadata.checkpointId, attempt), bytes);
    checkpoint.metadataKey = file.key;
    retryStorage(
      ports.scheduler,
      (report) => ports.blobs.put(file.key, bytes, (reply) => report(reply.ok ? null : reply.code)),
      () => !this.#stopped,
      (error) => {
        if (this.#abandoned) return;
        if (error !== null || this.#stopped) {
          this.#decide({ kind: "failed", checkpoint });
          return;
        }
        this.#context.record(checkpoint, metadata, file, (outcome) => {
          if (outcome === "added") this.#decide({ kind: "committed", checkpoint, metadata, file });
          else this.#decide({ kind: "deposed" });
        });
      },
    );
  }

  #decide(outcome: CommitOutcome): void {
    if (this.#abandoned) return;
    this.#current = null;
    this.#context.decided(outcome);
    this.#next();
  }
}
