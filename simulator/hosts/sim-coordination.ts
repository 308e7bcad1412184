import { invariant } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type { Coordination, CoordinationReply, Fence, Register } from "../../engine/ports/coordination.ts";
import { COORDINATION_CALLS, PORT_TRACE } from "../trace/kinds.ts";
import type { Kernel, Latency, SimProcess } from "../world/kernel.ts";
import { effectAfterUs, failureOf, slownessUs } from "./call-fate.ts";
import type { CoordinationObserver } from "./service-observers.ts";

type FreedReason = "released" | "expired" | "lost";

/** A lease as it stands: `epoch` is the latest granted, `holder` null where nobody holds it now. */
export interface LeaseSnapshot {
  readonly lease: string;
  readonly epoch: number;
  readonly holder: string | null;
  readonly expiresAtUs: TimeUs;
}

/** What it never forgets: registers, and the latest epoch of each lease, which nobody holds. */
export interface KeptCoordination {
  readonly epochs: ReadonlyMap<string, number>;
  readonly registers: readonly Register[];
  readonly revision: number;
}

export interface CoordinationSnapshot {
  readonly leases: readonly LeaseSnapshot[];
  readonly registers: readonly Register[];
}

interface Lease {
  readonly name: string;
  readonly subject: number;
  epoch: number;
  holder: SimProcess | null;
  expiresAtUs: TimeUs;
  expiry: number;
}

/**
 * The simulated coordination service: one for the whole World, consistent, its state never lost.
 *
 * Every call takes effect half-way through its latency, in one step of the outside world, even if the caller
 * is dead by then; so calls are linearized by their effects, and may overtake each other. A lease is freed by
 * release, by its expiry (counted from the effect of the last grant or renewal) or by `loseLease`; its epoch
 * stays, and the writes of its last holder go on to succeed until somebody else is granted a later epoch.
 * Versions come from one counter for all registers: a register that was removed and made anew never shows a
 * version seen before.
 *
 * What may go wrong: the call is turned away (coordination-error, unreachable; an outage when it arrives); it
 * is done but reported as unknown (coordination-error, unknown; an outage when the reply to a change comes
 * back); it is slow (coordination-slow); a lease is lost before its time. What stays true: epochs of a lease
 * strictly grow; no write with an earlier epoch takes effect after a later one was granted; a living caller
 * gets exactly one reply.
 */
export class SimCoordination {
  readonly #kernel: Kernel;
  readonly #observers: readonly CoordinationObserver[];
  readonly #leases: Map<string, Lease> = new Map();
  readonly #registers: Map<string, Register> = new Map();
  #revision = 0;

  constructor(kernel: Kernel, observers: readonly CoordinationObserver[]) {
    this.#kernel = kernel;
    this.#observers = observers;
  }

