import { invariant } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type { Address, Frame, Message, RpcReply } from "../../engine/ports/network.ts";
import type { InteractionFault } from "../faults/fault.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { Kernel, Latency, SimProcess } from "../world/kernel.ts";
import type { NetworkObserver } from "./service-observers.ts";
import type { Watchers } from "./watchers.ts";

/** Handler of incoming calls, as installed by `Network.serve`. */
export type CallHandler<M extends Message> = (from: Address, message: M, respond: (message: M) => void) => void;

/** A call whose reply its caller still waits for. */
export interface WaitingCall<M extends Message> {
  readonly number: number;
  readonly from: Address;
  readonly to: Address;
  readonly message: M;
  readonly sentAtUs: TimeUs;
}

interface Call<M extends Message> extends WaitingCall<M> {
  readonly caller: SimProcess;
  /** Interned kind of the message. */
  readonly kind: number;
  /** Null for a cast. */
  readonly onReply: ((reply: RpcReply<M>) => void) | null;
  timeout: number;
  waiting: boolean;
}

/** A request under way. `target` is null while nobody lives at the address. */
interface Delivery<M extends Message> {
  readonly call: Call<M>;
  readonly arrivesAtUs: TimeUs;
  target: SimProcess | null;
}

/**
 * Unreliable request and reply.
 *
 * A request reaches the process that lives at the address when it arrives, which need not be the one that
 * lived there when it was sent. What may go wrong: the request is lost (rpc-drop, or a partition when it is
 * sent or when it arrives), late (rpc-delay) or delivered twice (rpc-duplicate); the reply is lost or late
 * likewise (rpc-reply-drop); requests overtake each other, because each draws its own latency. What stays
 * true: the caller gets exactly one reply while it lives, at the latest at its timeout (a cast gets none).
 * "unreachable" is the answer where nobody lives or nobody serves at the address; a partition answers nothing.
 */
export class SimRpc<M extends Message, F extends Frame> {
  readonly #kernel: Kernel;
  readonly #resolve: (address: Address) => SimProcess | null;
  readonly #handlerOf: (process: SimProcess) => CallHandler<M> | null;
  readonly #watchers: Watchers<NetworkObserver<M, F>>;
  /** Both in the order sent; few at a time, so that a list costs less than a set that grows and shrinks with each. */
  #calls: Call<M>[] = [];
  readonly #deliveries: Delivery<M>[] = [];
  /** By sender, then receiver: no label is built for a call. */
  readonly #latencies: Map<Address, Map<Address, Latency>> = new Map();
  #count = 0;

  constructor(
    kernel: Kernel,
    resolve: (address: Address) => SimProcess | null,
    handlerOf: (process: SimProcess) => CallHandler<M> | null,
    watchers: Watchers<NetworkObserver<M, F>>,
  ) {
    this.#kernel = kernel;
    this.#resolve = resolve;
    this.#handlerOf = handlerOf;
    this.#watchers = watchers;
  }

  send(
    caller: SimProcess,
    to: Address,
    message: M,
    timeoutUs: number,
    onReply: (reply: RpcReply<M>) => void,
  ): void {
    invariant(timeoutUs > 0, "a call has time to be answered");
    this.#send(caller, to, message, timeoutUs, onReply);
  }

  /** A request to which nobody waits for a reply. */
  cast(caller: SimProcess, to: Address, message: M): void {
    this.#send(caller, to, message, 0, null);
  }

