import { invariant } from "../../engine/base/assert.ts";
import type {
  Address,
  Connection,
  ConnectionHandlers,
  Frame,
  Message,
  Network,
  RpcReply,
} from "../../engine/ports/network.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { Kernel, SimProcess } from "../world/kernel.ts";
import type { NetworkObserver } from "./service-observers.ts";
import type { BreakManner } from "./sim-connection.ts";
import { SimConnection } from "./sim-connection.ts";
import type { CallHandler, WaitingCall } from "./sim-rpc.ts";
import { SimRpc } from "./sim-rpc.ts";
import { Watchers } from "./watchers.ts";

type Acceptor<M extends Message, F extends Frame> = (
  from: Address,
  hello: M,
  connection: Connection<F>,
) => ConnectionHandlers<F> | null;

/** A connection as a person sees it in a paused World. */
export interface ConnectionSnapshot<M extends Message, F extends Frame> {
  readonly number: number;
  readonly from: Address;
  readonly fromIncarnation: number;
  readonly to: Address;
  readonly hello: M;
  readonly status: "opening" | "open" | "broken";
  /** Frames under way, the next to arrive first. */
  readonly toAcceptor: readonly F[];
  readonly toOpener: readonly F[];
}

export interface NetworkSnapshot<M extends Message, F extends Frame> {
  readonly connections: readonly ConnectionSnapshot<M, F>[];
  readonly waitingCalls: readonly WaitingCall<M>[];
}

/**
 * The simulated network.
 *
 * Calls: see SimRpc. Connections: what is sent arrives whole, once and in the order sent, each frame after
 * its own drawn latency but never before the frame ahead of it. What may go wrong:
 *
 * - A process dies or closes its end: what it had sent still arrives, then the other side learns of the
 *   break. What was under way to it is lost. After a power loss the other side learns only by the silence.
 * - A partition cuts the way, in one direction or both: everything under way is lost, and both sides learn
 *   by the silence, even if the partition heals before that.
 * - The connection breaks by itself (connection-break): that frame and all others under way are lost.
 * - A frame is late (frame-delay), and with it all behind it.
 * - Nobody lives or listens at the address, or the listener refuses: the opening side sees a break.
 *
 * What stays true: no frame is lost while its connection goes on; after a side learned of the break no frame
 * follows; each living side that did not close the connection itself learns exactly once.
 */
export class SimNetwork<M extends Message = Message, F extends Frame = Frame> {
  readonly #kernel: Kernel;
  readonly #resolve: (address: Address) => SimProcess | null;
  readonly #watchers: Watchers<NetworkObserver<M, F>>;
  readonly #rpc: SimRpc<M, F>;
  readonly #ports: Map<SimProcess, NetworkPort<M, F>> = new Map();
  readonly #connections: Set<SimConnection<M, F>> = new Set();
  #count = 0;

  constructor(
    kernel: Kernel,
    resolve: (address: Address) => SimProcess | null,
    observers: readonly NetworkObserver<M, F>[],
  ) {
    this.#kernel = kernel;
    this.#resolve = resolve;
    this.#watchers = new Watchers(observers);
    this.#rpc = new SimRpc(kernel, resolve, (process) => this.#ports.get(process)?.handler ?? null, this.#watchers);
  }

