import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { RecordIds } from "./graph-rewriting-ids.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import type { HistoryStep } from "./surviving-history-recorder.ts";
import type { ReplayOptions, ReplayOutput } from "./surviving-history-replay.ts";
import { HistoryReplay } from "./surviving-history-replay.ts";

/** One replay of the surviving history for all oracles of a run; it is always at the latest completed checkpoint. */
export class SharedReplay {
  /** Why the history cannot be replayed: something is wrong with it. */
  wrong: string | null = null;
  readonly #replay: HistoryReplay;
  readonly #listeners: ReplayOutput[] = [];
  #isOver = false;

  constructor(buildGraph: () => StreamGraph, ids: RecordIds, options: ReplayOptions) {
    this.#replay = new HistoryReplay(buildGraph, ids, options, (sinkUid, value, origin) => {
      for (const listener of this.#listeners) listener(sinkUid, value, origin);
    });
  }

  /** False from the first record on that cannot be trusted to be what the job must give. */
  get isFollowing(): boolean {
    return !this.#isOver;
  }

  /** How often state was asked for that was expired, so far. */
  get expirations(): number {
    return this.#replay.expirations;
  }

  listen(listener: ReplayOutput): void {
    this.#listeners.push(listener);
  }

  advance(cut: CompletedCut, history: HistoryStep | string): void {
    if (this.#isOver) return;
    if (typeof history === "string" || history.segments.some(({ log }) => !log.isRepeatable)) {
      this.#isOver = true;
      return;
    }
    this.wrong = this.#replay.advance(cut, history);
    if (this.wrong !== null) this.#isOver = true;
  }

  /** Compares the state of the cut that it has just reached; null where there is nothing to say. */
  compare(cut: CompletedCut): string | null {
    return this.#isOver ? null : this.#replay.compare(cut);
  }
}
