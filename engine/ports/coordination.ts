/** "unknown": the effect may or may not have happened. "fenced": a later leader holds the lease. */
export type CoordinationError = "unreachable" | "unknown" | "conflict" | "fenced" | "held";
export type CoordinationReply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: CoordinationError };

/** A register as read; `version` is 0 and `value` null where the key is absent. */
export interface Register {
  readonly key: string;
  readonly value: string | null;
  readonly version: number;
}

/** Proof of leadership that travels with every write. */
export interface Fence {
  readonly lease: string;
  readonly epoch: number;
}

/**
 * A small consistent store with leases (ZooKeeper, etcd).
 *
 * Promises: registers are linearizable; a write with a fence takes effect only while no later epoch of that
 * lease was granted; epochs of a lease strictly grow. May go wrong: unreachable; a reply "unknown" although
 * the write happened; a lease lost before its time. The caller must not assume that it still leads between
 * two calls: only the fence on the write decides.
 */
export interface Coordination {
  /** Grants the lease for `ttlUs` if nobody holds it (else "held"); the value is the new epoch. */
  acquireLease(lease: string, ttlUs: number, done: (reply: CoordinationReply<number>) => void): void;
  /** Prolongs a lease that this epoch still holds (else "fenced"). */
  renewLease(fence: Fence, ttlUs: number, done: (reply: CoordinationReply<null>) => void): void;
  releaseLease(fence: Fence, done: (reply: CoordinationReply<null>) => void): void;
  read(key: string, done: (reply: CoordinationReply<Register>) => void): void;
  /** Registers whose key starts with `prefix`, sorted by key as strings (UTF-16 code units). */
  list(prefix: string, done: (reply: CoordinationReply<readonly Register[]>) => void): void;
  /**
   * Writes `value` (null removes) if the register's version is `expectedVersion` (0: must be absent), else
   * "conflict". The reply's value is the new version.
   */
  compareAndSet(
    key: string,
    expectedVersion: number,
    value: string | null,
    fence: Fence,
    done: (reply: CoordinationReply<number>) => void,
  ): void;
}