  /** The port of a process; the same one each time. */
  portFor(process: SimProcess): Network<M, F> {
    let port = this.#ports.get(process);
    if (port === undefined) {
      port = new NetworkPort(this, this.#rpc, process);
      this.#ports.set(process, port);
    }
    return port;
  }

  /** To be called when a process is dead, before anything else happens. */
  processDied(process: SimProcess): void {
    invariant(!process.alive, `${process.name} is dead when the network is told so`);
    this.#ports.delete(process);
    this.#rpc.processDied(process);
    for (const connection of this.#connections) connection.processDied(process);
  }

  /** To be called when a partition begins: connections across it break after a while. */
  hostsCut(): void {
    for (const connection of this.#connections) {
      if (connection.isCut()) connection.breakAbruptly("silent");
    }
  }

  inspect(): NetworkSnapshot<M, F> {
    const connections = Array.from(this.#connections, (connection) => ({
      number: connection.number,
      from: connection.from.name,
      fromIncarnation: connection.from.incarnation,
      to: connection.to,
      hello: connection.hello,
      status: connection.severed ? ("broken" as const) : connection.accepted ? ("open" as const) : ("opening" as const),
      toAcceptor: connection.acceptor.framesUnderWay(),
      toOpener: connection.opener.framesUnderWay(),
    }));
    return { connections, waitingCalls: this.#rpc.waitingCalls() };
  }

  /** Opens a connection for a port. */
  open(from: SimProcess, to: Address, hello: M, handlers: ConnectionHandlers<F>): Connection<F> {
    const kernel = this.#kernel;
    const number = this.#count + 1;
    const fault = kernel.enter(from, PORT_TRACE.connectionOpened, hello.subject, number, 0);
    this.#count = number;
    const connection = new SimConnection(kernel, number, from, to, hello, this.#watchers, (over) => {
      this.#connections.delete(over);
    });
    this.#connections.add(connection);
    connection.opener.establish(handlers);
    kernel.schedule(null, connection.connectLatencyUs(fault), () => this.#arrive(connection));
    for (const observer of this.#watchers.of("onConnectionOpened")) observer.onConnectionOpened(connection);
    kernel.leave(from);
    return connection.opener;
  }

  #arrive(connection: SimConnection<M, F>): void {
    const target = this.#resolve(connection.to);
    if (connection.severed || target === null) {
      this.#refuse(connection, "told");
      return;
    }
    connection.acceptor.process = target;
    if (connection.isCut()) this.#refuse(connection, "silent");
    else this.#kernel.schedule(target, 0, () => this.#accept(connection, target));
  }

  #accept(connection: SimConnection<M, F>, target: SimProcess): void {
    const listener = this.#ports.get(target)?.acceptor ?? null;
    if (connection.severed || listener === null) {
      this.#refuse(connection, "told");
      return;
    }
    const { acceptor, from, hello, number } = connection;
    this.#kernel.point(target, PORT_TRACE.connectionAccepted, hello.subject, number, 0);
    for (const observer of this.#watchers.of("onConnectionAccepted")) observer.onConnectionAccepted(connection);
    const handlers = listener(from.name, hello, acceptor);
    if (acceptor.finished) return;
    if (handlers === null) this.#refuse(connection, "told");
    else acceptor.establish(handlers);
  }

  /** The accepting side never came to be. */
  #refuse(connection: SimConnection<M, F>, manner: BreakManner): void {
    if (!connection.acceptor.finished) connection.endGone(connection.acceptor, manner);
  }
}

class NetworkPort<M extends Message, F extends Frame> implements Network<M, F> {
  handler: CallHandler<M> | null = null;
  acceptor: Acceptor<M, F> | null = null;
  readonly #network: SimNetwork<M, F>;
  readonly #rpc: SimRpc<M, F>;
  readonly #process: SimProcess;

  constructor(network: SimNetwork<M, F>, rpc: SimRpc<M, F>, process: SimProcess) {
    this.#network = network;
    this.#rpc = rpc;
    this.#process = process;
  }

  call(to: Address, message: M, timeoutUs: number, onReply: (reply: RpcReply<M>) => void): void {
    this.#rpc.send(this.#process, to, message, timeoutUs, onReply);
  }

  cast(to: Address, message: M): void {
    this.#rpc.cast(this.#process, to, message);
  }

  serve(handler: CallHandler<M>): void {
    this.handler = handler;
  }

  connect(to: Address, hello: M, handlers: ConnectionHandlers<F>): Connection<F> {
    return this.#network.open(this.#process, to, hello, handlers);
  }

  listen(accept: Acceptor<M, F>): void {
    this.acceptor = accept;
  }
}
