import { present } from "../base/assert.ts";
import { NO_CHECKPOINT, US_PER_MS } from "../base/units.ts";
import type { SubtaskPlace } from "../graph/failover-regions.ts";
import type { JobGraph } from "../graph/job-graph.ts";
import type { LeaderTerm } from "./leader-term.ts";
import type { ControlMessage, SlotAssignment } from "./messages.ts";
import type { WorkerRegistry } from "./worker-registry.ts";

/** What one leader says to workers. */
export class JobCalls {
  readonly #term: LeaderTerm;
  readonly #registry: WorkerRegistry;
  /** By vertex, then subtask; interned once, because names are built of strings. */
  #subjects: readonly (readonly number[])[] = [];

  constructor(term: LeaderTerm, registry: WorkerRegistry) {
    this.#term = term;
    this.#registry = registry;
  }

  /** From here on subtasks are those of this graph. */
  useGraph(graph: JobGraph): void {
    const { tracer } = this.#term.ports;
    this.#subjects = graph.vertices.map(({ name, parallelism }) =>
      Array.from({ length: parallelism }, (_, subtask) => tracer.intern(`${name}[${subtask}]`)),
    );
  }

  /** False for a message to another leader: to one before, perhaps of another version of the job. */
  isForThisLeader({ epoch }: ControlMessage): boolean {
    return epoch === this.#term.fence.epoch;
  }

  subjectOf({ vertex, subtask }: SubtaskPlace): number {
    return present(this.#subjects[vertex]?.[subtask], "the subtask is part of the job");
  }

  cast(slot: SlotAssignment, message: ControlMessage): void {
    this.#term.ports.network.cast(slot.worker, message);
  }

  /** Repeats a call, with a pause, until the worker answers; a lost worker answers "refused" by definition. */
  untilAnswered(
    slot: SlotAssignment,
    message: ControlMessage,
    isWanted: () => boolean,
    done: (reply: ControlMessage) => void,
  ): void {
    const term = this.#term;
    if (!term.isActive || !isWanted()) return;
    if (!this.#registry.isRegistered(slot)) {
      done(this.reply(message, "the worker is lost"));
      return;
    }
    const { rpcTimeoutMs, registrationRetryMs } = term.config;
    const again = (): void => this.untilAnswered(slot, message, isWanted, done);
    term.ports.network.call(slot.worker, message, rpcTimeoutMs * US_PER_MS, (reply) => {
      if (!term.isActive || !isWanted()) return;
      if (reply.ok) done(reply.message);
      else term.ports.scheduler.after(registrationRetryMs * US_PER_MS, again);
    });
  }

  order(kind: "start-attempt" | "cancel-attempt", region: number, attempt: number): ControlMessage {
    const { subject, fence } = this.#term;
    return { kind, subject, checkpointId: NO_CHECKPOINT, epoch: fence.epoch, region, attempt };
  }

  /** To a message: accepted, or why not. */
  reply({ subject, checkpointId }: ControlMessage, refusal: string | null): ControlMessage {
    const { epoch } = this.#term.fence;
    if (refusal === null) return { kind: "accepted", subject, checkpointId, epoch };
    return { kind: "refused", subject, checkpointId, epoch, reason: refusal };
  }
}
