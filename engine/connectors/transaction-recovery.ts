import { invariant, present } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import { NO_CHECKPOINT } from "../base/units.ts";
import type { LogError, LogReply, ProducerSession, TransactionInfo } from "../ports/external-log.ts";
import { TRACE } from "../ports/tracer.ts";
import type { SinkWriterContext } from "../api/sink.ts";
import type { LogRetry } from "./log-retry.ts";
import type { Committable, SinkTransactionIds } from "./sink-transaction.ts";

export type RecoveryOutcome =
  | { readonly ok: true; readonly session: ProducerSession }
  | { readonly ok: false; readonly reason: string };

type Settle = (committable: Committable, next: () => void) => void;

/**
 * Settles what earlier attempts left in the log, before anything is written. Opens a producer, which fences
 * theirs; commits what the restored checkpoint names, whether or not it was committed before the failure;
 * aborts what was begun after it, which no completed checkpoint knows. Where there once were more subtasks, the
 * producers of those that are gone are settled by those that are left, in turn.
 */
export class TransactionRecovery {
  readonly #context: SinkWriterContext;
  readonly #retry: LogRetry;
  readonly #ids: SinkTransactionIds;
  readonly #producerIds: readonly string[];
  #done: (outcome: RecoveryOutcome) => void = () => undefined;

  /** `producerIds`: the subtask's own, then those of subtasks that are gone. */
  constructor(context: SinkWriterContext, retry: LogRetry, ids: SinkTransactionIds, producerIds: readonly string[]) {
    this.#context = context;
    this.#retry = retry;
    this.#ids = ids;
    this.#producerIds = producerIds;
  }

  run(restored: readonly unknown[], done: (outcome: RecoveryOutcome) => void): void {
    this.#done = done;
    const committables = restored.map(asCommittable).sort((left, right) => left.checkpointId - right.checkpointId);
    const [own, ...orphaned] = this.#producerIds;
    this.#fence(present(own, "a subtask has a producer"), (session, left) => {
      this.#fenceAll(orphaned, left, (all) => {
        const abortLeft = (): void => this.#each(all, this.#abort, () => done({ ok: true, session }));
        this.#each(committables, this.#commit, abortLeft);
      });
    });
  }

  #fenceAll(producerIds: readonly string[], left: readonly Committable[], then: (left: readonly Committable[]) => void): void {
    const [first, ...rest] = producerIds;
    if (first === undefined) then(left);
    else this.#fence(first, (_session, more) => this.#fenceAll(rest, [...left, ...more], then));
  }

  /** Opens a producer, which fences those of earlier attempts, and lists what they left undecided. */
  #fence(producerId: string, then: (session: ProducerSession, left: readonly Committable[]) => void): void {
    const { log } = this.#context.ports;
    this.#ask<ProducerSession>(`opening producer ${producerId}`, (reply) => log.openProducer(producerId, reply), (session) => {
      this.#ask<readonly TransactionInfo[]>(`listing ${producerId}`, (reply) => log.pending(producerId, reply), (pending) => {
        const left = pending.filter(({ transactionId }) => this.#ids.isLeftOver(transactionId));
        then(session, left.map(({ transactionId }) => ({ producerId, transactionId, checkpointId: NO_CHECKPOINT })));
      });
    });
  }

  readonly #commit: Settle = (committable, next) => {
    const { ports, subject } = this.#context;
    const { producerId, transactionId, checkpointId } = committable;
    ports.tracer.point(TRACE.transactionCommitting, subject, checkpointId, 1);
    this.#ask<null>(`committing ${transactionId} again`, (reply) => ports.log.commit(producerId, transactionId, reply), () => {
      ports.tracer.point(TRACE.transactionCommitted, subject, checkpointId, 1);
      next();
    });
  };

  readonly #abort: Settle = (committable, next) => {
    const { ports, subject } = this.#context;
    const { producerId, transactionId, checkpointId } = committable;
    this.#ask<null>(`aborting ${transactionId}`, (reply) => ports.log.abort(producerId, transactionId, reply), () => {
      ports.tracer.point(TRACE.transactionAborted, subject, checkpointId, 1);
      next();
    });
  };

  #each(committables: readonly Committable[], settle: Settle, then: () => void): void {
    const [first, ...rest] = committables;
    if (first === undefined) then();
    else settle(first, () => this.#each(rest, settle, then));
  }

  /** Every one of these calls is idempotent, so unknown outcomes are repeated too. */
  #ask<T>(what: string, call: (reply: (reply: LogReply<T>) => void) => void, then: (value: T) => void): void {
    this.#retry.run<T>("when-unavailable-or-unknown", call, (reply) => {
      if (reply.ok) then(reply.value);
      else this.#done({ ok: false, reason: `${what} failed: ${explained(reply.code)}` });
    });
  }
}

function explained(code: LogError): string {
  return code === "aborted" || code === "absent" ? `${code} (what a completed checkpoint promised is lost)` : code;
}

function asCommittable(value: unknown): Committable {
  const { producerId, transactionId, checkpointId } = value as Readonly<Record<keyof Committable, unknown>>;
  invariant(
    typeof producerId === "string" && typeof transactionId === "string" && typeof checkpointId === "number",
    "a restored committable names its transaction",
  );
  return { producerId, transactionId, checkpointId: checkpointId satisfies CheckpointId };
}
