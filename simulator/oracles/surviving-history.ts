import { isKeyed } from "../../engine/graph/keyed-node.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import { DataObservation } from "./data-oracles-observation.ts";
import type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracle.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import { HistoryOrder, plainInputOf } from "./surviving-history-order.ts";
import type { HistoryStep } from "./surviving-history-recorder.ts";
import type { SharedReplay } from "./surviving-history-shared.ts";

/** A declared path: at a completed checkpoint, the surviving history of an at-least-once job holds a record twice. Counted once a run. */
export const APPLIED_TWICE = "a record applied twice (at-least-once)";

/** In so many completed checkpoints, one has its state compared with the replay. */
const COMPARED_EVERY = 4;

/**
 * Surviving history: what keyed operators did, cut off where restores cut it off, is one story. From one
 * completed checkpoint to the next, each keyed operator subtask continues where the checkpoint before left
 * it; together they see every record before the stored offsets exactly once (as an input or as a late one)
 * and those of a partition in order (HistoryOrder says what that means with in-flight records, after a change of
 * the parallelism, and in at-least-once jobs); and where a job is not confluent, or at-least-once, that story is
 * told again: replayed
 * record by record and watermark by watermark, it gives the state in the checkpoint (of some checkpoints,
 * and of each that was restored from, and the first after), puts aside exactly those records that were late, and emits what the
 * log shows (see the exactly-once output oracle).
 *
 * Seen from the rewritten user functions, trace points (snapshots, restores, watermarks), and the bytes of
 * completed checkpoints. Not seen: operators behind windows and process functions, behind broadcasts, and,
 * in confluent jobs, behind filters and flatMaps (the reference oracles see these); replays of jobs in which
 * ids do not tell apart what an operator sees (`refuseReplay`), or whose user code asks for the time or for
 * randomness, from then on (the time to live of a value is no such question: it is replayed with the processing
 * time of each record, and what was expired may be missing from a checkpoint); which of two timers of one moment fired first.
 */
export const survivingHistoryOracle: OracleKind = {
  name: "surviving history",
  create: (context) => new SurvivingHistory(context),
};

/** What a restore did wrong shows in the checkpoint after it, and perhaps in no later one. */
function isFirstAfterRestore(history: HistoryStep | string): boolean {
  return typeof history !== "string" && history.segments.some(({ start, log }) => start === 0 && log.restoredFrom >= 0);
}

class SurvivingHistory implements Oracle {
  readonly name: string = survivingHistoryOracle.name;
  readonly #context: OracleContext;
  readonly #orders: readonly HistoryOrder[];
  readonly #replay: SharedReplay | null;
  #isOver = false;
  #isTwiceSeen = false;
  #compared = 0;
  /** The latest cut, where its state was not compared. */
  #uncompared: CompletedCut | null = null;

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph, scenario } = context;
    const observation = DataObservation.of(world);
    const { mode } = world.options.options;
    this.#replay = scenario.confluent && mode !== "at-least-once" ? null : observation.replay();
    const orderOptions = { mode, cameTwice: () => this.#cameTwice() };
    this.#orders = graph.nodes.flatMap((node) => {
      if (!isKeyed(node)) return [];
      const input = plainInputOf(graph, node);
      return input === null ? [] : [new HistoryOrder(input, observation.ids, orderOptions)];
    });
    observation.listen({ cutCompleted: (cut, history) => this.#cutCompleted(cut, history) });
    world.kernel.on(TRACE.jobDeploying, () => this.#compareLatest());
  }

  finish(_end: RunEnd): void {
    this.#compareLatest();
  }

  #cutCompleted(cut: CompletedCut, history: HistoryStep | string): void {
    if (this.#isOver) return;
    const wrong = typeof history === "string" ? history : this.#check(cut, history);
    if (wrong === null) {
      this.#uncompared = cut;
      this.#compared += 1;
      if (this.#compared % COMPARED_EVERY === 0 || isFirstAfterRestore(history)) this.#compareLatest();
      return;
    }
    this.#isOver = true;
    this.#context.report(wrong);
  }

  /** Counted once a run: an at-least-once sweep that never sees one has not been where it differs. */
  #cameTwice(): void {
    if (this.#isTwiceSeen) return;
    this.#isTwiceSeen = true;
    this.#context.sometimes(APPLIED_TWICE);
  }

  #check(cut: CompletedCut, history: HistoryStep): string | null {
    for (const order of this.#orders) {
      const wrong = order.advance(cut, history);
      if (wrong !== null) return wrong;
    }
    return this.#replay?.wrong ?? null;
  }

  #compareLatest(): void {
    const cut = this.#uncompared;
    this.#uncompared = null;
    if (cut === null || this.#isOver || this.#replay === null) return;
    const wrong = this.#replay.compare(cut);
    if (wrong === null) return;
    this.#isOver = true;
    this.#context.report(wrong);
  }
}
