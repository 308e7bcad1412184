import type { TimestampMs } from "../../engine/base/units.ts";
import type { StreamEdge } from "../../engine/graph/stream-graph.ts";
import type { EdgeGate, ReferenceOperator } from "../reference/dataflow.ts";
import { sameValue } from "../reference/structural-equality.ts";
import type { RecordIds, Tagged } from "./graph-rewriting-ids.ts";
import type { InFlight } from "./in-flight.ts";

/** A record that is kept back, and what it is to be let go with. */
interface Withheld<Context> {
  readonly record: Tagged;
  readonly timestampMs: TimestampMs;
  readonly context: Context;
}

export interface GateOptions<Context> {
  readonly knowsValues: (edge: StreamEdge) => boolean;
  /** What a record is accompanied by when it comes along; `resume` brings it back when it is let go. */
  readonly context: () => Context;
  readonly resume: (context: Context) => void;
}

/** One edge. */
interface Gate<Context> {
  readonly key: string;
  readonly target: ReferenceOperator;
  /** What comes along is, value by value, what the job sent. */
  readonly knowsValues: boolean;
  withheld: Withheld<Context>[];
  /** By id: the values in flight at the cut at hand that have not come along yet. */
  readonly awaited: Map<number, unknown[]>;
}

/**
 * Lets a reference stand exactly where an unaligned checkpoint cuts: a record in flight at the cut is part of
 * the past of its sender and of the future of its receiver. So at the edge where it was in flight it is kept
 * back, behind everything upstream and before everything downstream, until a later cut no longer has it there.
 *
 * From one cut to the next: `begin`, then whatever moves the sources and operators on to the cut, then `end`.
 * Records are told apart by their ids, and those of one id by their values; by the ids alone where the values are
 * not known (a reference may have other running values than the job had in another order).
 */
export class InFlightGates<Context> {
  readonly #keys: ReadonlyMap<StreamEdge, string>;
  readonly #gates: Gate<Context>[] = [];
  readonly #ids: RecordIds;
  readonly #knowsValues: (edge: StreamEdge) => boolean;
  readonly #context: () => Context;
  readonly #resume: (context: Context) => void;

  constructor(keys: ReadonlyMap<StreamEdge, string>, ids: RecordIds, options: GateOptions<Context>) {
    this.#keys = keys;
    this.#ids = ids;
    this.#knowsValues = options.knowsValues;
    this.#context = options.context;
    this.#resume = options.resume;
  }

  readonly gate: EdgeGate = (edge, target) => {
    const key = this.#keys.get(edge);
    if (key === undefined) return target;
    const gate: Gate<Context> = { key, target, knowsValues: this.#knowsValues(edge), withheld: [], awaited: new Map() };
    this.#gates.push(gate);
    return { process: (value, timestampMs) => this.#process(gate, value as Tagged, timestampMs) };
  };

  /** Goes on towards a cut: lets go what is not in flight any more, the oldest first, senders before receivers. */
  begin(inFlight: InFlight): void {
    for (const gate of this.#gates) {
      gate.awaited.clear();
      for (const { record } of inFlight.get(gate.key) ?? []) {
        const values = gate.awaited.get(record.id);
        if (values === undefined) gate.awaited.set(record.id, [record.value]);
        else values.push(record.value);
      }
    }
    // What one gate lets go may be kept back by the next.
    const kept = this.#gates.map(({ withheld }) => withheld);
    for (const gate of this.#gates) gate.withheld = [];
    this.#gates.forEach((gate, at) => {
      for (const { record, timestampMs, context } of kept[at] ?? []) {
        this.#resume(context);
        this.#process(gate, record, timestampMs);
      }
    });
  }

  /** At the cut. A record that is kept as in flight, but was never sent before the cut; or null. */
  end(): string | null {
    for (const { key, awaited } of this.#gates) {
      for (const id of awaited.keys()) return `${this.#ids.describe(id)} is in flight on ${key}, but was not sent there before the cut, or twice`;
    }
    return null;
  }

  #process(gate: Gate<Context>, record: Tagged, timestampMs: TimestampMs): void {
    if (gate.awaited.size > 0 && take(gate, record)) gate.withheld.push({ record, timestampMs, context: this.#context() });
    else gate.target.process(record, timestampMs);
  }
}

/** True if the record is one of those awaited; then it is no more. */
function take({ awaited, knowsValues }: Pick<Gate<unknown>, "awaited" | "knowsValues">, { id, value }: Tagged): boolean {
  const values = awaited.get(id);
  if (values === undefined) return false;
  const at = knowsValues ? values.findIndex((one) => sameValue(one, value)) : 0;
  if (at < 0) return false;
  values.splice(at, 1);
  if (values.length === 0) awaited.delete(id);
  return true;
}
