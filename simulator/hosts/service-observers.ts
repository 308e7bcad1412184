import type { BlobError } from "../../engine/ports/blob-store.ts";
import type { Fence, Register } from "../../engine/ports/coordination.ts";
import type { LogError, ProducerSession } from "../../engine/ports/external-log.ts";
import type { Address, Frame, Message, RpcReply } from "../../engine/ports/network.ts";
import type { SimProcess } from "../world/kernel.ts";

/**
 * How oracles watch the outside world without touching the engine. Every method may be left out. They are
 * called inside the step in which the thing happens, after its trace point and after its effect, and must
 * neither change what they are given nor call a port. `process` is the one that asked: it may be dead by
 * the time its call takes effect.
 */

/** What an observer knows of a connection; the same object for its whole life. */
export interface ObservedConnection<M extends Message> {
  /** 1, 2, 3 … in the order opened. */
  readonly number: number;
  readonly from: SimProcess;
  readonly to: Address;
  /** The process that accepted it; null while it is still being opened. */
  readonly acceptedBy: SimProcess | null;
  readonly hello: M;
}

export interface NetworkObserver<M extends Message = Message, F extends Frame = Frame> {
  /** `call` numbers the calls of a run: 1, 2, 3 … */
  onCallSent?(call: number, from: SimProcess, to: Address, message: M): void;
  /** Just before the handler runs; more than once for a call that was duplicated. */
  onCallDelivered?(call: number, from: Address, to: SimProcess, message: M): void;
  onCallResponded?(call: number, by: SimProcess, message: M): void;
  /** Just before the caller gets its one reply. */
  onCallReplied?(call: number, to: SimProcess, reply: RpcReply<M>): void;
  onConnectionOpened?(connection: ObservedConnection<M>): void;
  onConnectionAccepted?(connection: ObservedConnection<M>): void;
  /** One side learns that the connection broke. */
  onConnectionBroken?(connection: ObservedConnection<M>, learned: SimProcess): void;
  /** `forward`: from the side that opened the connection to the one that accepted it. */
  onFrameSent?(connection: ObservedConnection<M>, forward: boolean, frame: F): void;
  /** Just before the receiver handles it. */
  onFrameDelivered?(connection: ObservedConnection<M>, forward: boolean, frame: F): void;
}

export interface BlobObserver {
  /** The object is there from now on. `before`: what it replaced, or null. */
  onPut?(process: SimProcess, key: string, bytes: Uint8Array, before: Uint8Array | null): void;
  /** The object is gone from now on. Not called for deleting what is absent. */
  onDelete?(process: SimProcess, key: string, before: Uint8Array): void;
  /** A put leaves its caller. */
  onPutAsked?(process: SimProcess, key: string): void;
  /** A delete leaves its caller. */
  onDeleteAsked?(process: SimProcess, key: string): void;
  /** Just before the caller of a put or delete gets its reply; null: ok. */
  onAnswered?(process: SimProcess, call: "put" | "delete", key: string, code: BlobError | null): void;
}

export interface CoordinationObserver {
  onWrite?(process: SimProcess, before: Register, after: Register, fence: Fence): void;
  onWriteRefused?(process: SimProcess, current: Register, fence: Fence, code: "conflict" | "fenced"): void;
  onEpochGranted?(process: SimProcess, lease: string, epoch: number): void;
  /** Nobody holds the lease from now on. */
  onLeaseFreed?(lease: string, epoch: number, reason: "released" | "expired" | "lost"): void;
}

/** Why a transaction was aborted: on request, by a later producer of its id, or by the log's timeout. */
export type AbortReason = "requested" | "fenced" | "timeout";

export interface LogObserver {
  onProducerOpened?(process: SimProcess, session: ProducerSession): void;
  onAppend?(
    process: SimProcess,
    producer: ProducerSession,
    transactionId: string,
    topic: string,
    partition: number,
    firstOffset: number,
    records: readonly Uint8Array[],
  ): void;
  onPrepare?(process: SimProcess, producer: ProducerSession, transactionId: string): void;
  /** The decision itself: not called when a decided transaction is committed again. */
  onCommit?(process: SimProcess, producerId: string, transactionId: string): void;
  /** `process` is null when the log's timeout did it. */
  onAbort?(process: SimProcess | null, producerId: string, transactionId: string, reason: AbortReason): void;
  /** A call that changes the log was turned away. */
  onRefused?(process: SimProcess, call: number, producerId: string, transactionId: string, code: LogError): void;
  /** The read-committed view of a partition grew by these records, in offset order. */
  onVisible?(
    topic: string,
    partition: number,
    firstOffset: number,
    records: readonly Uint8Array[],
    transactionId: string,
  ): void;
}
