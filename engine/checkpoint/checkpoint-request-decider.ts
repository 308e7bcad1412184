import { invariant } from "../base/assert.ts";
import { CHECKPOINT_REQUESTS_LIMIT } from "../base/limits.ts";
import type { TimeUs } from "../base/units.ts";
import type { CheckpointProperties } from "./checkpoint-properties.ts";

/** Somebody wants a checkpoint. */
export interface CheckpointRequest {
  readonly properties: CheckpointProperties;
  /** By the schedule, not by a person. */
  readonly isPeriodic: boolean;
  readonly atUs: TimeUs;
}

/** How the coordinator stands when it asks what to do next. */
export interface CoordinatorSituation {
  readonly nowUs: TimeUs;
  /** One is between its request and its trigger: there is one at a time. */
  readonly isTriggering: boolean;
  readonly pending: number;
  /** Checkpoints whose files are being deleted. */
  readonly cleaning: number;
  /** When the last checkpoint or savepoint completed. */
  readonly lastCompletionUs: TimeUs;
}

export type RequestDecision<Request extends CheckpointRequest> =
  | { readonly kind: "execute"; readonly request: Request }
  /** Nothing now; `reason` says what holds the first request back. */
  | { readonly kind: "wait"; readonly reason: "empty" | "triggering" | "cleaning" | "limit" }
  /** The minimum pause: this periodic request is dropped, the schedule begins again after `retryAfterUs`. */
  | { readonly kind: "too-early"; readonly request: Request; readonly retryAfterUs: TimeUs };

/**
 * The queue of requests in front of the coordinator, and which of them may run (Flink: CheckpointRequestDecider).
 *
 * Savepoints come first, then forced requests, then those of people before those of the schedule, then the
 * older. Nothing runs while another one is being triggered, nor while more than `maxConcurrent` old checkpoints
 * are being deleted: storage that cannot keep up with deleting is not given more to delete. At the limit of
 * pending checkpoints only a forced request runs, and only from the head of the queue.
 */
export class CheckpointRequestDecider<Request extends CheckpointRequest = CheckpointRequest> {
  readonly #maxConcurrent: number;
  readonly #minPauseUs: TimeUs;
  readonly #limit: number;
  /** In the order in which they are to run. */
  readonly #queue: Request[] = [];

  constructor(maxConcurrent: number, minPauseUs: TimeUs, limit: number = CHECKPOINT_REQUESTS_LIMIT) {
    invariant(maxConcurrent >= 1 && limit >= 1, "some checkpoint may run, and some request may wait");
    this.#maxConcurrent = maxConcurrent;
    this.#minPauseUs = minPauseUs;
    this.#limit = limit;
  }

  get queued(): readonly Request[] {
    return this.#queue;
  }

  /**
   * Queues a request. Returns the one that finds no room, or null: the last of the queue where that is one of
   * the schedule's, else the new one itself, so that the schedule never displaces a person's request.
   */
  add(request: Request): Request | null {
    const last = this.#queue.at(-1);
    if (this.#queue.length >= this.#limit && last !== undefined && !last.isPeriodic) return request;
    const at = this.#queue.findIndex((queued) => runsBefore(request, queued));
    if (at < 0) this.#queue.push(request);
    else this.#queue.splice(at, 0, request);
    return this.#queue.length > this.#limit ? (this.#queue.pop() ?? null) : null;
  }

  /** Takes the request that runs now, if any, from the queue. */
  decide(situation: CoordinatorSituation): RequestDecision<Request> {
    const first = this.#queue[0];
    if (first === undefined) return { kind: "wait", reason: "empty" };
    if (situation.isTriggering) return { kind: "wait", reason: "triggering" };
    if (situation.cleaning > this.#maxConcurrent) return { kind: "wait", reason: "cleaning" };
    const { isForced } = first.properties;
    if (situation.pending >= this.#maxConcurrent && !isForced) return { kind: "wait", reason: "limit" };
    const retryAfterUs = situation.lastCompletionUs + this.#minPauseUs - situation.nowUs;
    this.#queue.shift();
    return first.isPeriodic && !isForced && retryAfterUs > 0
      ? { kind: "too-early", request: first, retryAfterUs }
      : { kind: "execute", request: first };
  }

  /** Empties the queue: the coordinator stops. */
  clear(): readonly Request[] {
    return this.#queue.splice(0);
  }
}

/** Equal in every respect: the one that was there first runs first. */
function runsBefore(left: CheckpointRequest, right: CheckpointRequest): boolean {
  const leftSavepoint = left.properties.kind === "savepoint";
  if (leftSavepoint !== (right.properties.kind === "savepoint")) return leftSavepoint;
  if (left.properties.isForced !== right.properties.isForced) return left.properties.isForced;
  if (left.isPeriodic !== right.isPeriodic) return right.isPeriodic;
  return left.atUs < right.atUs;
}
