import { invariant, present } from "../../engine/base/assert.ts";
import { FRAMES_UNDER_WAY_LIMIT } from "../../engine/base/limits.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type { Address, Connection, ConnectionHandlers, Frame, Message } from "../../engine/ports/network.ts";
import type { InteractionFault } from "../faults/fault.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { Kernel, Latency, SimProcess } from "../world/kernel.ts";
import { FrameQueue } from "./frame-queue.ts";
import type { NetworkObserver, ObservedConnection } from "./service-observers.ts";
import type { Watchers } from "./watchers.ts";

/** How long a side takes to notice that the other one fell silent without a word (partition, power loss). */
const SILENCE_NOTICED_US = 100_000;
/** What one record of a frame adds to its transfer time. */
const NOMINAL_RECORD_BYTES = 32;

/** How a connection ends: with a last word to the other side, or in silence. */
export type BreakManner = "told" | "silent";

/** A connection with its two ends. See SimNetwork for what may go wrong with one. */
export class SimConnection<M extends Message, F extends Frame> implements ObservedConnection<M> {
  readonly number: number;
  readonly from: SimProcess;
  readonly to: Address;
  readonly hello: M;
  readonly opener: ConnectionEnd<M, F>;
  readonly acceptor: ConnectionEnd<M, F>;
  /** Broken: nothing that is sent from now on arrives. */
  severed = false;
  readonly #kernel: Kernel;
  readonly #forget: (connection: SimConnection<M, F>) => void;

  constructor(
    kernel: Kernel,
    number: number,
    from: SimProcess,
    to: Address,
    hello: M,
    watchers: Watchers<NetworkObserver<M, F>>,
    forget: (connection: SimConnection<M, F>) => void,
  ) {
    this.#kernel = kernel;
    this.#forget = forget;
    this.number = number;
    this.from = from;
    this.to = to;
    this.hello = hello;
    this.opener = new ConnectionEnd(kernel, this, true, from, watchers);
    this.acceptor = new ConnectionEnd(kernel, this, false, null, watchers);
    this.opener.peer = this.acceptor;
    this.acceptor.peer = this.opener;
  }

  get acceptedBy(): SimProcess | null {
    return this.acceptor.process;
  }

  get accepted(): boolean {
    return this.acceptor.established;
  }

