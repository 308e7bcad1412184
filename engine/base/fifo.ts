import { invariant } from "./assert.ts";

/** A queue that keeps its room: what comes and goes one by one makes no garbage. */
export class Fifo<T> {
  /** A ring; its length is a power of two. */
  private items: (T | undefined)[] = [undefined, undefined, undefined, undefined];
  private head = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(item: T): void {
    if (this.count === this.items.length) this.grow();
    this.items[(this.head + this.count) & (this.items.length - 1)] = item;
    this.count++;
  }

  /** The oldest, which leaves; undefined where there is none. */
  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head = (this.head + 1) & (this.items.length - 1);
    this.count--;
    return item;
  }

  /** The one that is `index` places behind the oldest. */
  at(index: number): T | undefined {
    return index < this.count ? this.items[(this.head + index) & (this.items.length - 1)] : undefined;
  }

  /** Puts another item in the place that `index` places behind the oldest. */
  replace(index: number, item: T): void {
    invariant(index >= 0 && index < this.count, "only an item that is there is replaced");
    this.items[(this.head + index) & (this.items.length - 1)] = item;
  }

  private grow(): void {
    const items: (T | undefined)[] = [];
    for (let i = 0; i < this.count; i++) items.push(this.at(i));
    while (items.length < 2 * this.count) items.push(undefined);
    this.items = items;
    this.head = 0;
  }
}
