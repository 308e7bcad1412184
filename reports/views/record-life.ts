import type { StreamNode } from "../../engine/graph/stream-graph.ts";
import { describeTime, describeValue } from "../../simulator/oracles/data-oracles-wording.ts";
import { plainInputOf } from "../../simulator/oracles/surviving-history-order.ts";
import type { RecordIndex } from "../../simulator/timetravel/record-index.ts";
import { PASSAGE, type Passage } from "../../simulator/timetravel/record-passages.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { follow, timestampOf, type Followed } from "./record-derived.ts";
import type { LifeFact } from "./record-fact.ts";
import { checkpointFacts, restartFacts, transactionFacts } from "./record-fate.ts";
import { passageFacts } from "./record-steps.ts";

/** How often an operator has applied a record, in what survived. */
export interface Applied {
  readonly operator: string;
  readonly times: number;
  /** And how often it was put aside as late. */
  readonly late: number;
  /** Once is what is right; null: it depends on what comes before the operator. */
  readonly isRight: boolean | null;
}

export interface RecordLife {
  readonly id: number;
  /** As findings call it. */
  readonly name: string;
  /** Of a record of a source. */
  readonly value: string | null;
  readonly timestamp: string | null;
  readonly facts: readonly LifeFact[];
  readonly applied: readonly Applied[];
  /** The last completed checkpoint: up to there it is known what survived. Null: none completed. */
  readonly upTo: number | null;
  /** What cannot be said, and why. */
  readonly problems: readonly string[];
}

/** Where a record of a run went, from its arrival to the transaction that its results were committed with. */
export function lifeOf(id: number, index: RecordIndex, tape: RunTape): RecordLife {
  const { followed, isCut } = follow(id, index);
  const facts = followed.flatMap((one) => factsOf(one, index, tape));
  const arrival = arrivalOf(id, index, tape);
  const [own] = followed;
  const timestampMs = timestampOf(id, own?.passages ?? [], index);
  return {
    id,
    name: index.ids.describe(id),
    value: valueOf(id, index),
    timestamp: timestampMs === null ? null : describeTime(timestampMs),
    // Sorting is stable: what happens in one step stays in order.
    facts: [...(arrival === null ? [] : [arrival]), ...facts].sort((left, right) => left.step - right.step),
    applied: own === undefined ? [] : appliedOf(own.passages, index),
    upTo: index.checkpoints.at(-1)?.checkpointId ?? null,
    problems: problemsOf(index, isCut),
  };
}

function factsOf(followed: Followed, index: RecordIndex, tape: RunTape): readonly LifeFact[] {
  const derived = followed.from === null ? null : followed.id;
  const own = [
    ...passageFacts(followed, index),
    ...transactionFacts(followed.passages, index),
    ...checkpointFacts(followed, index),
    ...(derived === null ? restartFacts(followed, index, tape) : []),
  ];
  return own.map((fact) => ({ ...fact, atUs: tape.timeUsOf(fact.step), derived }));
}

function arrivalOf(id: number, { ids, graph, inputs }: RecordIndex, tape: RunTape): LifeFact | null {
  const place = ids.placeOf(id);
  const node = place === null ? undefined : graph.nodes.find(({ uid }) => uid === place.uid);
  if (place === null || node?.kind !== "source") return null;
  const { topic } = node.source as { readonly topic?: unknown };
  const atUs = inputs.find((input) => input.topic === topic)?.partitions[place.partition]?.[place.offset]?.arrivesAtUs;
  if (atUs === undefined || atUs > tape.timeUsOf(tape.steps)) return null;
  const where = `${String(topic)}/${place.partition}`;
  // Between two steps: from the later one on it can be read.
  const step = atUs === 0 ? 0 : Math.min(tape.stepAtTime(atUs - 1) + 1, tape.steps);
  return { step, atUs, attempt: null, where, what: `arrived in the log at offset ${place.offset}`, derived: null, tone: "plain" };
}

function valueOf(id: number, { ids }: RecordIndex): string | null {
  const place = ids.placeOf(id);
  let value: string | null = null;
  if (place !== null) {
    ids.ofSource(place.uid).emit(place.partition, place.offset, place.offset + 1, {
      collect: (record) => void (value = describeValue((record as { readonly value: unknown }).value)),
      collectSide: () => undefined,
    });
  }
  return value;
}

function appliedOf(passages: readonly Passage[], index: RecordIndex): readonly Applied[] {
  const seen = new Set(passages.filter(({ what }) => what === PASSAGE.processed || what === PASSAGE.settled).map(({ place }) => place.uid));
  return index.graph.nodes
    .filter(({ uid }) => seen.has(uid))
    .map((node) => {
      const settled = passages.filter(({ what, place }) => what === PASSAGE.settled && place.uid === node.uid);
      const times = settled.filter(({ number }) => number === 1).length;
      return { operator: node.name, times, late: settled.length - times, isRight: isRight(node, times, settled.length, index) };
    });
}

/** Where records come through nothing but maps, each must be there once; fewer is for the end of the job to tell. */
function isRight(node: StreamNode, times: number, settled: number, { graph, mode }: RecordIndex): boolean | null {
  if (plainInputOf(graph, graph.nodes[node.id] as StreamNode) === null) return null;
  if (settled > 1) return mode === "at-least-once" ? null : false;
  return times === 1 ? true : null;
}

function problemsOf({ deviation, historyProblem, passages }: RecordIndex, isCut: boolean): readonly string[] {
  const problems: string[] = [];
  if (deviation !== null) problems.push(`the run that was watched is another one from step ${deviation.step} on`);
  if (historyProblem !== null) problems.push(`what survived cannot be told: ${historyProblem}`);
  if (passages.fullAtStep !== null) problems.push(`records are followed up to step ${passages.fullAtStep} only: there are too many`);
  if (isCut) problems.push("more was derived from it than is shown");
  return problems;
}
