import type { TimestampMs } from "../base/units.ts";
import type { Output, StreamOperator } from "./operator.ts";

/** Takes the records of one job edge and spreads them over its channels. */
export interface EdgeWriter {
  write(value: unknown, timestampMs: TimestampMs): void;
}

/** A side output and who receives it. */
export interface SideReceivers {
  readonly tag: string;
  readonly receivers: readonly Output[];
}

/** The output that hands each record to all `main` receivers, in order, with as little in between as possible. */
export function outputTo(main: readonly Output[], sides: readonly SideReceivers[]): Output {
  const output = combine(main);
  return sides.length === 0 ? output : new TaggedOutput(output, sides);
}

function combine(receivers: readonly Output[]): Output {
  const [first] = receivers;
  if (first === undefined) return new DiscardingOutput();
  return receivers.length === 1 ? first : new CopyingOutput(receivers);
}

/** The next operator of the chain, called directly. */
export class ChainedOutput implements Output {
  readonly #next: StreamOperator;
  constructor(next: StreamOperator) {
    this.#next = next;
  }
  collect(value: unknown, timestampMs: TimestampMs): void {
    this.#next.processElement(value, timestampMs);
  }
  collectSide(): void {}
}

/** An edge that leaves the task. */
export class EdgeOutput implements Output {
  readonly #writer: EdgeWriter;
  constructor(writer: EdgeWriter) {
    this.#writer = writer;
  }
  collect(value: unknown, timestampMs: TimestampMs): void {
    this.#writer.write(value, timestampMs);
  }
  collectSide(): void {}
}

/** Nobody listens. */
class DiscardingOutput implements Output {
  collect(): void {}
  collectSide(): void {}
}

class CopyingOutput implements Output {
  readonly #receivers: readonly Output[];
  constructor(receivers: readonly Output[]) {
    this.#receivers = receivers;
  }
  collect(value: unknown, timestampMs: TimestampMs): void {
    const receivers = this.#receivers;
    for (let index = 0; index < receivers.length; index++) {
      (receivers[index] as Output).collect(value, timestampMs);
    }
  }
  collectSide(): void {}
}

/** Adds side outputs; what goes to a tag that nobody takes is discarded, as in Flink. */
class TaggedOutput implements Output {
  readonly #main: Output;
  readonly #tags: readonly string[];
  readonly #sides: readonly Output[];
  constructor(main: Output, sides: readonly SideReceivers[]) {
    this.#main = main;
    this.#tags = sides.map((side) => side.tag);
    this.#sides = sides.map((side) => combine(side.receivers));
  }
  collect(value: unknown, timestampMs: TimestampMs): void {
    this.#main.collect(value, timestampMs);
  }
  collectSide(tag: string, value: unknown, timestampMs: TimestampMs): void {
    const index = this.#tags.indexOf(tag);
    if (index >= 0) (this.#sides[index] as Output).collect(value, timestampMs);
  }
}
