import type { TimestampMs } from "../../engine/base/units.ts";
import type { ReduceNode } from "../../engine/graph/stream-graph.ts";
import type { Key } from "../../engine/state/state.ts";
import { canonicalKey, keyIdentity } from "./canonical-key.ts";
import type { Emitter, ReferenceOperator } from "./dataflow.ts";
import { REDUCE_STATE_NAME } from "./reference-state.ts";
import type { ReferenceEntry } from "./reference-state.ts";

/** A keyed running reduce, sequentially: emits the new value for every record. */
export class ReferenceReduce implements ReferenceOperator {
  readonly #node: ReduceNode;
  readonly #emitter: Emitter;
  readonly #values: Map<unknown, { readonly key: Key; value: unknown }> = new Map();

  constructor(node: ReduceNode, emitter: Emitter) {
    this.#node = node;
    this.#emitter = emitter;
  }

  process(value: unknown, timestampMs: TimestampMs): void {
    const key = this.#node.keySelector(value);
    const identity = keyIdentity(key);
    const held = this.#values.get(identity);
    const next = held === undefined ? value : this.#node.fn(held.value, value);
    if (held === undefined) this.#values.set(identity, { key, value: next });
    else held.value = next;
    this.#emitter.collect(next, timestampMs);
  }

  /** Takes over what another one holds of some keys, when the parallelism changes. */
  adopt(other: ReferenceReduce, owns: (key: Key) => boolean): void {
    for (const [identity, { key, value }] of other.#values) if (owns(key)) this.#values.set(identity, { key, value });
  }

  entriesByKey(): ReadonlyMap<string, readonly ReferenceEntry[]> {
    const byKey = new Map<string, readonly ReferenceEntry[]>();
    for (const { key, value } of this.#values.values()) {
      byKey.set(canonicalKey(key), [{ state: REDUCE_STATE_NAME, key, namespace: "", value }]);
    }
    return byKey;
  }
}
