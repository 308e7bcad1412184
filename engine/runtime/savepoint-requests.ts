import type { CheckpointId } from "../base/units.ts";
import type { CheckpointCoordinator } from "../checkpoint/checkpoint-coordinator.ts";
import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { StopMode } from "../checkpoint/checkpoint-properties.ts";
import { SAVEPOINT, stopProperties } from "../checkpoint/checkpoint-properties.ts";
import type { SavepointOutcome, SavepointRequest } from "../checkpoint/coordinator-context.ts";
import type { SavepointRecord } from "../checkpoint/savepoint-record.ts";
import { parseSavepoint, savepointKey } from "../checkpoint/savepoint-record.ts";
import { readRegister, writeRegister } from "../checkpoint/register-writer.ts";
import type { LeaderTerm } from "./leader-term.ts";

type Answer = (outcome: SavepointOutcome) => void;

/**
 * Savepoints that clients ask one leader for. A request is known by its id: asked again while it is under way, it is
 * not begun again; asked again after it was done, also of a later leader, it gets the same answer.
 */
export class SavepointRequests {
  readonly #term: LeaderTerm;
  readonly #coordinator: () => CheckpointCoordinator | null;
  /** Under way, by request id: who waits for them. */
  readonly #waiting = new Map<string, Answer[]>();

  constructor(term: LeaderTerm, coordinator: () => CheckpointCoordinator | null) {
    this.#term = term;
    this.#coordinator = coordinator;
  }

  ask(requestId: string, stop: StopMode | null, answer: Answer): void {
    const waiting = this.#waiting.get(requestId);
    if (waiting !== undefined) {
      waiting.push(answer);
      return;
    }
    this.#waiting.set(requestId, [answer]);
    readRegister(this.#term.ports, this.#key(requestId), () => this.#term.isActive, ({ value }) => {
      if (value !== null) {
        const { checkpointId, file } = parseSavepoint(value);
        this.#answer(requestId, { ok: true, checkpointId, file });
      } else {
        this.#begin(requestId, stop);
      }
    });
  }

  /** The commit point of a savepoint. Never ambiguous. */
  record({ requestId, stop }: SavepointRequest, file: FileHandle, checkpointId: CheckpointId, done: (outcome: "added" | "rejected") => void): void {
    const record: SavepointRecord = { requestId, checkpointId, stop, file };
    const write = { key: this.#key(requestId), expectedVersion: 0, value: JSON.stringify(record), fence: this.#term.fence };
    writeRegister(this.#term.ports, write, () => this.#term.isActive, (outcome) => done(outcome.kind === "written" ? "added" : "rejected"));
  }

  #begin(requestId: string, stop: StopMode | null): void {
    const coordinator = this.#coordinator();
    if (coordinator === null) {
      this.#answer(requestId, { ok: false, reason: "the job is not running, or takes no checkpoints" });
      return;
    }
    const properties = stop === null ? SAVEPOINT : stopProperties(stop);
    coordinator.requestSavepoint(properties, { requestId, stop, answer: (outcome) => this.#answer(requestId, outcome) });
  }

  #answer(requestId: string, outcome: SavepointOutcome): void {
    const waiting = this.#waiting.get(requestId) ?? [];
    this.#waiting.delete(requestId);
    for (const answer of waiting) answer(outcome);
  }

  #key(requestId: string): string {
    return savepointKey(this.#term.config.jobId, requestId);
  }
}
