import type { NamespacedState, ValueState } from "../state.ts";
import type { TtlConfig } from "../ttl-config.ts";
import { TtlState } from "./ttl-state.ts";
import type { TtlClock, TtlValue } from "./ttl-value.ts";

export class TtlValueState
  extends TtlState<ValueState<TtlValue>>
  implements ValueState<unknown>, NamespacedState<ValueState<unknown>>
{
  readonly #defaultValue: unknown;

  /** `bound` has no default: that is not a value that could expire. */
  constructor(bound: NamespacedState<ValueState<TtlValue>>, ttl: TtlConfig, clock: TtlClock, defaultValue: unknown) {
    super(bound, ttl, clock);
    this.#defaultValue = defaultValue;
  }

  value(): unknown {
    const nowMs = this.begin();
    const element = this.inner.value();
    if (element === null) return this.#defaultValue;
    if (this.isExpired(element, nowMs)) {
      this.inner.clear();
      return this.returnsExpired ? element.value : this.#defaultValue;
    }
    if (this.needsRefresh(element, nowMs)) this.inner.update({ lastUpdateMs: nowMs, value: element.value });
    return element.value;
  }

  update(value: unknown): void {
    const nowMs = this.begin();
    if (value === null) this.inner.clear();
    else this.inner.update({ lastUpdateMs: nowMs, value });
  }

  clear(): void {
    this.inner.clear();
  }
}
