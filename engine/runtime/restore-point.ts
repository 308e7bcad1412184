import type { CheckpointId } from "../base/units.ts";
import type { CompletedCheckpoint } from "../checkpoint/checkpoint-metadata.ts";
import type { CompletedStore } from "../checkpoint/completed-store.ts";
import type { JobGraph } from "../graph/job-graph.ts";
import { TRACE } from "../ports/tracer.ts";
import type { LeaderTerm } from "./leader-term.ts";

/**
 * The checkpoint that a job starts from: the latest completed one. Where files of it are gone or damaged in remote
 * storage, the job tries again, as after any failure, unless it allows for older checkpoints
 * (RestoreStrategies.full). Then the next older one takes its place; but only where nothing of what came since can
 * have been committed, because that would be committed again: the job of a sink that commits fails, and says so. So
 * it does where no older checkpoint is left. What is lost is known to one leader: the next one finds out for itself.
 */
export class RestorePoint {
  readonly #term: LeaderTerm;
  readonly #store: CompletedStore;
  readonly #allowsOlder: boolean;
  /** A sink that commits what checkpoints cover, or null. */
  readonly #committing: string | null;
  readonly #lost: Set<CheckpointId> = new Set();

  constructor(term: LeaderTerm, store: CompletedStore, graph: JobGraph) {
    this.#term = term;
    this.#store = store;
    this.#allowsOlder = graph.config.allowOlderCheckpoint;
    this.#committing = committingSinkOf(graph);
  }

  /** Null: from nothing. */
  current(): CompletedCheckpoint | null {
    const { retained } = this.#store;
    return retained.findLast(({ metadata }) => !this.#lost.has(metadata.checkpointId)) ?? this.#store.latest();
  }

  /** A task cannot have its state from this checkpoint. Why the job must end because of that, or null. */
  lost(checkpointId: CheckpointId): string | null {
    if (!this.#allowsOlder || this.#lost.has(checkpointId)) return null;
    const isOlder = ({ metadata }: CompletedCheckpoint): boolean => metadata.checkpointId < checkpointId;
    const older = this.#store.retained.findLast(isOlder);
    const refusal = this.#whyNot(checkpointId, older ?? null);
    this.#term.point(TRACE.checkpointLost, checkpointId, refusal === null ? (older?.metadata.checkpointId ?? -1) : -1);
    if (refusal === null) this.#lost.add(checkpointId);
    return refusal;
  }

  #whyNot(checkpointId: CheckpointId, older: CompletedCheckpoint | null): string | null {
    const what = `checkpoint ${checkpointId} cannot be read`;
    if (older === null) return `${what}, and there is no older one`;
    if (this.#committing === null) return null;
    return `${what}, and what ${this.#committing} committed since checkpoint ${older.metadata.checkpointId} would be committed again`;
  }
}

function committingSinkOf({ vertices }: JobGraph): string | null {
  for (const { chain } of vertices) {
    for (const node of chain) if (node.kind === "sink" && node.sink.commits !== false) return node.name;
  }
  return null;
}
