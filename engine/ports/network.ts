import type { CheckpointId } from "../base/units.ts";

/** Name of a process ("worker-2"); a restarted process answers at the address of the one before. */
export type Address = string;

/** A control message. What an observer may know of it: its kind, whom it concerns, which checkpoint. */
export interface Message {
  readonly kind: string;
  /** Interned name (see Tracer) of the subtask or process that the message is about. */
  readonly subject: number;
  /** The checkpoint concerned, or NO_CHECKPOINT. */
  readonly checkpointId: CheckpointId;
}

/** What travels over a data connection. */
export interface Frame {
  /** Number of records inside; 0 for frames that carry only an event or a credit. */
  readonly recordCount: number;
  /** Checkpoint of the barrier that ends this frame, or NO_CHECKPOINT. */
  readonly checkpointId: CheckpointId;
}

export type RpcError = "timeout" | "unreachable";
export type RpcReply<M extends Message> =
  | { readonly ok: true; readonly message: M }
  | { readonly ok: false; readonly code: RpcError };

/** One end of a connection. */
export interface Connection<F extends Frame> {
  /** Queues a frame; frames arrive in the order sent, unless the connection breaks. No effect once broken. */
  send(frame: F): void;
  /** Breaks the connection on purpose; the other side learns of it later. */
  close(): void;
}

export interface ConnectionHandlers<F extends Frame> {
  onFrame(frame: F): void;
  /** At most once; no frame follows. */
  onBroken(): void;
}

/**
 * Reliable FIFO connections for data, unreliable request and reply for control.
 *
 * Promises: a connection never reorders, duplicates or drops a frame in its middle; when it breaks, both
 * living sides learn of it eventually, and frames under way may be lost. A call gets exactly one reply,
 * at the latest at its timeout. May go wrong: a request or a reply is lost, late or delivered twice (so
 * handlers must be idempotent), calls overtake each other, hosts are partitioned, also in one direction.
 * The caller must not assume that a call that timed out had no effect, nor that the process that answers
 * is the one that answered before.
 */
export interface Network<M extends Message, F extends Frame> {
  call(to: Address, message: M, timeoutUs: number, onReply: (reply: RpcReply<M>) => void): void;
  /** Sends without asking for a reply: it arrives once, several times or never. */
  cast(to: Address, message: M): void;
  /**
   * Installs the handler of incoming calls and casts; `respond` may be called at most once, also later
   * (for a cast it does nothing).
   */
  serve(handler: (from: Address, message: M, respond: (message: M) => void) => void): void;
  /** Opens a connection; `hello` is handed to the other side's `listen`. Breaks if nobody listens. */
  connect(to: Address, hello: M, handlers: ConnectionHandlers<F>): Connection<F>;
  /** Installs the acceptor of connections; returning null refuses (the other side sees it break). */
  listen(accept: (from: Address, hello: M, connection: Connection<F>) => ConnectionHandlers<F> | null): void;
}
