import type { InputIndex } from "../graph/stream-graph.ts";
import type { Key } from "../state/state.ts";
import type { SingleOutputStreamOperator } from "./data-stream.ts";
import type { KeyedCoProcessFunction, KeySelector } from "./functions.ts";
import type { NodeBody, Upstream } from "./graph-builder.ts";
import { JobDefinitionError, requireFunction } from "./job-definition-error.ts";

/** One of the two inputs. */
export interface ConnectedInput<T> {
  readonly upstreams: readonly Upstream[];
  /** Null where it is not keyed. */
  readonly keySelector: KeySelector<T> | null;
}

type AddOperator = (body: NodeBody, upstreams: readonly Upstream[]) => SingleOutputStreamOperator<any>;

/** Two streams that one operator reads, as Flink's class of the same name. */
export class ConnectedStreams<In1, In2> {
  readonly #first: ConnectedInput<In1>;
  readonly #second: ConnectedInput<In2>;
  readonly #add: AddOperator;

  constructor(first: ConnectedInput<In1>, second: ConnectedInput<In2>, add: AddOperator) {
    this.#first = first;
    this.#second = second;
    this.#add = add;
  }

  /** Records of both streams with equal keys reach the same subtask, and share the state of that key. */
  keyBy<K extends Key>(keySelector1: KeySelector<In1, K>, keySelector2: KeySelector<In2, K>): ConnectedStreams<In1, In2> {
    requireFunction(keySelector1, "keyBy", "the key selector of the first input");
    requireFunction(keySelector2, "keyBy", "the key selector of the second input");
    return new ConnectedStreams<In1, In2>(keyed(this.#first, keySelector1), keyed(this.#second, keySelector2), this.#add);
  }

  process<Out>(fn: KeyedCoProcessFunction<In1, In2, Out>): SingleOutputStreamOperator<Out> {
    requireFunction(fn.processElement1, "process", "processElement1");
    requireFunction(fn.processElement2, "process", "processElement2");
    const keySelectors = [selectorOf(this.#first, "first"), selectorOf(this.#second, "second")] as const;
    const upstreams = [...feeding(this.#first, 0), ...feeding(this.#second, 1)];
    return this.#add({ kind: "coProcess", keySelectors, fn }, upstreams);
  }
}

function keyed<T>({ upstreams }: ConnectedInput<T>, keySelector: KeySelector<T>): ConnectedInput<T> {
  return { upstreams: upstreams.map((upstream): Upstream => ({ ...upstream, partitioning: "hash", keySelector })), keySelector };
}

function feeding({ upstreams }: ConnectedInput<never>, input: InputIndex): readonly Upstream[] {
  return upstreams.map((upstream): Upstream => ({ ...upstream, input }));
}

function selectorOf<T>({ keySelector }: ConnectedInput<T>, which: string): KeySelector<T> {
  if (keySelector !== null) return keySelector;
  throw new JobDefinitionError(
    "process",
    `its ${which} input is not keyed, but the state of both inputs belongs to keys`,
    "Call keyBy(...) on the connected streams, or on each before connecting them",
  );
}
