import { invariant } from "../../engine/base/assert.ts";
import { NO_CHECKPOINT } from "../../engine/base/units.ts";
import type { ExecutionId } from "../../engine/graph/execution-id.ts";
import type { StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";
import type { Interpretation } from "../reference/interpreter.ts";
import { interpret } from "../reference/interpreter.ts";
import type { Process } from "../world/sim-process.ts";
import type { GraphRewriter, World } from "../world/world.ts";
import type { CheckpointRecord } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { Lineage } from "./graph-rewriting-functions.ts";
import { RecordIds } from "./graph-rewriting-ids.ts";
import { rewriteGraph } from "./graph-rewriting.ts";
import { CompletedCut, partitionThatWentBack } from "./provenance-cut.ts";
import type { OperatorDifference } from "./reference-state-prefix.ts";
import { NO_LINEAGE, PrefixState } from "./reference-state-prefix.ts";
import type { HistoryStep } from "./surviving-history-recorder.ts";
import { HistoryRecorder } from "./surviving-history-recorder.ts";
import { refuseReplay } from "./surviving-history-replayable.ts";
import { SharedReplay } from "./surviving-history-shared.ts";

export interface RewritingOptions {
  /** Freezes records, and folds all that user functions emit into the digest. */
  readonly checked: boolean;
}

interface ObservingRewriter extends GraphRewriter {
  readonly observation: DataObservation;
}

/** Hears of each completed checkpoint, in order, in the step of its commit point. */
export interface CutListener {
  /** `history`: what happened since the checkpoint before. Text: what is wrong with it. */
  cutCompleted?(cut: CompletedCut, history: HistoryStep | string): void;
  /** Differences between the state of a cut and what it must be, in confluent jobs. */
  stateDiffers?(cut: CompletedCut, differences: readonly OperatorDifference[]): void;
  /** What is kept as in flight is not what was, in confluent jobs. */
  inFlightDiffers?(cut: CompletedCut, what: string): void;
  /** Offsets went back from one completed checkpoint to the next. Nothing more is heard after that. */
  wentBack?(cut: CompletedCut, what: string): void;
}

/** Lets a World's jobs run with records that carry ids, and their user code behind trace points. */
export function rewriteRecords(world: World, options: RewritingOptions): void {
  DataObservation.install(world, options);
}

/** True where what flows in the World's jobs are records with their ids. */
export function carriesIds({ rewriter }: World): boolean {
  return (rewriter as Partial<ObservingRewriter>).observation !== undefined;
}

/** What the oracles over data share in one run: made once for a World, by the first that asks. */
export class DataObservation {
  readonly ids: RecordIds;
  readonly history: HistoryRecorder;
  /** The latest completed checkpoint. */
  latest: CompletedCut | null = null;
  readonly #world: World;
  readonly #graph: StreamGraph;
  readonly #options: RewritingOptions;
  readonly #listeners: CutListener[] = [];
  #interpretation: Interpretation | null = null;
  #prefix: PrefixState | null = null;
  #replay: SharedReplay | null = null;
  #isBlind = false;

  private constructor(world: World, options: RewritingOptions) {
    const { scenario, options: runOptions, inputs } = world.options;
    this.#world = world;
    this.#options = options;
    this.#graph = scenario.job(runOptions);
    this.ids = new RecordIds(this.#graph, inputs);
    this.history = new HistoryRecorder(world.kernel, this.#graph, this.ids.total, mostSubtasks(world));
    CheckpointRecords.of(world).listen({ recordWritten: (record) => this.#completed(record) });
  }

  /** The one of this World; it lives with the World's rewriter. */
  static of(world: World): DataObservation {
    const { observation } = world.rewriter as Partial<ObservingRewriter>;
    return observation ?? DataObservation.install(world, { checked: false });
  }

  static install(world: World, options: RewritingOptions): DataObservation {
    invariant(world.kernel.stepNumber === 0, "a World's jobs are rewritten before its first step");
    const observation = new DataObservation(world, options);
    const rewriter: GraphRewriter = (graph, process, execution) => observation.#rewrite(graph, process, execution);
    world.rewriter = Object.assign(rewriter, { observation });
    return observation;
  }

  listen(listener: CutListener): void {
    this.#listeners.push(listener);
  }

  /** What the sequential interpreter says of the job, worked out once. */
  interpretation(): Interpretation {
    const { scenario, options, inputs } = this.#world.options;
    this.#interpretation ??= interpret(scenario.job(options), inputs);
    return this.#interpretation;
  }

  /** What state a confluent job must have at a cut; with it, differences are looked for from now on. */
  prefixState(): PrefixState {
    this.#prefix ??= new PrefixState(this.#graph, this.ids, this.#world.options.options.mode);
    return this.#prefix;
  }

  /** The replay of the surviving history, which goes on with each completed checkpoint; null where a job has none. */
  replay(): SharedReplay | null {
    const { scenario, options } = this.#world.options;
    if (this.#replay === null && refuseReplay(this.#graph, options.mode) === null) {
      const { mode } = options;
      this.#replay = new SharedReplay(() => scenario.job(options), this.ids, { mode, idStep: this.history.idStep });
    }
    return this.#replay;
  }

  /** The JobManager's graph is never run: it stays as it is. */
  #rewrite(graph: StreamGraph, process: Process, execution: ExecutionId | null): StreamGraph {
    if (execution === null) return graph;
    const logs = this.history.begin(process, execution, graph);
    const task = { kernel: this.#world.kernel, process, checked: this.#options.checked };
    const lineageOf = ({ id }: StreamNode): Lineage => logs.get(id) ?? NO_LINEAGE;
    return rewriteGraph(graph, { ids: this.ids, task, subtask: execution.subtask, lineageOf });
  }

  #completed(record: CheckpointRecord): void {
    const { latest } = this;
    if (this.#isBlind || record.checkpointId <= (latest?.checkpointId ?? NO_CHECKPOINT)) return;
    const cut = CompletedCut.of(record, CheckpointRecords.of(this.#world), this.ids);
    const back = cut === null ? null : partitionThatWentBack(latest, cut);
    if (cut === null || back !== null) this.#isBlind = true;
    if (cut === null) return;
    if (back !== null) {
      for (const listener of this.#listeners) listener.wentBack?.(cut, back);
      return;
    }
    this.latest = cut;
    const history = this.history.settle(cut);
    this.#replay?.advance(cut, history);
    for (const listener of this.#listeners) listener.cutCompleted?.(cut, history);
    this.history.forget(cut.checkpointId);
    const prefix = this.#prefix;
    if (prefix === null) return;
    const wrong = prefix.advance(cut);
    if (wrong !== null) for (const listener of this.#listeners) listener.inFlightDiffers?.(cut, wrong);
    const differences = prefix.compare(cut);
    if (differences.length > 0) for (const listener of this.#listeners) listener.stateDiffers?.(cut, differences);
  }
}

/** The most subtasks that an operator can have in a run: with the parallelism it begins with, or one that it is given. */
function mostSubtasks({ options: { scenario, options, plan } }: World): number {
  const parallelisms = new Set([options.parallelism, options.parallelismAfter]);
  for (const fault of plan) if (fault.kind === "rescale") parallelisms.add(fault.parallelism);
  if (scenario.upgrade !== undefined) parallelisms.add(scenario.upgrade.after(options).parallelism);
  const graphs = [...parallelisms].map((parallelism) => scenario.job({ ...options, parallelism }));
  return Math.max(1, ...graphs.flatMap(({ nodes }) => nodes.map((node) => node.parallelism)));
}