  #send(
    caller: SimProcess,
    to: Address,
    message: M,
    timeoutUs: number,
    onReply: ((reply: RpcReply<M>) => void) | null,
  ): void {
    const kernel = this.#kernel;
    const kind = kernel.intern(message.kind);
    const fault = kernel.enter(caller, PORT_TRACE.rpcSent, message.subject, message.checkpointId, kind);
    this.#count += 1;
    const call: Call<M> = {
      number: this.#count,
      from: caller.name,
      to,
      message,
      sentAtUs: kernel.nowUs,
      caller,
      kind,
      onReply,
      timeout: 0,
      waiting: onReply !== null,
    };
    if (call.waiting) {
      this.#calls.push(call);
      call.timeout = kernel.schedule(caller, timeoutUs, () => this.#reply(call, TIMED_OUT));
    }
    for (const observer of this.#watchers.of("onCallSent")) observer.onCallSent(call.number, caller, to, message);
    this.#route(call, fault);
    kernel.leave(caller);
  }

  /** Calls of a dead process are forgotten; requests on their way to it wait for its successor. */
  processDied(process: SimProcess): void {
    for (const call of this.#calls) if (call.caller === process) call.waiting = false;
    this.#calls = this.#calls.filter((call) => call.waiting);
    for (const delivery of this.#deliveries) {
      if (delivery.target !== process) continue;
      delivery.target = null;
      const delayUs = Math.max(0, delivery.arrivesAtUs - this.#kernel.nowUs);
      this.#kernel.schedule(null, delayUs, () => this.#arrive(delivery));
    }
  }

  waitingCalls(): readonly WaitingCall<M>[] {
    return this.#calls.map(({ number, from, to, message, sentAtUs }) => ({ number, from, to, message, sentAtUs }));
  }

  #route(call: Call<M>, fault: InteractionFault | null): void {
    if (fault !== null && fault.kind === "rpc-drop") return;
    const latencyUs = this.#latencyUs(call.from, call.to, fault);
    this.#dispatch(call, latencyUs);
    if (fault !== null && fault.kind === "rpc-duplicate") this.#dispatch(call, latencyUs + fault.delayUs);
  }

  #latencyUs(from: Address, to: Address, fault: InteractionFault | null): number {
    const lateUs = fault !== null && fault.kind === "rpc-delay" ? fault.delayUs : 0;
    return this.#latency(from, to).us(0, fault) + lateUs;
  }

  #latency(from: Address, to: Address): Latency {
    let ways = this.#latencies.get(from);
    if (ways === undefined) this.#latencies.set(from, (ways = new Map()));
    let latency = ways.get(to);
    if (latency === undefined) ways.set(to, (latency = this.#kernel.latency("rpc", `${from}>${to}`)));
    return latency;
  }

  #dispatch(call: Call<M>, delayUs: number): void {
    const target = this.#resolve(call.to);
    if (target !== null && this.#kernel.isCut(call.caller.host, target.host)) return;
    const delivery: Delivery<M> = { call, arrivesAtUs: this.#kernel.nowUs + delayUs, target };
    this.#deliveries.push(delivery);
    this.#kernel.schedule(target, delayUs, () => this.#arrive(delivery));
  }

  #arrive(delivery: Delivery<M>): void {
    if (delivery.target !== null) {
      this.#deliver(delivery, delivery.target);
      return;
    }
    // A step of the outside world: whoever lives there by now handles it in a step of its own.
    delivery.target = this.#resolve(delivery.call.to);
    if (delivery.target !== null) {
      this.#kernel.schedule(delivery.target, 0, () => this.#arrive(delivery));
    } else {
      takeOut(this.#deliveries, delivery);
      this.#refuse(delivery.call);
    }
  }

  #deliver(delivery: Delivery<M>, target: SimProcess): void {
    const { call } = delivery;
    const { message } = call;
    const kernel = this.#kernel;
    takeOut(this.#deliveries, delivery);
    if (kernel.isCut(call.caller.host, target.host)) return;
    const handler = this.#handlerOf(target);
    if (handler === null) {
      this.#refuse(call);
      return;
    }
    kernel.point(target, PORT_TRACE.rpcDelivered, message.subject, message.checkpointId, call.kind);
    for (const observer of this.#watchers.of("onCallDelivered")) observer.onCallDelivered(call.number, call.from, target, message);
    let responded = false;
    handler(call.from, message, (response) => {
      invariant(!responded, "a handler responds to one delivery of a call at most once");
      responded = true;
      if (call.onReply !== null) this.#respond(call, target, response);
    });
  }

  #respond(call: Call<M>, by: SimProcess, response: M): void {
    const kernel = this.#kernel;
    const kind = kernel.intern(response.kind);
    const fault = kernel.enter(by, PORT_TRACE.rpcResponded, response.subject, response.checkpointId, kind);
    for (const observer of this.#watchers.of("onCallResponded")) observer.onCallResponded(call.number, by, response);
    const lost = fault !== null && (fault.kind === "rpc-reply-drop" || fault.kind === "rpc-drop");
    if (!lost && call.waiting && !kernel.isCut(by.host, call.caller.host)) {
      kernel.schedule(call.caller, this.#latencyUs(by.name, call.from, fault), () => {
        if (!kernel.isCut(by.host, call.caller.host)) this.#reply(call, { ok: true, message: response });
      });
    }
    kernel.leave(by);
  }

  #refuse(call: Call<M>): void {
    if (!call.waiting) return;
    const latencyUs = this.#latencyUs(call.to, call.from, null);
    this.#kernel.schedule(call.caller, latencyUs, () => this.#reply(call, UNREACHABLE));
  }

  #reply(call: Call<M>, reply: RpcReply<M>): void {
    if (!call.waiting) return;
    call.waiting = false;
    takeOut(this.#calls, call);
    this.#kernel.cancel(call.timeout);
    const { message } = call;
    const outcome = REPLY_OUTCOMES[reply.ok ? "ok" : reply.code];
    this.#kernel.point(call.caller, PORT_TRACE.rpcReplied, message.subject, message.checkpointId, outcome);
    for (const observer of this.#watchers.of("onCallReplied")) observer.onCallReplied(call.number, call.caller, reply);
    call.onReply?.(reply);
  }
}

/** Takes an item out of a list, if it is there; the others keep their order. */
function takeOut<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index < 0) return;
  for (let i = index + 1; i < list.length; i += 1) list[i - 1] = list[i] as T;
  list.pop();
}

const TIMED_OUT: RpcReply<never> = { ok: false, code: "timeout" };
const UNREACHABLE: RpcReply<never> = { ok: false, code: "unreachable" };
/** What a trace point says of a reply. */
export const REPLY_OUTCOMES = { ok: 0, timeout: 1, unreachable: 2 } as const;