  portFor(process: SimProcess): Coordination {
    return new CoordinationPort(this.#kernel, this, process);
  }

  /** Takes the lease from whoever holds it; false where nobody does. */
  loseLease(name: string): boolean {
    const lease = this.#leases.get(name);
    if (lease === undefined || lease.holder === null) return false;
    this.#kernel.point(null, PORT_TRACE.leaseExpired, lease.subject, lease.epoch, 1);
    this.#free(lease, "lost");
    return true;
  }

  /** A register without a trace, for oracles. */
  peek(key: string): Register {
    return this.#registers.get(key) ?? { key, value: null, version: 0 };
  }

  /** Registers whose key starts with `prefix`, sorted by key. */
  registers(prefix = ""): readonly Register[] {
    const keys: string[] = [];
    for (const key of this.#registers.keys()) if (key.startsWith(prefix)) keys.push(key);
    return keys.sort().map((key) => this.peek(key));
  }

  /** A lease without a trace, or null where it was never granted. */
  peekLease(name: string): LeaseSnapshot | null {
    const lease = this.#leases.get(name);
    if (lease === undefined) return null;
    const { epoch, holder, expiresAtUs } = lease;
    return { lease: name, epoch, holder: holder === null ? null : holder.name, expiresAtUs };
  }

  /** What it holds now, for a service that goes on from there. */
  keep(): KeptCoordination {
    return {
      epochs: new Map([...this.#leases.values()].map(({ name, epoch }) => [name, epoch])),
      registers: [...this.#registers.values()],
      revision: this.#revision,
    };
  }

  /** Before anything happened: begins with what another one held. */
  load({ epochs, registers, revision }: KeptCoordination): void {
    for (const [name, epoch] of epochs) {
      this.#leases.set(name, { name, subject: this.#kernel.intern(name), epoch, holder: null, expiresAtUs: 0, expiry: 0 });
    }
    for (const register of registers) this.#registers.set(register.key, register);
    this.#revision = revision;
  }

  inspect(): CoordinationSnapshot {
    const leases: LeaseSnapshot[] = [];
    for (const name of this.#leases.keys()) {
      const lease = this.peekLease(name);
      if (lease !== null) leases.push(lease);
    }
    return { leases, registers: this.registers() };
  }

  acquire(process: SimProcess, name: string, ttlUs: number): CoordinationReply<number> {
    let lease = this.#leases.get(name);
    if (lease === undefined) {
      const subject = this.#kernel.intern(name);
      lease = { name, subject, epoch: 0, holder: null, expiresAtUs: 0, expiry: 0 };
      this.#leases.set(name, lease);
    }
    if (lease.holder !== null) return { ok: false, code: "held" };
    lease.epoch += 1;
    lease.holder = process;
    this.#expireAfter(lease, ttlUs);
    for (const observer of this.#observers) observer.onEpochGranted?.(process, name, lease.epoch);
    return { ok: true, value: lease.epoch };
  }

  renew(fence: Fence, ttlUs: number): CoordinationReply<null> {
    const lease = this.#heldBy(fence);
    if (lease === null) return { ok: false, code: "fenced" };
    this.#kernel.cancel(lease.expiry);
    this.#expireAfter(lease, ttlUs);
    return { ok: true, value: null };
  }

  release(fence: Fence): CoordinationReply<null> {
    const lease = this.#heldBy(fence);
    if (lease === null) return { ok: false, code: "fenced" };
    this.#free(lease, "released");
    return { ok: true, value: null };
  }

  compareAndSet(
    process: SimProcess,
    key: string,
    expectedVersion: number,
    value: string | null,
    fence: Fence,
  ): CoordinationReply<number> {
    const before = this.peek(key);
    const granted = this.#leases.get(fence.lease)?.epoch ?? 0;
    invariant(fence.epoch >= 1 && fence.epoch <= granted, "a fence carries an epoch that was granted");
    const code = fence.epoch < granted ? "fenced" : before.version !== expectedVersion ? "conflict" : null;
    if (code !== null) {
      for (const observer of this.#observers) observer.onWriteRefused?.(process, before, fence, code);
      return { ok: false, code };
    }
    this.#kernel.foldText(key);
    let after: Register = { key, value: null, version: 0 };
    if (value === null) {
      this.#registers.delete(key);
    } else {
      this.#revision += 1;
      after = { key, value, version: this.#revision };
      this.#registers.set(key, after);
      this.#kernel.foldText(value);
    }
    for (const observer of this.#observers) observer.onWrite?.(process, before, after, fence);
    return { ok: true, value: after.version };
  }

  #heldBy(fence: Fence): Lease | null {
    const lease = this.#leases.get(fence.lease);
    return lease !== undefined && lease.holder !== null && lease.epoch === fence.epoch ? lease : null;
  }

  #expireAfter(lease: Lease, ttlUs: number): void {
    invariant(ttlUs > 0, "a lease is granted for some time");
    lease.expiresAtUs = this.#kernel.nowUs + ttlUs;
    lease.expiry = this.#kernel.schedule(null, ttlUs, () => {
      this.#kernel.point(null, PORT_TRACE.leaseExpired, lease.subject, lease.epoch, 0);
      this.#free(lease, "expired");
    });
  }

  #free(lease: Lease, reason: FreedReason): void {
    this.#kernel.cancel(lease.expiry);
    lease.holder = null;
    for (const observer of this.#observers) observer.onLeaseFreed?.(lease.name, lease.epoch, reason);
  }
}

class CoordinationPort implements Coordination {
  readonly #kernel: Kernel;
  readonly #service: SimCoordination;
  readonly #process: SimProcess;
  readonly #latency: Latency;

  constructor(kernel: Kernel, service: SimCoordination, process: SimProcess) {
    this.#latency = kernel.latency("coordination", process.name);
    this.#kernel = kernel;
    this.#service = service;
    this.#process = process;
  }

  acquireLease(lease: string, ttlUs: number, done: (reply: CoordinationReply<number>) => void): void {
    this.#call(COORDINATION_CALLS.acquire, lease, () => this.#service.acquire(this.#process, lease, ttlUs), done);
  }

  renewLease(fence: Fence, ttlUs: number, done: (reply: CoordinationReply<null>) => void): void {
    this.#call(COORDINATION_CALLS.renew, fence.lease, () => this.#service.renew(fence, ttlUs), done);
  }

  releaseLease(fence: Fence, done: (reply: CoordinationReply<null>) => void): void {
    this.#call(COORDINATION_CALLS.release, fence.lease, () => this.#service.release(fence), done);
  }

  read(key: string, done: (reply: CoordinationReply<Register>) => void): void {
    this.#call(COORDINATION_CALLS.read, key, () => ({ ok: true, value: this.#service.peek(key) }), done);
  }

  list(prefix: string, done: (reply: CoordinationReply<readonly Register[]>) => void): void {
    const list = (): CoordinationReply<readonly Register[]> => ({
      ok: true,
      value: this.#service.registers(prefix),
    });
    this.#call(COORDINATION_CALLS.list, prefix, list, done);
  }

  compareAndSet(
    key: string,
    expectedVersion: number,
    value: string | null,
    fence: Fence,
    done: (reply: CoordinationReply<number>) => void,
  ): void {
    const set = (): CoordinationReply<number> =>
      this.#service.compareAndSet(this.#process, key, expectedVersion, value, fence);
    this.#call(COORDINATION_CALLS.compareAndSet, key, set, done);
  }

  #call<T>(
    call: number,
    key: string,
    apply: () => CoordinationReply<T>,
    done: (reply: CoordinationReply<T>) => void,
  ): void {
    const kernel = this.#kernel;
    const process = this.#process;
    const keyNumber = kernel.intern(key);
    const fault = kernel.enter(process, PORT_TRACE.coordinationIssued, process.subject, call, keyNumber);
    const latencyUs = this.#latency.us(0, fault) + slownessUs(fault);
    const effectUs = effectAfterUs(latencyUs);
    const failure = failureOf(fault);
    const reply = (outcome: CoordinationReply<T>): void => {
      kernel.point(process, PORT_TRACE.coordinationReplied, process.subject, call, keyNumber);
      done(outcome);
    };
    kernel.schedule(null, effectUs, () => {
      const reached = failure !== "refused" && !kernel.coordinationDown();
      const outcome = reached ? this.#apply(call, keyNumber, apply) : UNREACHABLE;
      kernel.schedule(process, latencyUs - effectUs, () => {
        const lost = reached && (failure === "unknown" || kernel.coordinationDown());
        reply(lost ? LOST_REPLY : outcome);
      });
    });
    kernel.leave(process);
  }

  #apply<T>(call: number, keyNumber: number, apply: () => CoordinationReply<T>): CoordinationReply<T> {
    this.#kernel.point(null, PORT_TRACE.coordinationApplied, this.#process.subject, call, keyNumber);
    return apply();
  }
}

const UNREACHABLE: CoordinationReply<never> = { ok: false, code: "unreachable" };
/** The caller cannot know whether it was done. */
const LOST_REPLY: CoordinationReply<never> = { ok: false, code: "unknown" };
