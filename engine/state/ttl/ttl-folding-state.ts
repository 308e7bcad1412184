import type { StateFold } from "../descriptors.ts";
import type { AggregatingState, NamespacedState, ReducingState } from "../state.ts";
import type { TtlConfig } from "../ttl-config.ts";
import { TtlState } from "./ttl-state.ts";
import { isExpired } from "./ttl-value.ts";
import type { TtlClock, TtlValue } from "./ttl-value.ts";

/**
 * How the backend keeps the wrapped accumulator: what is added replaces it. The fold itself happens in
 * TtlFoldingState. An expired accumulator takes no part in a merge; one that is left alone keeps its time.
 */
export function replacingFold(fold: StateFold, ttl: TtlConfig, clock: TtlClock): StateFold {
  const { merge } = fold;
  const mergeLive = (left: TtlValue, right: TtlValue): TtlValue | null => {
    const nowMs = clock.processingTimeMs();
    if (isExpired(right, ttl, nowMs)) return left;
    if (isExpired(left, ttl, nowMs)) return right;
    const value: unknown = merge === null ? null : merge(left.value, right.value);
    return value === null ? null : { lastUpdateMs: nowMs, value };
  };
  return {
    add: (accumulator: TtlValue) => accumulator,
    createAccumulator: () => null,
    getResult: (accumulator: TtlValue) => accumulator,
    merge: merge === null ? null : mergeLive,
  };
}

/** Reducing or aggregating state whose accumulator as a whole has a time to live. */
export class TtlFoldingState
  extends TtlState<AggregatingState<TtlValue, TtlValue>>
  implements
    ReducingState<unknown>,
    AggregatingState<unknown, unknown>,
    NamespacedState<AggregatingState<unknown, unknown>>
{
  readonly #fold: StateFold;

  /** `bound` folds with what `replacingFold` gave; `fold` is the user's. */
  constructor(
    bound: NamespacedState<AggregatingState<TtlValue, TtlValue>>,
    ttl: TtlConfig,
    clock: TtlClock,
    fold: StateFold,
  ) {
    super(bound, ttl, clock);
    this.#fold = fold;
  }

  get(): unknown {
    const nowMs = this.begin();
    const element = this.inner.get();
    if (element === null) return null;
    if (this.isExpired(element, nowMs)) {
      this.inner.clear();
      return this.returnsExpired ? this.#fold.getResult(element.value) : null;
    }
    if (this.needsRefresh(element, nowMs)) this.inner.add({ lastUpdateMs: nowMs, value: element.value });
    return this.#fold.getResult(element.value);
  }

  add(value: unknown): void {
    const nowMs = this.begin();
    if (value === null) return;
    const element = this.inner.get();
    const isLive = element !== null && !this.isExpired(element, nowMs);
    const accumulator: unknown = this.#fold.add(value, isLive ? element.value : this.#fold.createAccumulator());
    if (accumulator === null) this.inner.clear();
    else this.inner.add({ lastUpdateMs: nowMs, value: accumulator });
  }

  clear(): void {
    this.inner.clear();
  }
}
