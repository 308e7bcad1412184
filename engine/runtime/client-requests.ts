import { unreachable } from "../base/assert.ts";
import type { CheckpointCoordinator } from "../checkpoint/checkpoint-coordinator.ts";
import type { JobCalls } from "./job-calls.ts";
import type { ClientMessage, ControlMessage } from "./messages.ts";
import type { SavepointRequests } from "./savepoint-requests.ts";

type Respond = (reply: ControlMessage) => void;

export interface RequestedJob {
  coordinator(): CheckpointCoordinator | null;
  rescale(message: Extract<ClientMessage, { readonly kind: "rescale" }>, respond: Respond): void;
  /** Why not, or null: the job is being cancelled. */
  cancel(): string | null;
}

/** What clients ask of the job. Each request may come twice, and late: then it is refused, and asked again where it is wanted. */
export class ClientRequests {
  readonly #calls: JobCalls;
  readonly #savepoints: SavepointRequests;
  readonly #job: RequestedJob;

  constructor(calls: JobCalls, savepoints: SavepointRequests, job: RequestedJob) {
    this.#calls = calls;
    this.#savepoints = savepoints;
    this.#job = job;
  }

  handle(message: ClientMessage, respond: Respond): void {
    if (!this.#calls.isForThisLeader(message)) {
      respond(this.#calls.reply(message, "not the leader that was asked"));
      return;
    }
    switch (message.kind) {
      case "rescale":
        this.#job.rescale(message, respond);
        return;
      case "trigger-savepoint":
        this.#savepoints.ask(message.requestId, message.stop, (outcome) => {
          const { subject, epoch } = message;
          if (!outcome.ok) respond(this.#calls.reply(message, outcome.reason));
          else respond({ kind: "savepoint-taken", subject, epoch, checkpointId: outcome.checkpointId, file: outcome.file });
        });
        return;
      case "abort-checkpoints":
        this.#job.coordinator()?.abortPending();
        respond(this.#calls.reply(message, null));
        return;
      case "cancel-job":
        respond(this.#calls.reply(message, this.#job.cancel()));
        return;
      default:
        unreachable(message, "ClientRequests.handle");
    }
  }
}

export function isClientMessage(message: ControlMessage): message is ClientMessage {
  const { kind } = message;
  return kind === "rescale" || kind === "trigger-savepoint" || kind === "abort-checkpoints" || kind === "cancel-job";
}
