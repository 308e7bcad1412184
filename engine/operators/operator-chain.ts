import { invariant, present } from "../base/assert.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import type { JobEdge, JobVertex } from "../graph/job-graph.ts";
import { isKeyed } from "../graph/keyed-node.ts";
import type { StreamNode } from "../graph/stream-graph.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { KeyedBackend, OperatorListBackend } from "../state/keyed-backend.ts";
import { createOperator } from "./create-operator.ts";
import type { OperatorContext, Output, SourceOperator, StreamOperator } from "./operator.ts";
import type { EdgeWriter, SideReceivers } from "./outputs.ts";
import { ChainedOutput, EdgeOutput, outputTo } from "./outputs.ts";
import { PartitionedSourceOperator } from "./source-operator.ts";

export type { EdgeWriter } from "./outputs.ts";

/** What a chain needs from its task. Each function is called once for each node or edge it is asked about. */
export interface ChainEnvironment {
  readonly ports: ProcessPorts;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly attempt: number;
  readonly highestParallelism: number;
  /** The checkpoint that the operator is restored from; null: it starts from nothing. */
  restoredFrom(node: StreamNode): CheckpointId | null;
  edgeWriter(edge: JobEdge): EdgeWriter;
  keyedBackend(node: StreamNode): KeyedBackend;
  listState(node: StreamNode): OperatorListBackend;
  /** Interned name of the operator's subtask. */
  subjectOf(node: StreamNode): number;
  /** Fails the task, from a callback outside any of its steps. */
  fail(message: string): void;
}

export interface ChainedOperator {
  readonly node: StreamNode;
  readonly operator: StreamOperator;
  readonly keyed: KeyedBackend | null;
  readonly lists: OperatorListBackend;
}

/** Builds the operators of a vertex and connects them with each other and with the edges that leave it. */
export function createChain(vertex: JobVertex, environment: ChainEnvironment): OperatorChain {
  const built: ChainedOperator[] = [];
  const receivers = new Map<StreamNode, Output>();
  // Tail first: an operator gets an output that leads straight to operators that exist.
  for (const node of vertex.chain.toReversed()) {
    const keyed = isKeyed(node) ? environment.keyedBackend(node) : null;
    const lists = environment.listState(node);
    const output = outputOf(node, vertex, receivers, environment);
    const context: OperatorContext = {
      ports: environment.ports,
      uid: node.uid,
      name: node.name,
      subtaskIndex: environment.subtaskIndex,
      parallelism: environment.parallelism,
      maxParallelism: environment.maxParallelism,
      attempt: environment.attempt,
      restoredCheckpointId: environment.restoredFrom(node),
      highestParallelism: environment.highestParallelism,
      subject: environment.subjectOf(node),
      output,
      keyed,
      lists,
      fail: (message) => environment.fail(message),
    };
    const operator = createOperator(node, context);
    receivers.set(node, new ChainedOutput(operator));
    built.push({ node, operator, keyed, lists });
  }
  return new OperatorChain(built.toReversed());
}

function outputOf(
  node: StreamNode,
  vertex: JobVertex,
  receivers: ReadonlyMap<StreamNode, Output>,
  environment: ChainEnvironment,
): Output {
  const byTag = new Map<string | null, Output[]>();
  const add = (tag: string | null, output: Output): void => {
    const group = byTag.get(tag);
    if (group === undefined) byTag.set(tag, [output]);
    else group.push(output);
  };
  for (const next of vertex.chain) {
    const input = next === vertex.chain[0] ? undefined : next.inputs[0];
    if (input?.from === node.id) add(input.sideOutput, present(receivers.get(next), "later operators are built first"));
  }
  for (const edge of vertex.outputs) {
    if (edge.fromNode === node.id) add(edge.sideOutput, new EdgeOutput(environment.edgeWriter(edge)));
  }
  const sides: SideReceivers[] = [];
  for (const [tag, outputs] of byTag) if (tag !== null) sides.push({ tag, receivers: outputs });
  return outputTo(byTag.get(null) ?? [], sides);
}

type Done = (error: string | null) => void;

