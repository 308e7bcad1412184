import type { RunTape, TapePoint } from "../../simulator/timetravel/run-tape.ts";
import type { EventFilter, EventTerm } from "./events-filter.ts";
import { EventWords } from "./events-words.ts";

/** Filters of one tape whose matches are kept. */
const FILTERS_KEPT = 12;

/** In which steps a record with some key was processed or applied, ascending. */
export type StepsOfKey = (key: string) => readonly number[];

/** True for a point that matches. */
type Test = (point: number, step: number) => boolean;

/** The points of a tape that match a filter, by their place among them: 0, 1, 2 … */
export class EventMatches {
  readonly tape: RunTape;
  /** Numbers of points, ascending. */
  readonly #points: Int32Array;

  constructor(tape: RunTape, points: Int32Array) {
    this.tape = tape;
    this.#points = points;
  }

  get count(): number {
    return this.#points.length;
  }

  /** At most `limit`, from the place `offset` on. */
  window(offset: number, limit: number): readonly TapePoint[] {
    const points: TapePoint[] = [];
    for (const point of this.#points.subarray(Math.max(0, offset), Math.max(0, offset) + limit)) points.push(this.tape.pointAt(point));
    return points;
  }

  /** The place of the first match in this step or behind it; `count` where there is none. */
  placeOf(step: number): number {
    return this.#before(this.tape.firstPointOf(step));
  }

  /** The same, behind the step. */
  placeBehind(step: number): number {
    return this.#before(this.tape.endOf(step));
  }

  /** The next later step with a match, or null. */
  next(step: number): number | null {
    return this.#stepAt(this.placeBehind(step));
  }

  /** The last earlier step with a match, or null. */
  previous(step: number): number | null {
    return this.#stepAt(this.placeOf(step) - 1);
  }

  #stepAt(place: number): number | null {
    const point = this.#points[place];
    return point === undefined ? null : this.tape.stepOf(point);
  }

  /** How many matches are before this point. */
  #before(point: number): number {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#points[middle] as number) < point) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const KEPT: WeakMap<RunTape, Map<string, EventMatches>> = new WeakMap();

/** Worked out once for each tape and filter. `stepsOfKey` is asked only where the filter names a key. */
export function matchesOf(tape: RunTape, filter: EventFilter, stepsOfKey: StepsOfKey): EventMatches {
  const kept = KEPT.get(tape) ?? new Map<string, EventMatches>();
  KEPT.set(tape, kept);
  const matches = kept.get(filter.text) ?? new EventMatches(tape, pointsThatMatch(tape, filter, stepsOfKey));
  // The one used last stands last.
  kept.delete(filter.text);
  kept.set(filter.text, matches);
  for (const oldest of kept.keys()) {
    if (kept.size <= FILTERS_KEPT) break;
    kept.delete(oldest);
  }
  return matches;
}

function pointsThatMatch(tape: RunTape, { terms }: EventFilter, stepsOfKey: StepsOfKey): Int32Array {
  const tests = [...terms].sort((left, right) => costOf(left) - costOf(right)).map((term) => testOf(tape, term, stepsOfKey));
  const found = new Int32Array(tape.points);
  let count = 0;
  for (let step = 0; step <= tape.steps; step += 1) {
    const end = tape.endOf(step);
    for (let point = tape.firstPointOf(step); point < end; point += 1) {
      if (!tests.every((test) => test(point, step))) continue;
      found[count] = point;
      count += 1;
    }
  }
  return found.slice(0, count);
}

/** Words are dear: they are looked for in what is left. */
function costOf({ field }: EventTerm): number {
  return field === "word" ? 1 : 0;
}

function testOf(tape: RunTape, term: EventTerm, stepsOfKey: StepsOfKey): Test {
  const test = wantedBy(tape, term, stepsOfKey);
  return term.isWanted ? test : (point, step) => !test(point, step);
}

function wantedBy(tape: RunTape, term: EventTerm, stepsOfKey: StepsOfKey): Test {
  switch (term.field) {
    case "kind":
      return (point) => term.kinds.has(tape.kindOf(point));
    case "subject":
      return byName((name) => isOfSubject(name, term.text), (point) => tape.subjectOf(point));
    case "process":
      return (point) => (tape.processOf(point) ?? "-") === term.text;
    case "key": {
      const steps = new Set(stepsOfKey(term.text));
      return (_point, step) => steps.has(step);
    }
    case "word":
      return byWord(tape, term.text);
  }
}

/** "sum[1]" itself; "sum" and "host-1" also with what is behind the name: "sum[1]", "host-1:table". */
function isOfSubject(name: string, wanted: string): boolean {
  return name.startsWith(wanted) && (name.length === wanted.length || name[wanted.length] === "[" || name[wanted.length] === ":");
}

/** A name is looked at once. */
function byName(isIt: (name: string) => boolean, nameOf: (point: number) => string): Test {
  const known = new Map<string, boolean>();
  return (point) => {
    const name = nameOf(point);
    let answer = known.get(name);
    if (answer === undefined) {
      answer = isIt(name);
      known.set(name, answer);
    }
    return answer;
  };
}

/** In the words of the point, the name of its kind and its process. */
function byWord(tape: RunTape, word: string): Test {
  const isSaid = EventWords.of(tape).saying(word);
  const isOfProcess = byName((name) => name.toLowerCase().includes(word), (point) => tape.processOf(point) ?? "-");
  return (point, step) => isSaid(point) || isOfProcess(point, step);
}
