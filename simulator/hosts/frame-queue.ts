import { invariant } from "../../engine/base/assert.ts";

const INITIAL_CAPACITY = 8;

/**
 * What is under way to one end of a connection, in the order sent: frames, and null for the notice that the
 * connection broke. A ring, because pushing and taking happen for every frame.
 */
export class FrameQueue<F> {
  #slots: (F | null | undefined)[] = new Array<F | null | undefined>(INITIAL_CAPACITY).fill(undefined);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: F | null): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length += 1;
  }

  /** Takes the oldest; the queue is not empty. */
  shift(): F | null {
    const item = this.#slots[this.#head];
    invariant(this.#length > 0 && item !== undefined, "each event of a connection finds what it delivers");
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length -= 1;
    return item;
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#head = 0;
    this.#length = 0;
  }

  /** The frames, oldest first, without the notice. */
  frames(): readonly F[] {
    const found: F[] = [];
    for (let i = 0; i < this.#length; i += 1) {
      const item = this.#slots[(this.#head + i) & (this.#slots.length - 1)];
      if (item !== undefined && item !== null) found.push(item);
    }
    return found;
  }

  #grow(): void {
    const { length } = this.#slots;
    const slots = new Array<F | null | undefined>(length * 2).fill(undefined);
    for (let i = 0; i < length; i += 1) slots[i] = this.#slots[(this.#head + i) & (length - 1)];
    this.#slots = slots;
    this.#head = 0;
  }
}
