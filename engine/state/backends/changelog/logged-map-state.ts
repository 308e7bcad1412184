import type { MapState, NamespacedState } from "../../state.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import type { ChangeLog } from "./change-log.ts";
import { LoggedState } from "./logged-state.ts";

export class LoggedMapState
  extends LoggedState<MapState<unknown, unknown>>
  implements MapState<unknown, unknown>, NamespacedState<MapState<unknown, unknown>>
{
  private readonly keySerializer: TypeSerializer<unknown>;

  constructor(
    nested: NamespacedState<MapState<unknown, unknown>>,
    log: ChangeLog,
    index: number,
    serializer: TypeSerializer<unknown>,
    keySerializer: TypeSerializer<unknown>,
  ) {
    super(nested, log, index, serializer);
    this.keySerializer = keySerializer;
  }

  get(key: unknown): unknown {
    return this.inner.get(key);
  }

  put(key: unknown, value: unknown): void {
    const { index, namespace, keySerializer, serializer } = this;
    this.log.put(index, namespace, canonicalMapKey(key), value, keySerializer, serializer);
    this.inner.put(key, value);
  }

  remove(key: unknown): void {
    this.log.remove(this.index, this.namespace, canonicalMapKey(key), this.keySerializer);
    this.inner.remove(key);
  }

  contains(key: unknown): boolean {
    return this.inner.contains(key);
  }

  entries(): readonly (readonly [unknown, unknown])[] {
    return this.inner.entries();
  }

  isEmpty(): boolean {
    return this.inner.isEmpty();
  }

  clear(): void {
    this.logClear();
    this.inner.clear();
  }
}

/** 0 and -0 are one key of a map. */
function canonicalMapKey(key: unknown): unknown {
  return typeof key === "number" ? key + 0 : key;
}
