import { invariant } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import { TRACE } from "../ports/tracer.ts";
import type { SinkWriterContext } from "../api/sink.ts";
import type { LogRetry } from "./log-retry.ts";
import type { SinkTransaction } from "./sink-transaction.ts";

interface CommitRequest {
  readonly checkpointId: CheckpointId;
  readonly done: (error: string | null) => void;
}

/**
 * Commits the transactions of completed checkpoints, in checkpoint order and one at a time. Committing is
 * idempotent, so an unknown outcome is repeated; what still cannot be committed fails the task, and is
 * committed by its successor.
 */
export class TransactionCommitter {
  readonly #context: SinkWriterContext;
  readonly #retry: LogRetry;
  /** Shared with the writer, which adds at the end; committed ones leave at the front. */
  readonly #uncommitted: SinkTransaction[];
  readonly #requests: CommitRequest[] = [];
  #busy: boolean = false;

  constructor(context: SinkWriterContext, retry: LogRetry, uncommitted: SinkTransaction[]) {
    this.#context = context;
    this.#retry = retry;
    this.#uncommitted = uncommitted;
  }

  commit(checkpointId: CheckpointId, done: (error: string | null) => void): void {
    this.#requests.push({ checkpointId, done });
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const request = this.#requests[0];
    if (request === undefined) return;
    const transaction = this.#uncommitted[0];
    if (transaction !== undefined && transaction.checkpointId <= request.checkpointId) {
      this.#commit(transaction, request);
      return;
    }
    this.#requests.shift();
    request.done(null);
    this.#next();
  }

  #commit(transaction: SinkTransaction, request: CommitRequest): void {
    const { producerId, transactionId, checkpointId } = transaction;
    invariant(transaction.state === "prepared", `checkpoint ${request.checkpointId} completed with ${transactionId} prepared`);
    const { ports, subject } = this.#context;
    this.#busy = true;
    ports.tracer.point(TRACE.transactionCommitting, subject, checkpointId, 1);
    this.#retry.run<null>(
      "when-unavailable-or-unknown",
      (reply) => ports.log.commit(producerId, transactionId, reply),
      (reply) => {
        this.#busy = false;
        if (!reply.ok) {
          this.#requests.shift();
          request.done(`committing ${transactionId} failed: ${reply.code}`);
          return;
        }
        this.#uncommitted.shift();
        ports.tracer.point(TRACE.transactionCommitted, subject, checkpointId, 1);
        this.#next();
      },
    );
  }
}