  /** Frames under way are lost in both directions; both sides learn of it later. */
  breakAbruptly(manner: BreakManner): void {
    if (this.severed) return;
    this.severed = true;
    this.opener.loseIncoming();
    this.acceptor.loseIncoming();
    this.opener.tell(this.#noticeUs(manner));
    this.acceptor.tell(this.#noticeUs(manner));
  }

  /** The end goes away. What it sent before still arrives, and the other side learns of it behind that. */
  endGone(end: ConnectionEnd<M, F>, manner: BreakManner): void {
    this.severed = true;
    end.finish();
    end.peer.tell(this.#noticeUs(manner));
    this.forgetIfOver();
  }

  processDied(process: SimProcess): void {
    const manner = process.host.up ? "told" : "silent";
    if (this.opener.process === process && !this.opener.finished) this.endGone(this.opener, manner);
    if (this.acceptor.process === process && !this.acceptor.finished) this.endGone(this.acceptor, manner);
  }

  isCut(): boolean {
    const acceptedBy = this.acceptor.process;
    if (acceptedBy === null) return false;
    // One way is enough: without acknowledgements a connection breaks in both directions.
    return (
      this.#kernel.isCut(this.from.host, acceptedBy.host) || this.#kernel.isCut(acceptedBy.host, this.from.host)
    );
  }

  forgetIfOver(): void {
    if (this.opener.finished && this.acceptor.finished) this.#forget(this);
  }

  /** How long opening takes, or learning of a break. */
  connectLatencyUs(fault: InteractionFault | null): number {
    return this.#kernel.latency("connect", this.opener.label).us(0, fault);
  }

  #noticeUs(manner: BreakManner): number {
    const latencyUs = this.connectLatencyUs(null);
    return manner === "silent" ? latencyUs + SILENCE_NOTICED_US : latencyUs;
  }
}

/** One end of a connection: sends to its peer, and holds what is under way to itself. */
export class ConnectionEnd<M extends Message, F extends Frame> implements Connection<F> {
  /** The end on the other side. */
  peer!: ConnectionEnd<M, F>;
  /** Null for an accepting end that nobody accepted yet. */
  process: SimProcess | null;
  /** Nothing reaches this side any more: it was told, closed the connection itself, or died. */
  finished = false;
  /** Component label of the way from here. */
  readonly label: string;
  readonly #kernel: Kernel;
  readonly #connection: SimConnection<M, F>;
  readonly #forward: boolean;
  readonly #latency: Latency;
  readonly #watchers: Watchers<NetworkObserver<M, F>>;
  readonly #takeNext: () => void = () => this.#take();
  #handlers: ConnectionHandlers<F> | null = null;
  readonly #incoming: FrameQueue<F> = new FrameQueue();
  #lastArrivalUs: TimeUs = 0;
  #lost = false;
  #noticeUnderWay = false;

  constructor(
    kernel: Kernel,
    connection: SimConnection<M, F>,
    forward: boolean,
    process: SimProcess | null,
    watchers: Watchers<NetworkObserver<M, F>>,
  ) {
    this.#kernel = kernel;
    this.#connection = connection;
    this.#forward = forward;
    this.#watchers = watchers;
    this.process = process;
    this.label = forward ? `${connection.from.name}>${connection.to}` : `${connection.to}>${connection.from.name}`;
    this.#latency = kernel.latency(connection.from.name === connection.to ? "loopback" : "frame", this.label);
  }

  get established(): boolean {
    return this.#handlers !== null;
  }

  send(frame: F): void {
    if (this.finished) return;
    const kernel = this.#kernel;
    const connection = this.#connection;
    const subject = connection.hello.subject;
    const fault = kernel.enter(this.process, PORT_TRACE.frameSent, subject, frame.checkpointId, frame.recordCount);
    for (const observer of this.#watchers.of("onFrameSent")) observer.onFrameSent(connection, this.#forward, frame);
    if (!connection.severed) {
      if (fault !== null && fault.kind === "connection-break") connection.breakAbruptly("told");
      else this.peer.#receive(frame, this.#latencyUs(frame, fault));
    }
    kernel.leave(this.process);
  }

  close(): void {
    if (this.finished) return;
    const connection = this.#connection;
    const { hello, number } = connection;
    this.#kernel.enter(this.process, PORT_TRACE.connectionClosed, hello.subject, number, 0);
    connection.endGone(this, "told");
    this.#kernel.leave(this.process);
  }

  /** From now on what arrives is handled, beginning with what was sent while the connection was opening. */
  establish(handlers: ConnectionHandlers<F>): void {
    invariant(this.#handlers === null, "a connection is established once");
    this.#handlers = handlers;
    const delayUs = Math.max(0, this.#lastArrivalUs - this.#kernel.nowUs);
    for (let i = 0; i < this.#incoming.length; i += 1) {
      this.#kernel.schedule(this.process, delayUs, this.#takeNext);
    }
  }

  /** Queues the notice of the break behind everything else that is under way to here. */
  tell(delayUs: number): void {
    if (this.finished || this.#noticeUnderWay) return;
    this.#noticeUnderWay = true;
    this.#receive(null, delayUs);
  }

  loseIncoming(): void {
    this.#lost = true;
  }

  finish(): void {
    this.finished = true;
    this.#incoming.clear();
  }

  framesUnderWay(): readonly F[] {
    return this.#lost ? [] : this.#incoming.frames();
  }

  #latencyUs(frame: F, fault: InteractionFault | null): number {
    const bytes = frame.recordCount * NOMINAL_RECORD_BYTES;
    const latencyUs = this.#latency.us(bytes, fault);
    return fault !== null && fault.kind === "frame-delay" ? latencyUs + fault.delayUs : latencyUs;
  }

  /** One event for each thing under way; each takes the head, so no tie between them can reorder frames. */
  #receive(item: F | null, delayUs: number): void {
    const nowUs = this.#kernel.nowUs;
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, nowUs + delayUs);
    this.#incoming.push(item);
    invariant(this.#incoming.length <= FRAMES_UNDER_WAY_LIMIT, "frames under way are bounded");
    if (this.#handlers !== null) this.#kernel.schedule(this.process, this.#lastArrivalUs - nowUs, this.#takeNext);
  }

  #take(): void {
    if (this.finished) return;
    const item = this.#incoming.shift();
    if (item === null) this.#learnOfBreak();
    else if (!this.#lost) this.#handle(item);
  }

  #handle(frame: F): void {
    const connection = this.#connection;
    const handlers = present(this.#handlers, "frames are delivered to established ends");
    const { subject } = connection.hello;
    this.#kernel.point(this.process, PORT_TRACE.frameDelivered, subject, frame.checkpointId, frame.recordCount);
    for (const observer of this.#watchers.of("onFrameDelivered")) observer.onFrameDelivered(connection, !this.#forward, frame);
    handlers.onFrame(frame);
  }

  #learnOfBreak(): void {
    const connection = this.#connection;
    const process = present(this.process, "an end that is told has a process");
    const handlers = present(this.#handlers, "an end that is told is established");
    this.finish();
    connection.forgetIfOver();
    this.#kernel.point(process, PORT_TRACE.connectionBroken, connection.hello.subject, connection.number, 0);
    for (const observer of this.#watchers.of("onConnectionBroken")) observer.onConnectionBroken(connection, process);
    handlers.onBroken();
  }
}
