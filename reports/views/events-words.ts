import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { traceKindName } from "../../simulator/trace/kinds.ts";
import { pointPhrase } from "./point-text.ts";

const EMPTY = -1;
/** Slots of the table for each thing in it, at least. */
const ROOM = 2;
const FIRST_SLOTS = 1 << 12;

/**
 * What the points of a tape say, each different text once: thousands of points say the same, and a word is looked
 * for in each text once.
 */
export class EventWords {
  /** By point: the number of its text. */
  readonly #textOf: Int32Array;
  /** In small letters: the words, and the name of the kind. */
  readonly #texts: string[] = [];
  readonly #tape: RunTape;
  /** By number of a text: the first point that says it. */
  readonly #firsts: number[] = [];
  /** Open addressing: numbers of texts. */
  #slots: Int32Array = new Int32Array(FIRST_SLOTS).fill(EMPTY);

  private constructor(tape: RunTape) {
    this.#tape = tape;
    this.#textOf = new Int32Array(tape.points);
    for (let point = 0; point < tape.points; point += 1) this.#textOf[point] = this.#numberOf(point);
  }

  static of(tape: RunTape): EventWords {
    const words = KEPT.get(tape) ?? new EventWords(tape);
    KEPT.set(tape, words);
    return words;
  }

  /** True for the points that say the word, which is in small letters. */
  saying(word: string): (point: number) => boolean {
    const says = Uint8Array.from(this.#texts, (text) => (text.includes(word) ? 1 : 0));
    return (point) => says[this.#textOf[point] as number] === 1;
  }

  #numberOf(point: number): number {
    const slots = this.#slots;
    let slot = this.#hash(point) & (slots.length - 1);
    for (let number = slots[slot] as number; number !== EMPTY; number = slots[slot] as number) {
      if (this.#saysTheSame(point, this.#firsts[number] as number)) return number;
      slot = (slot + 1) & (slots.length - 1);
    }
    const number = this.#firsts.length;
    slots[slot] = number;
    this.#firsts.push(point);
    this.#texts.push(this.#text(point));
    if (this.#firsts.length * ROOM > slots.length) this.#grow();
    return number;
  }

  #hash(point: number): number {
    const tape = this.#tape;
    let hash = Math.imul(tape.kindOf(point), 0x9e3779b1) ^ tape.subjectNumberOf(point);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ (tape.xOf(point) | 0);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ (tape.yOf(point) | 0);
    return Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f) >>> 8;
  }

  #saysTheSame(left: number, right: number): boolean {
    const tape = this.#tape;
    return (
      tape.kindOf(left) === tape.kindOf(right) &&
      tape.subjectNumberOf(left) === tape.subjectNumberOf(right) &&
      tape.xOf(left) === tape.xOf(right) &&
      tape.yOf(left) === tape.yOf(right)
    );
  }

  #text(point: number): string {
    const tape = this.#tape;
    const kind = tape.kindOf(point);
    const event = traceKindName(kind) ?? "";
    const phrase = pointPhrase({ kind, event, subject: tape.subjectOf(point), x: tape.xOf(point), y: tape.yOf(point), named: tape.namedBy(point) });
    return `${phrase} ${event}`.toLowerCase();
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
    this.#firsts.forEach((point, number) => {
      let slot = this.#hash(point) & (slots.length - 1);
      while (slots[slot] !== EMPTY) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = number;
    });
    this.#slots = slots;
  }
}

const KEPT: WeakMap<RunTape, EventWords> = new WeakMap();
