import { structuralHash } from "../../engine/base/structural.ts";
import { sameValue } from "../reference/structural-equality.ts";
import type { ExpectedOutput } from "./committed-output-expected.ts";
import { describeValue } from "./data-oracles-wording.ts";

interface Value {
  readonly value: unknown;
  isExpected: boolean;
  isSeen: boolean;
}

/**
 * An output topic of an at-least-once job: every value that is expected must become visible, however often, and
 * beside whatever else: what a record brought forth that an operator applied behind a barrier is visible, though a
 * restore took it back, and comes again, perhaps with another value.
 */
export class AtLeastOnceTopic implements ExpectedOutput {
  readonly topic: string;
  /** By hash. */
  readonly #values: Map<number, Value[]> = new Map();

  constructor(topic: string) {
    this.topic = topic;
  }

  expect(value: unknown): void {
    this.#find(value).isExpected = true;
  }

  see(value: unknown): null {
    this.#find(value).isSeen = true;
    return null;
  }

  missing(): string | null {
    for (const values of this.#values.values()) {
      for (const { value, isExpected, isSeen } of values) {
        if (isExpected && !isSeen) return `${this.topic}: ${describeValue(value)} never became visible`;
      }
    }
    return null;
  }

  #find(value: unknown): Value {
    const hash = structuralHash(value);
    let bucket = this.#values.get(hash);
    if (bucket === undefined) {
      bucket = [];
      this.#values.set(hash, bucket);
    }
    for (const known of bucket) if (sameValue(known.value, value)) return known;
    const added: Value = { value, isExpected: false, isSeen: false };
    bucket.push(added);
    return added;
  }
}
