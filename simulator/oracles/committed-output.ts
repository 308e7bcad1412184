import { decode } from "../../engine/base/codec.ts";
import type { SinkNode } from "../../engine/graph/stream-graph.ts";
import type { LogObserver } from "../hosts/service-observers.ts";
import type { World } from "../world/world.ts";
import { AtLeastOnceTopic } from "./committed-output-at-least-once.ts";
import type { ExpectedOutput } from "./committed-output-expected.ts";
import { ExpectedTopic, ONE_ORDER } from "./committed-output-expected.ts";
import { DataObservation } from "./data-oracles-observation.ts";
import type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracle.ts";
import type { SharedReplay } from "./surviving-history-shared.ts";

/**
 * Exactly-once output: at every moment what a read-committed consumer of an output topic sees is a
 * duplicate-free part of the expected output, in order per key (`OutputTopic.keyOf`), and once the job has
 * finished it is all of it. The log never takes back what was visible, so nothing seen may be wrong either.
 *
 * Expected is, for confluent scenarios, what the sequential interpreter gives. For the others it is what the
 * replay of the surviving history has emitted up to the latest completed checkpoint: what becomes visible
 * before its checkpoint completed is wrong too.
 *
 * Of an at-least-once job every record that the replayed history emits must become visible, once or more often.
 *
 * Seen from the log's read-committed view. Not seen: the partition a record is in; the order of records of
 * different keys, or of one key where several subtasks emit it (replayed jobs); sinks into anything but the
 * log's topics; a record too many of an at-least-once job, and any of one without a replay. Allowed for: records that are aborted or wait behind an open transaction, for however long.
 */
export const committedOutputOracle: OracleKind = {
  name: "exactly-once output",
  create: (context) => {
    if (context.scenario.outputs.length === 0) return null;
    const observation = DataObservation.of(context.world);
    const hasReference = context.scenario.confluent && !isAtLeastOnce(context);
    const replay = hasReference ? null : observation.replay();
    return hasReference || replay !== null ? new CommittedOutput(context, observation, replay) : null;
  },
};

class CommittedOutput implements Oracle, LogObserver {
  readonly name: string = committedOutputOracle.name;
  readonly #context: OracleContext;
  readonly #observation: DataObservation;
  readonly #topics: readonly ExpectedOutput[];
  /** Null: what is expected comes from the reference. */
  readonly #replay: SharedReplay | null;
  /** By uid of the sink. */
  readonly #topicOfSink: Map<string, ExpectedOutput> = new Map();
  #hasReference = false;
  /** By topic: what was visible before the run, which goes on from where another one stood. */
  readonly #before: ReadonlyMap<string, readonly Uint8Array[]>;

  constructor(context: OracleContext, observation: DataObservation, replay: SharedReplay | null) {
    this.#context = context;
    this.#observation = observation;
    this.#replay = replay;
    this.#topics = context.scenario.outputs.map((output) => {
      return isAtLeastOnce(context) ? new AtLeastOnceTopic(output.topic) : new ExpectedTopic(output);
    });
    for (const node of context.graph.nodes) {
      const topic = node.kind === "sink" ? this.#topics.find((one) => one.topic === topicOf(node)) : undefined;
      if (topic !== undefined) this.#topicOfSink.set(node.uid, topic);
    }
    this.#before = new Map(context.scenario.outputs.map(({ topic, partitions }) => [topic, visibleIn(context.world, topic, partitions)]));
    replay?.listen((sinkUid, value, origin) => this.#topicOfSink.get(sinkUid)?.expect(value, origin));
    context.world.logObservers.push(this);
  }

  onVisible(topic: string, _partition: number, _firstOffset: number, records: readonly Uint8Array[]): void {
    const expected = this.#topics.find((one) => one.topic === topic);
    if (expected !== undefined && this.#knowsWhatToExpect()) this.#see(expected, records);
  }

  #see(topic: ExpectedOutput, records: readonly Uint8Array[]): void {
    for (let i = 0; i < records.length; i++) {
      const wrong = topic.see(decode(records[i] as Uint8Array));
      if (wrong !== null) this.#context.report(wrong);
    }
  }

  finish({ job }: RunEnd): void {
    if (job !== "finished" || !this.#knowsWhatToExpect()) return;
    for (const topic of this.#topics) {
      const missing = topic.missing();
      if (missing !== null) this.#context.report(missing);
    }
  }

  /** The reference is asked at the first record: not for runs that end before. */
  #knowsWhatToExpect(): boolean {
    if (this.#replay !== null) return this.#replay.isFollowing;
    if (this.#hasReference) return true;
    this.#hasReference = true;
    const { outputs } = this.#observation.interpretation();
    for (const [uid, topic] of this.#topicOfSink) for (const value of outputs.get(uid) ?? []) topic.expect(value, ONE_ORDER);
    for (const topic of this.#topics) this.#see(topic, this.#before.get(topic.topic) ?? []);
    return true;
  }
}

function visibleIn({ log }: World, topic: string, partitions: number): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const { bytes } of log.readCommitted(topic, partition)) records.push(bytes);
  }
  return records;
}

function isAtLeastOnce({ world }: OracleContext): boolean {
  return world.options.options.mode === "at-least-once";
}

/** The topic that a sink writes into; null for sinks of another kind. */
function topicOf({ sink }: SinkNode): string | null {
  const { topic } = sink as { readonly topic?: unknown };
  return typeof topic === "string" ? topic : null;
}
