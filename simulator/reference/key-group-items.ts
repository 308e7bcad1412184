import type { SectionEntry, SectionTimer } from "./snapshot-reader.ts";

/**
 * The entries and timers of one key group, in the order of a keyed section, and where each of them stands in
 * its bytes. A list is what the group holds of one state or of one kind of timers.
 *
 * Afterwards it serves the reader of a later section: `isAt`, or else list by list `openList`, then `find` for
 * one item after the other.
 */
export class KeyGroupItems {
  readonly all: (SectionEntry | SectionTimer)[] = [];
  /** Number of the first item of each list. */
  readonly lists: number[] = [];
  readonly #bytes: Uint8Array;
  readonly #start: number;
  #end: number;
  /** Three numbers an item: its start, the end of the bytes that items are ordered by, and its end. */
  readonly #places: number[] = [];
  /** The item found last, the one to look at next, and the end of the list. */
  #at = 0;
  #next = 0;
  #listEnd = 0;

  /** From `start` on: behind the watermark, which changes where nothing else does. */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = start;
  }

  beginList(): void {
    this.lists.push(this.all.length);
  }

  add(item: SectionEntry | SectionTimer, start: number, keyEnd: number, end: number): void {
    this.all.push(item);
    this.#places.push(start, keyEnd, end);
  }

  /** True if the last item that was added stands behind the one before it in its list. */
  isAscending(): boolean {
    const last = this.all.length - 1;
    if (last === this.lists[this.lists.length - 1]) return true;
    const start = this.#places[3 * last] as number;
    return this.#compare(last - 1, 1, this.#bytes, start, this.#places[3 * last + 1] as number) < 0;
  }

  finish(end: number): void {
    this.#end = end;
  }

  /* ---- for the reader of a later section ---- */

  /** True if the same bytes stand in `bytes` from `start` to `end`. */
  isAt(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== this.#end - this.#start) return false;
    const own = this.#bytes;
    for (let i = start, j = this.#start; i < end; i++, j++) if (bytes[i] !== own[j]) return false;
    return true;
  }

  openList(list: number): void {
    this.#next = this.lists[list] as number;
    this.#listEnd = this.lists[list + 1] ?? this.all.length;
  }

  /** The item of the list whose key is what begins at `start`, or null. Each is found once, and in order. */
  find(bytes: Uint8Array, start: number): SectionEntry | SectionTimer | null {
    for (let at = this.#next; at < this.#listEnd; at++) {
      const order = this.#compare(at, 1, bytes, start, bytes.length);
      this.#next = order > 0 ? at : at + 1;
      if (order > 0) return null;
      if (order < 0) continue;
      this.#at = at;
      return this.all[at] as SectionEntry | SectionTimer;
    }
    return null;
  }

  /** Bytes that the key of the item found takes. */
  keyLength(): number {
    return (this.#places[3 * this.#at + 1] as number) - (this.#places[3 * this.#at] as number);
  }

  length(): number {
    return (this.#places[3 * this.#at + 2] as number) - (this.#places[3 * this.#at] as number);
  }

  /** True if all of the item found, not only its key, is what begins at `start`: values tell their own length. */
  isWhole(bytes: Uint8Array, start: number): boolean {
    return this.#compare(this.#at, 2, bytes, start, bytes.length) === 0;
  }

  /** Order of an item up to one of its places, and of what begins at `start`; 0 if that begins with the item. */
  #compare(item: number, place: 1 | 2, bytes: Uint8Array, start: number, end: number): number {
    const own = this.#bytes;
    const from = this.#places[3 * item] as number;
    const length = (this.#places[3 * item + place] as number) - from;
    const common = length < end - start ? length : end - start;
    for (let i = 0; i < common; i++) {
      const difference = (own[from + i] as number) - (bytes[start + i] as number);
      if (difference !== 0) return difference;
    }
    return length - common;
  }
}
