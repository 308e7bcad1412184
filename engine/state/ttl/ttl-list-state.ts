import type { TimestampMs } from "../../base/units.ts";
import type { ListState, NamespacedState } from "../state.ts";
import { TtlState } from "./ttl-state.ts";
import type { TtlValue } from "./ttl-value.ts";

/** Each element has a time to live of its own. */
export class TtlListState
  extends TtlState<ListState<TtlValue>>
  implements ListState<unknown>, NamespacedState<ListState<unknown>>
{
  get(): readonly unknown[] {
    const nowMs = this.begin();
    const elements = this.inner.get();
    const values: unknown[] = [];
    let expired = 0;
    let isStale = false;
    for (const element of elements) {
      const isExpired = this.isExpired(element, nowMs);
      if (isExpired) expired++;
      else if (this.needsRefresh(element, nowMs)) isStale = true;
      if (!isExpired || this.returnsExpired) values.push(element.value);
    }
    if (expired === elements.length && expired > 0) this.inner.clear();
    else if (expired > 0 || isStale) this.inner.update(this.#kept(elements, nowMs));
    return values;
  }

  add(value: unknown): void {
    this.inner.add({ lastUpdateMs: this.begin(), value });
  }

  addAll(values: readonly unknown[]): void {
    this.inner.addAll(wrapped(values, this.begin()));
  }

  update(values: readonly unknown[]): void {
    this.inner.update(wrapped(values, this.begin()));
  }

  clear(): void {
    this.inner.clear();
  }

  /** What stays after a read. */
  #kept(elements: readonly TtlValue[], nowMs: TimestampMs): TtlValue[] {
    const kept: TtlValue[] = [];
    for (const element of elements) {
      if (this.isExpired(element, nowMs)) continue;
      kept.push(this.needsRefresh(element, nowMs) ? { lastUpdateMs: nowMs, value: element.value } : element);
    }
    return kept;
  }
}

function wrapped(values: readonly unknown[], nowMs: TimestampMs): TtlValue[] {
  return values.map((value) => ({ lastUpdateMs: nowMs, value }));
}