/** The operators of one task, head first. Its methods are those of an operator, applied along the chain. */
export class OperatorChain {
  readonly operators: readonly ChainedOperator[];
  readonly head: StreamOperator;
  readonly source: SourceOperator | null;
  /** The only ones that can have timers. */
  readonly #keyed: readonly StreamOperator[];
  /** Operators that still have to see the watermark (or the time) that is being delivered begin here. */
  #watermarkAt: number = 0;
  #processingTimeAt: number = 0;

  constructor(operators: readonly ChainedOperator[]) {
    const head = present(operators[0], "a chain has at least one operator").operator;
    this.operators = operators;
    this.head = head;
    this.source = head instanceof PartitionedSourceOperator ? head : null;
    this.#keyed = operators.filter(({ keyed }) => keyed !== null).map(({ operator }) => operator);
  }

  /** Tail first, so that everybody is ready when an operator before them emits. */
  open(): void {
    for (const { operator } of this.operators.toReversed()) operator.open();
  }

  restoreExternal(done: Done): void {
    this.#all((operator, one) => operator.restoreExternal(one), done);
  }

  processElement(value: unknown, timestampMs: TimestampMs): void {
    this.head.processElement(value, timestampMs);
  }

  /** A record of the second input, where the head has two. */
  processElement2(value: unknown, timestampMs: TimestampMs): void {
    this.head.processElement2(value, timestampMs);
  }

  /** True once every operator has the watermark and fired what is due; false: call again with the same one. */
  advanceWatermark(watermarkMs: TimestampMs, timerBudget: number): boolean {
    while (this.#watermarkAt < this.operators.length) {
      if (!this.#at(this.#watermarkAt).advanceWatermark(watermarkMs, timerBudget)) return false;
      this.#watermarkAt += 1;
    }
    this.#watermarkAt = 0;
    return true;
  }

  advanceProcessingTime(nowMs: TimestampMs, timerBudget: number): boolean {
    while (this.#processingTimeAt < this.operators.length) {
      if (!this.#at(this.#processingTimeAt).advanceProcessingTime(nowMs, timerBudget)) return false;
      this.#processingTimeAt += 1;
    }
    this.#processingTimeAt = 0;
    return true;
  }

  nextProcessingTimerMs(): TimestampMs | null {
    const keyed = this.#keyed;
    let earliest: TimestampMs | null = null;
    for (let index = 0; index < keyed.length; index++) {
      const next = (keyed[index] as StreamOperator).nextProcessingTimerMs();
      if (next !== null && (earliest === null || next < earliest)) earliest = next;
    }
    return earliest;
  }

  snapshotState(checkpointId: CheckpointId): void {
    invariant(this.#watermarkAt === 0, "no snapshot while a watermark is half delivered");
    for (const { operator } of this.operators) operator.snapshotState(checkpointId);
  }

  prepareCommit(checkpointId: CheckpointId, done: Done): void {
    this.#all((operator, one) => operator.prepareCommit(checkpointId, one), done);
  }

  notifyComplete(checkpointId: CheckpointId, done: Done): void {
    for (const { keyed } of this.operators) keyed?.notifyComplete(checkpointId);
    this.#all((operator, one) => operator.notifyComplete(checkpointId, one), done);
  }

  notifyAborted(checkpointId: CheckpointId): void {
    for (const { operator, keyed } of this.operators) {
      keyed?.notifyAborted(checkpointId);
      operator.notifyAborted(checkpointId);
    }
  }

  endInput(): void {
    for (const { operator } of this.operators) operator.endInput();
  }

  close(): void {
    for (const { operator } of this.operators) operator.close();
    for (const { keyed } of this.operators) keyed?.dispose();
  }

  dispose(): void {
    for (const { operator } of this.operators) operator.dispose();
    for (const { keyed } of this.operators) keyed?.dispose();
  }

  #at(index: number): StreamOperator {
    return (this.operators[index] as ChainedOperator).operator;
  }

  /** Asks every operator; reports once all have answered, with the first error in chain order. */
  #all(ask: (operator: StreamOperator, done: Done) => void, done: Done): void {
    const count = this.operators.length;
    let missing = count;
    let first = count;
    let firstError: string | null = null;
    for (let index = 0; index < count; index += 1) {
      let answered = false;
      ask(this.#at(index), (error) => {
        invariant(!answered, "an operator answers once");
        answered = true;
        if (error !== null && index < first) {
          first = index;
          firstError = error;
        }
        missing -= 1;
        if (missing === 0) done(firstError);
      });
    }
  }
}
