import type { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom, encode } from "../../engine/base/codec.ts";
import type { Key, Namespace } from "../../engine/state/state.ts";
import { isKey } from "./snapshot-reader.ts";
import type { KeyedSection, SectionEntry, SectionTimer } from "./snapshot-reader.ts";

/** Where an operation changes something. */
export type Place = Omit<SectionEntry, "value">;

/** An entry on its way: `pairs` in place of the value of a map that an operation changed. */
interface Kept {
  entry: SectionEntry;
  readonly order: string;
  pairs: Map<string, readonly [unknown, unknown]> | null;
}

/** The bytes of a value of the structural codec as text, one unit a byte: texts are ordered as the bytes are. */
function orderText(value: unknown): string {
  let text = "";
  for (const byte of encode(value)) text += String.fromCharCode(byte);
  return text;
}

/**
 * Keyed state in plain maps, to which a log is applied. Entries that no operation concerns stay the objects
 * that they are in the base.
 */
export class ChangelogContents {
  /** By state, key and namespace. */
  readonly #entries: Map<string, Kept> = new Map();
  readonly #timers: readonly [Map<string, SectionTimer>, Map<string, SectionTimer>] = [new Map(), new Map()];

  /** The texts of what was read before: most entries stay the same objects from one checkpoint to the next. */
  readonly #orders: WeakMap<object, string>;

  constructor(orders: WeakMap<object, string>) {
    this.#orders = orders;
  }

  load(base: KeyedSection): void {
    for (const entry of base.entries) this.#entries.set(this.#identityOf(entry), { entry, order: this.#orderOf(entry), pairs: null });
    for (const timer of base.eventTimers) this.setTimer(0, timer, true);
    for (const timer of base.processingTimers) this.setTimer(1, timer, true);
  }

  /** The key and the namespace of an operation. */
  readPlace(reader: ByteReader): { readonly key: Key; readonly namespace: Namespace } {
    const key = decodeFrom(reader);
    if (!isKey(key)) return reader.corrupt("a key that can be none");
    const namespace = decodeFrom(reader);
    if (typeof namespace === "string" || typeof namespace === "number") return { key, namespace };
    return reader.corrupt("a namespace that is neither text nor number");
  }

  clear(place: Place): void {
    this.#entries.delete(this.#identityOf(place));
  }

  set(place: Place, value: unknown): void {
    this.#entries.set(this.#identityOf(place), { entry: { ...place, value }, order: this.#orderOf(place), pairs: null });
  }

  append(place: Place, elements: readonly unknown[]): void {
    const before = this.#entries.get(this.#identityOf(place));
    this.set(place, before === undefined ? elements : [...(before.entry.value as readonly unknown[]), ...elements]);
  }

  put(place: Place, mapKey: unknown, value: unknown): void {
    let kept = this.#entries.get(this.#identityOf(place));
    if (kept === undefined) {
      this.set(place, []);
      kept = this.#entries.get(this.#identityOf(place)) as Kept;
    }
    pairsOf(kept).set(orderText(mapKey), [mapKey, value]);
  }

  remove(place: Place, mapKey: unknown): void {
    const kept = this.#entries.get(this.#identityOf(place));
    if (kept === undefined) return;
    const pairs = pairsOf(kept);
    pairs.delete(orderText(mapKey));
    if (pairs.size === 0) this.clear(place);
  }

  setTimer(domain: 0 | 1, timer: SectionTimer, isThere: boolean): void {
    const text = this.#orderOf(timer) + orderText(timer.timestampMs);
    if (isThere) this.#timers[domain].set(text, timer);
    else this.#timers[domain].delete(text);
  }

  /** In the order of a section: by key group, state, key and namespace. */
  entries(): readonly SectionEntry[] {
    const kept = [...this.#entries.values()].sort(
      (left, right) =>
        left.entry.keyGroup - right.entry.keyGroup ||
        compare(left.entry.state, right.entry.state) ||
        compare(left.order, right.order),
    );
    return kept.map(({ entry, pairs }) => (pairs === null ? entry : { ...entry, value: [...pairs.values()] }));
  }

  /** In the order of a section. */
  timers(domain: 0 | 1): readonly SectionTimer[] {
    const timers = [...this.#timers[domain]];
    timers.sort(([left, one], [right, other]) => one.keyGroup - other.keyGroup || compare(left, right));
    return timers.map(([, timer]) => timer);
  }

  #orderOf(item: Pick<Place, "key" | "namespace">): string {
    let order = this.#orders.get(item);
    if (order === undefined) {
      order = orderText(item.key) + orderText(item.namespace);
      this.#orders.set(item, order);
    }
    return order;
  }

  #identityOf(place: Place): string {
    return `${place.state.length}:${place.state}${this.#orderOf(place)}`;
  }
}

function pairsOf(kept: Kept): Map<string, readonly [unknown, unknown]> {
  if (kept.pairs === null) {
    const pairs = kept.entry.value as readonly (readonly [unknown, unknown])[];
    kept.pairs = new Map(pairs.map((pair) => [orderText(pair[0]), pair]));
  }
  return kept.pairs;
}

function compare(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
