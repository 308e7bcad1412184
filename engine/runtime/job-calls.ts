import { present } from "../base/assert.ts";
import { NO_CHECKPOINT, US_PER_MS } from "../base/units.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { JobGraph } from "../graph/job-graph.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ControlMessage, SlotAssignment } from "./messages.ts";
import type { EnginePorts } from "./task-manager.ts";
import type { WorkerRegistry } from "./worker-registry.ts";

/** What one leader says to workers. */
export class JobCalls {
  readonly #ports: EnginePorts;
  readonly #config: ClusterConfig;
  readonly #epoch: number;
  readonly #registry: WorkerRegistry;
  readonly #isActive: () => boolean;
  readonly #subject: number;
  /** By vertex, then subtask; interned once, because names are built of strings. */
  #subjects: readonly (readonly number[])[] = [];

  constructor(ports: EnginePorts, config: ClusterConfig, epoch: number, registry: WorkerRegistry, isActive: () => boolean) {
    this.#ports = ports;
    this.#config = config;
    this.#epoch = epoch;
    this.#registry = registry;
    this.#isActive = isActive;
    this.#subject = ports.tracer.intern(ports.self);
  }

  /** From here on subtasks are those of this graph. */
  useGraph(graph: JobGraph): void {
    const { tracer } = this.#ports;
    this.#subjects = graph.vertices.map(({ name, parallelism }) =>
      Array.from({ length: parallelism }, (_, subtask) => tracer.intern(`${name}[${subtask}]`)),
    );
  }

  subjectOf({ vertex, subtask }: ExecutionId): number {
    return present(this.#subjects[vertex]?.[subtask], "the subtask is part of the job");
  }

  cast(slot: SlotAssignment, message: ControlMessage): void {
    this.#ports.network.cast(slot.worker, message);
  }

  /** Repeats a call, with a pause, until the worker answers; a lost worker answers "refused" by definition. */
  untilAnswered(
    slot: SlotAssignment,
    message: ControlMessage,
    isWanted: () => boolean,
    done: (reply: ControlMessage) => void,
  ): void {
    if (!this.#isActive() || !isWanted()) return;
    if (!this.#registry.isRegistered(slot)) {
      done(this.reply(message, "the worker is lost"));
      return;
    }
    const { rpcTimeoutMs, registrationRetryMs } = this.#config;
    const again = (): void => this.untilAnswered(slot, message, isWanted, done);
    this.#ports.network.call(slot.worker, message, rpcTimeoutMs * US_PER_MS, (reply) => {
      if (!this.#isActive() || !isWanted()) return;
      if (reply.ok) done(reply.message);
      else this.#ports.scheduler.after(registrationRetryMs * US_PER_MS, again);
    });
  }

  order(kind: "start-attempt" | "cancel-attempt", attempt: number): ControlMessage {
    return { kind, subject: this.#subject, checkpointId: NO_CHECKPOINT, epoch: this.#epoch, attempt };
  }

  /** To a message: accepted, or why not. */
  reply({ subject, checkpointId }: ControlMessage, refusal: string | null): ControlMessage {
    const epoch = this.#epoch;
    if (refusal === null) return { kind: "accepted", subject, checkpointId, epoch };
    return { kind: "refused", subject, checkpointId, epoch, reason: refusal };
  }
}
