import { unreachable } from "../base/assert.ts";
import type { CheckpointCoordinator } from "../checkpoint/checkpoint-coordinator.ts";
import type { JobCalls } from "./job-calls.ts";
import type { LeaderTerm } from "./leader-term.ts";
import type { ClientMessage, ControlMessage } from "./messages.ts";
import type { WorkerRegistry } from "./worker-registry.ts";

export interface ReportedJob {
  /** It ended. */
  isOver(): boolean;
  coordinator(): CheckpointCoordinator | null;
  taskState(message: Extract<ControlMessage, { readonly kind: "task-state" }>): void;
}

/** What workers tell the leader. What is meant for another leader is not taken. */
export class WorkerMessages {
  readonly #term: LeaderTerm;
  readonly #calls: JobCalls;
  readonly #registry: WorkerRegistry;
  readonly #job: ReportedJob;

  constructor(term: LeaderTerm, calls: JobCalls, registry: WorkerRegistry, job: ReportedJob) {
    this.#term = term;
    this.#calls = calls;
    this.#registry = registry;
    this.#job = job;
  }

  handle(message: Exclude<ControlMessage, ClientMessage>): ControlMessage {
    switch (message.kind) {
      case "register-worker":
        if (this.#job.isOver()) return this.#calls.reply(message, "the job is over");
        this.#registry.register(message.worker, message.incarnation, message.slots, message.held);
        return this.#calls.reply(message, null);
      case "task-state":
        if (message.epoch === this.#term.fence.epoch) this.#job.taskState(message);
        return this.#calls.reply(message, null);
      case "acknowledge-checkpoint":
        if (message.epoch !== this.#term.fence.epoch) return this.#calls.reply(message, "another leader's attempt");
        this.#job.coordinator()?.acknowledge(message.id, message.checkpointId, message.state, message.inputEnded);
        return this.#calls.reply(message, null);
      case "decline-checkpoint":
        if (message.epoch === this.#term.fence.epoch) this.#job.coordinator()?.decline(message.id, message.checkpointId, message.cause);
        return this.#calls.reply(message, null);
      case "heartbeat":
      case "deploy-task":
      case "start-attempt":
      case "cancel-attempt":
      case "trigger-checkpoint":
      case "notify-complete":
      case "notify-aborted":
      case "accepted":
      case "refused":
      case "savepoint-taken":
      case "open-channel":
        return this.#calls.reply(message, "not a message for a JobManager");
      default:
        return unreachable(message, "WorkerMessages.handle");
    }
  }
}
