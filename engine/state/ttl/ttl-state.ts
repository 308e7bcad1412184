import type { TimestampMs } from "../../base/units.ts";
import type { Namespace, NamespacedState } from "../state.ts";
import type { TtlConfig } from "../ttl-config.ts";
import { isExpired } from "./ttl-value.ts";
import type { TtlClock, TtlValue } from "./ttl-value.ts";

/**
 * What the state primitives with a time to live share. Each stands before a backend's primitive of wrapped
 * values, so the times of the last updates are part of the state: they come back with it, and the time that
 * a job was down counts.
 *
 * With "never-return-expired" what is expired is not there, whether the backend still keeps it or not: no
 * method may let the difference through (Flink's TtlMapState.isEmpty does).
 */
export abstract class TtlState<Inner> {
  protected readonly inner: Inner;
  protected readonly ttl: TtlConfig;
  protected readonly clock: TtlClock;
  /** Reading an element that is not expired counts as an update. */
  protected readonly refreshes: boolean;
  /** What is expired is given out if it is still there: once, because reading removes it. */
  protected readonly returnsExpired: boolean;
  private readonly bound: NamespacedState<Inner>;

  constructor(bound: NamespacedState<Inner>, ttl: TtlConfig, clock: TtlClock) {
    this.bound = bound;
    this.inner = bound.state;
    this.ttl = ttl;
    this.clock = clock;
    this.refreshes = ttl.update === "on-read-and-write";
    this.returnsExpired = ttl.visibility === "return-expired-if-not-cleaned-up";
  }

  get state(): this {
    return this;
  }

  setNamespace(namespace: Namespace): void {
    this.bound.setNamespace(namespace);
  }

  /** Elements keep the time of their last update; two accumulators that are folded are updated by that. */
  mergeNamespaces(target: Namespace, sources: readonly Namespace[]): void {
    this.bound.mergeNamespaces(target, sources);
  }

  /** Begins an access; returns its time. */
  protected begin(): TimestampMs {
    this.bound.cleanUpExpired?.();
    return this.clock.processingTimeMs();
  }

  protected isExpired(element: TtlValue, nowMs: TimestampMs): boolean {
    return isExpired(element, this.ttl, nowMs);
  }

  /** True if reading the element must give it the time `nowMs`. */
  protected needsRefresh(element: TtlValue, nowMs: TimestampMs): boolean {
    return this.refreshes && element.lastUpdateMs !== nowMs;
  }
}
