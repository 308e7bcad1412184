import { structuralHash } from "../../engine/base/structural.ts";
import { sameValue } from "../reference/structural-equality.ts";
import type { OutputTopic } from "../scenario.ts";
import { count, describeValue } from "./data-oracles-wording.ts";
import type { ReplayOrigin } from "./surviving-history-replay.ts";

/** The records of one key, in the order in which they must become visible. */
interface KeyLine {
  readonly values: unknown[];
  seen: number;
  /** Something was wrong here: what follows of this key would only repeat it. */
  broken: boolean;
  /** In the order of the values; there is one at least. */
  readonly runs: Run[];
  /** Number of the run that is due. */
  run: number;
}

/** Records of one key that one generation of subtasks emits: all of them come before those of the next one. */
interface Run {
  /** Number of the first. */
  readonly start: number;
  readonly generation: number;
  /** Who emits them; -2 once several do, whose order among each other is open. */
  producer: number;
}

/** A value whose order does not matter, and how often it must still become visible. */
interface Pooled {
  readonly value: unknown;
  left: number;
}

const SEVERAL_PRODUCERS = -2;

/** What is expected of an output topic, and seen. */
export interface ExpectedOutput {
  readonly topic: string;
  /** One more record is expected. */
  expect(value: unknown, origin: ReplayOrigin): void;
  /** A consumer sees this value now. Null if that is right, or what is wrong. */
  see(value: unknown): string | null;
  /** What is still to come, in words; null where everything was seen. */
  missing(): string | null;
}

/** Of records whose one right order is known. */
export const ONE_ORDER: ReplayOrigin = { producer: -1, generation: 0 };

/**
 * What must become visible in one output topic, and how much of it has. It may grow while the run goes on;
 * what is seen must be expected by then. Records of a key that one subtask emits come in its order; where the
 * parallelism changed, what the subtasks before that emitted comes before what those after it do.
 */
export class ExpectedTopic implements ExpectedOutput {
  readonly topic: string;
  readonly #keyOf: ((value: unknown) => string) | null;
  readonly #lines: Map<string, KeyLine> = new Map();
  /** For topics without order: by hash. */
  readonly #pool: Map<number, Pooled[]> = new Map();

  constructor({ topic, keyOf }: OutputTopic) {
    this.topic = topic;
    this.#keyOf = keyOf;
  }

  expect(value: unknown, { producer, generation }: ReplayOrigin): void {
    if (this.#keyOf === null) {
      this.#pooled(value).left += 1;
      return;
    }
    const key = this.#keyOf(value);
    const line = this.#lines.get(key);
    if (line === undefined) {
      this.#lines.set(key, { values: [value], seen: 0, broken: false, runs: [{ start: 0, generation, producer }], run: 0 });
      return;
    }
    const last = line.runs[line.runs.length - 1] as Run;
    if (generation > last.generation) line.runs.push({ start: line.values.length, generation, producer });
    else if (last.producer !== producer) last.producer = SEVERAL_PRODUCERS;
    line.values.push(value);
  }

  see(value: unknown): string | null {
    if (this.#keyOf === null) return this.#seeUnordered(value);
    const key = this.#keyOf(value);
    const line = this.#lines.get(key);
    if (line === undefined) return `${this.topic}: ${describeValue(value)} of key "${key}", which has no output`;
    while ((line.runs[line.run + 1]?.start ?? Infinity) <= line.seen) line.run += 1;
    if (line.runs[line.run]?.producer === SEVERAL_PRODUCERS) moveToFront(line, value);
    if (line.seen < line.values.length && sameValue(line.values[line.seen], value)) {
      line.seen += 1;
      return null;
    }
    if (line.broken) return null;
    line.broken = true;
    return this.#wrongValue(key, line, value);
  }

  missing(): string | null {
    for (const [key, line] of this.#lines) {
      if (line.broken || line.seen === line.values.length) continue;
      const left = count(line.values.length - line.seen, "record");
      return `${this.topic}: key "${key}": ${left} never became visible, the first ${describeValue(line.values[line.seen])}`;
    }
    for (const pooled of this.#pool.values()) {
      for (const { value, left } of pooled) {
        if (left > 0) return `${this.topic}: ${describeValue(value)} never became visible (${left} times)`;
      }
    }
    return null;
  }

  #wrongValue(key: string, line: KeyLine, value: unknown): string {
    const expected = line.values[line.seen];
    const where = `${this.topic}: key "${key}", record ${line.seen + 1}`;
    const wanted = line.seen < line.values.length ? describeValue(expected) : "nothing more";
    const at = line.values.findIndex((one) => sameValue(one, value));
    let why = "";
    if (at >= 0 && at < line.seen) why = ` (visible for the second time, first as record ${at + 1})`;
    else if (at > line.seen) why = ` (${count(at - line.seen, "record")} too early)`;
    return `${where}: expected ${wanted}, got ${describeValue(value)}${why}`;
  }

  #seeUnordered(value: unknown): string | null {
    const pooled = this.#pooled(value);
    pooled.left -= 1;
    return pooled.left >= 0 ? null : `${this.topic}: ${describeValue(value)} is visible more often than expected`;
  }

  #pooled(value: unknown): Pooled {
    const hash = structuralHash(value);
    let bucket = this.#pool.get(hash);
    if (bucket === undefined) {
      bucket = [];
      this.#pool.set(hash, bucket);
    }
    for (const pooled of bucket) if (sameValue(pooled.value, value)) return pooled;
    const added = { value, left: 0 };
    bucket.push(added);
    return added;
  }
}

/** Where order is open: the value that came is the one that was due. */
function moveToFront(line: KeyLine, value: unknown): void {
  const end = line.runs[line.run + 1]?.start ?? line.values.length;
  for (let at = line.seen; at < end; at++) {
    if (!sameValue(line.values[at], value)) continue;
    line.values[at] = line.values[line.seen];
    line.values[line.seen] = value;
    return;
  }
}
