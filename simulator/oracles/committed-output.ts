import { decode } from "../../engine/base/codec.ts";
import type { SinkNode, StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { LogObserver } from "../hosts/service-observers.ts";
import { DataObservation } from "./data-oracles-observation.ts";
import { ExpectedTopic } from "./committed-output-expected.ts";
import type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracle.ts";

/**
 * Exactly-once output: at every moment what a read-committed consumer of an output topic sees is a
 * duplicate-free part of the expected output, in order per key (`OutputTopic.keyOf`), and once the job has
 * finished it is all of it. The log never takes back what was visible, so nothing seen may be wrong either.
 *
 * Expected is, for confluent scenarios, what the sequential interpreter gives. For the others it is what the
 * replay of the surviving history has emitted up to the latest completed checkpoint: what becomes visible
 * before its checkpoint completed is wrong too.
 *
 * Seen from the log's read-committed view. Not seen: the partition a record is in; the order of records of
 * different keys, or of one key where several subtasks emit it (replayed jobs); sinks into anything but the
 * log's topics. Allowed for: records that are aborted or wait behind an open transaction, for however long.
 */
export const committedOutputOracle: OracleKind = {
  name: "exactly-once output",
  create: (context) => (context.scenario.confluent ? new CommittedOutput(context) : null),
};

class CommittedOutput implements Oracle, LogObserver {
  readonly name: string = committedOutputOracle.name;
  readonly #context: OracleContext;
  readonly #topics: readonly ExpectedTopic[];
  #isExpectationComplete = false;

  constructor(context: OracleContext) {
    this.#context = context;
    this.#topics = context.scenario.outputs.map((output) => new ExpectedTopic(output));
    context.world.logObservers.push(this);
  }

  onVisible(topic: string, _partition: number, _firstOffset: number, records: readonly Uint8Array[]): void {
    this.#expectReference();
    const expected = this.#topics.find((one) => one.topic === topic);
    if (expected === undefined) return;
    for (let i = 0; i < records.length; i++) {
      const wrong = expected.see(decode(records[i] as Uint8Array));
      if (wrong !== null) this.#context.report(wrong);
    }
  }

  finish({ job }: RunEnd): void {
    if (job !== "finished") return;
    this.#expectReference();
    for (const topic of this.#topics) {
      const missing = topic.missing();
      if (missing !== null) this.#context.report(missing);
    }
  }

  /** Once, at the first record: not for runs that end before. */
  #expectReference(): void {
    if (this.#isExpectationComplete) return;
    this.#isExpectationComplete = true;
    const { world, graph } = this.#context;
    const { outputs } = DataObservation.of(world).interpretation();
    for (const sink of sinksOf(graph)) {
      const expected = this.#topics.find((topic) => topic.topic === topicOf(sink));
      if (expected !== undefined) for (const value of outputs.get(sink.uid) ?? []) expected.expect(value, -1);
    }
  }
}

function sinksOf(graph: StreamGraph): readonly SinkNode[] {
  return graph.nodes.filter((node): node is SinkNode => node.kind === "sink");
}

/** The topic that a sink writes into; null for sinks of another kind. */
export function topicOf({ sink }: SinkNode): string | null {
  const { topic } = sink as { readonly topic?: unknown };
  return typeof topic === "string" ? topic : null;
}
