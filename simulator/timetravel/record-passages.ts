import { invariant } from "../../engine/base/assert.ts";
import type { Key } from "../../engine/state/state.ts";
import { describeValue } from "../oracles/data-oracles-wording.ts";

/** More are not kept: about 120 MB. */
const PASSAGES_LIMIT = 1 << 22;
const FIRST_CAPACITY = 1 << 12;
const NONE = -1;

/**
 * What can happen to a record. `detail` and `number` of a passage depend on it; where nothing is said here they say
 * nothing.
 */
export const PASSAGE = {
  /** A source read it. */
  read: 0,
  /** In a buffer. detail: records in it, number: timestamp. */
  sent: 1,
  /** The same, at the receiver. */
  arrived: 2,
  /** Through a map, flatMap or filter. */
  passed: 3,
  /** A filter did not let it through. */
  filtered: 4,
  /** It comes to a keyed operator. detail: number of its key. */
  processed: 5,
  /** A window's aggregate gets it: it is not late. detail: number of its key. */
  added: 6,
  /** A window emitted it. detail: number of the key (-1: not known), number: start of the window. */
  emittedByWindow: 7,
  /** A process function emitted it for a record. detail: number of the key, number: id of that record. */
  emittedForRecord: 8,
  /** A process function's timer emitted it. detail: number of the key, number: time of the timer. */
  emittedByTimer: 9,
  /** A sink writes it. detail: number of the transaction's id, once that is known; -1 until then. */
  written: 10,
  /** A completed checkpoint has it as in flight. detail: the checkpoint. */
  inFlight: 11,
  /** The history up to a completed checkpoint has it. detail: the checkpoint, number: 1 it was applied, 0 late. */
  settled: 12,
} as const;

/** Where it happens: one subtask of an operator in one attempt, a channel of an attempt, an edge of the job. */
export interface PassagePlace {
  /** Of a channel: its sender. */
  readonly name: string;
  /** The receiver of a channel; null for everything else. */
  readonly to: string | null;
  /** Of the operator; null for a channel or an edge. */
  readonly uid: string | null;
  /** -1 for an edge. */
  readonly attempt: number;
  readonly process: string | null;
}

export interface Passage {
  /** One of PASSAGE. */
  readonly what: number;
  readonly id: number;
  readonly step: number;
  readonly place: PassagePlace;
  readonly detail: number;
  readonly number: number;
}

/** Everything that happened to any record of a run, in order, as columns; those of one record are linked. */
export class RecordPassages {
  count = 0;
  /** The step in which there was no more room; null: all of them are here. */
  fullAtStep: number | null = null;
  #whats: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #ids: Int32Array = new Int32Array(FIRST_CAPACITY);
  #steps: Int32Array = new Int32Array(FIRST_CAPACITY);
  #places: Int32Array = new Int32Array(FIRST_CAPACITY);
  #details: Int32Array = new Int32Array(FIRST_CAPACITY);
  #numbers: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** The passage before it of the same record. */
  #before: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** By id: the last one. */
  readonly #last: Map<number, number> = new Map();
  readonly #emitted: number[] = [];
  readonly places: PassagePlace[] = [];
  readonly #texts: string[] = [];
  readonly #numberOfText: Map<string, number> = new Map();

  /** The number of a new place. */
  addPlace(place: PassagePlace): number {
    this.places.push(place);
    return this.places.length - 1;
  }

  /** Returns its place in the list, or -1 where there was no room. */
  add(what: number, id: number, step: number, place: number, detail: number = NONE, number: number = NONE): number {
    if (this.count === PASSAGES_LIMIT) {
      this.fullAtStep ??= step;
      return NONE;
    }
    if (this.count === this.#whats.length) this.#grow();
    const at = this.count;
    this.count += 1;
    this.#whats[at] = what;
    this.#ids[at] = id;
    this.#steps[at] = step;
    this.#places[at] = place;
    this.#details[at] = detail;
    this.#numbers[at] = number;
    this.#before[at] = this.#last.get(id) ?? NONE;
    this.#last.set(id, at);
    if (isEmission(what)) this.#emitted.push(at);
    return at;
  }

  setDetail(at: number, detail: number): void {
    if (at !== NONE) this.#details[at] = detail;
  }

  /** The number of a key or of another text. */
  intern(text: string): number {
    let number = this.#numberOfText.get(text);
    if (number === undefined) {
      number = this.#texts.length;
      this.#texts.push(text);
      this.#numberOfText.set(text, number);
    }
    return number;
  }

  textOf(number: number): string | null {
    return this.#texts[number] ?? null;
  }

  /** Of one record, in order. */
  of(id: number): readonly Passage[] {
    const found: Passage[] = [];
    for (let at = this.#last.get(id) ?? NONE; at !== NONE; at = this.#before[at] as number) found.push(this.#at(at));
    return found.reverse();
  }

  /** What keyed operators emitted, of all records, in order. */
  emissions(): readonly Passage[] {
    return this.#emitted.map((at) => this.#at(at));
  }

  /** In which steps a keyed operator got a record with this key, or emitted for it; ascending. */
  stepsOfKey(key: string): readonly number[] {
    const number = this.#numberOfText.get(key);
    const steps = new Set<number>();
    if (number === undefined) return [];
    for (let at = 0; at < this.count; at += 1) {
      if (this.#details[at] === number && hasKey(this.#whats[at] as number)) steps.add(this.#steps[at] as number);
    }
    return [...steps];
  }

  #at(at: number): Passage {
    const place = this.places[this.#places[at] as number];
    invariant(place !== undefined, "a passage is at a place");
    return {
      what: this.#whats[at] as number,
      id: this.#ids[at] as number,
      step: this.#steps[at] as number,
      place,
      detail: this.#details[at] as number,
      number: this.#numbers[at] as number,
    };
  }

  #grow(): void {
    const capacity = this.#whats.length * 2;
    this.#whats = grown(this.#whats, new Uint8Array(capacity));
    this.#ids = grown(this.#ids, new Int32Array(capacity));
    this.#steps = grown(this.#steps, new Int32Array(capacity));
    this.#places = grown(this.#places, new Int32Array(capacity));
    this.#details = grown(this.#details, new Int32Array(capacity));
    this.#numbers = grown(this.#numbers, new Float64Array(capacity));
    this.#before = grown(this.#before, new Int32Array(capacity));
  }
}

function grown<T extends { set(values: ArrayLike<number>): void }>(from: ArrayLike<number>, to: T): T {
  to.set(from);
  return to;
}

function isEmission(what: number): boolean {
  return what === PASSAGE.emittedByWindow || what === PASSAGE.emittedForRecord || what === PASSAGE.emittedByTimer;
}

function hasKey(what: number): boolean {
  return what === PASSAGE.processed || what === PASSAGE.added || isEmission(what);
}

/** A key as people name it: ORD, 17, ["a", 1]. */
export function keyText(key: Key): string {
  return typeof key === "string" ? key : describeValue(key);
}
