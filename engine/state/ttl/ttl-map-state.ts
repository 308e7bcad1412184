import type { MapState, NamespacedState } from "../state.ts";
import { TtlState } from "./ttl-state.ts";
import type { TtlValue } from "./ttl-value.ts";

/** Each entry has a time to live of its own. */
export class TtlMapState
  extends TtlState<MapState<unknown, TtlValue>>
  implements MapState<unknown, unknown>, NamespacedState<MapState<unknown, unknown>>
{
  get(key: unknown): unknown {
    const element = this.#read(key);
    return element === null ? null : element.value;
  }

  put(key: unknown, value: unknown): void {
    const nowMs = this.begin();
    // A key that was gone is put anew, behind the others, no matter whether somebody cleaned up meanwhile.
    const before = this.inner.get(key);
    if (before !== null && this.isExpired(before, nowMs)) this.inner.remove(key);
    this.inner.put(key, { lastUpdateMs: nowMs, value });
  }

  remove(key: unknown): void {
    this.inner.remove(key);
  }

  /** A read like `get`, as in Flink. */
  contains(key: unknown): boolean {
    return this.#read(key) !== null;
  }

  entries(): readonly (readonly [unknown, unknown])[] {
    const nowMs = this.begin();
    const pairs: (readonly [unknown, unknown])[] = [];
    for (const [key, element] of this.inner.entries()) {
      if (this.isExpired(element, nowMs)) {
        this.inner.remove(key);
        if (!this.returnsExpired) continue;
      } else if (this.needsRefresh(element, nowMs)) {
        this.inner.put(key, { lastUpdateMs: nowMs, value: element.value });
      }
      pairs.push([key, element.value]);
    }
    return pairs;
  }

  /** Gives out no value: so it counts as a read of none. */
  isEmpty(): boolean {
    const nowMs = this.begin();
    if (this.inner.isEmpty()) return true;
    return !this.returnsExpired && this.inner.entries().every(([, element]) => this.isExpired(element, nowMs));
  }

  clear(): void {
    this.inner.clear();
  }

  /** The entry's value as kept, or null where there is none to be seen. */
  #read(key: unknown): TtlValue | null {
    const nowMs = this.begin();
    const element = this.inner.get(key);
    if (element === null) return null;
    if (this.isExpired(element, nowMs)) {
      this.inner.remove(key);
      return this.returnsExpired ? element : null;
    }
    if (this.needsRefresh(element, nowMs)) this.inner.put(key, { lastUpdateMs: nowMs, value: element.value });
    return element;
  }
}
