import { mapKeyIdentity } from "./key-identity.ts";
import type { ListState, MapState } from "./state.ts";
import type { TypeSerializer } from "./type-serializer.ts";

/** A list of operator state, split or union: that only shows on a restore. */
export class OperatorList implements ListState<unknown> {
  #elements: unknown[] = [];
  /** `get` gave the array out: it must be copied before it is changed. */
  #shared = false;

  get size(): number {
    return this.#elements.length;
  }

  /** To be read at once: it may change later. */
  get elements(): readonly unknown[] {
    return this.#elements;
  }

  get(): readonly unknown[] {
    this.#shared = true;
    return this.#elements;
  }

  add(value: unknown): void {
    this.#own().push(value);
  }

  addAll(values: readonly unknown[]): void {
    const elements = this.#own();
    for (const value of values) elements.push(value);
  }

  update(values: readonly unknown[]): void {
    this.#elements = values.slice();
    this.#shared = false;
  }

  clear(): void {
    this.update([]);
  }

  #own(): unknown[] {
    if (this.#shared) this.update(this.#elements);
    return this.#elements;
  }
}

/** Broadcast state: keys of equal content are one; iterates in the order in which they were first put. */
export class BroadcastMap implements MapState<unknown, unknown> {
  readonly #pairs: Map<unknown, readonly [unknown, unknown]> = new Map();
  readonly #keySerializer: TypeSerializer<any>;

  constructor(keySerializer: TypeSerializer<any>) {
    this.#keySerializer = keySerializer;
  }

  get size(): number {
    return this.#pairs.size;
  }

  get(key: unknown): unknown {
    const pair = this.#pairs.get(this.#identityOf(key));
    return pair === undefined ? null : pair[1];
  }

  put(key: unknown, value: unknown): void {
    this.#pairs.set(this.#identityOf(key), [typeof key === "number" ? key + 0 : key, value]);
  }

  remove(key: unknown): void {
    this.#pairs.delete(this.#identityOf(key));
  }

  contains(key: unknown): boolean {
    return this.#pairs.has(this.#identityOf(key));
  }

  entries(): readonly (readonly [unknown, unknown])[] {
    return [...this.#pairs.values()];
  }

  isEmpty(): boolean {
    return this.#pairs.size === 0;
  }

  clear(): void {
    this.#pairs.clear();
  }

  #identityOf(key: unknown): unknown {
    return mapKeyIdentity(key, this.#keySerializer);
  }
}
