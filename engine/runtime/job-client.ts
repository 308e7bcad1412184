import { NO_CHECKPOINT, US_PER_MS } from "../base/units.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { jobStatusKey } from "./job-status.ts";
import { leaderKey, parseLeader } from "./leader-election.ts";
import type { ControlMessage } from "./messages.ts";
import type { StopMode } from "../checkpoint/checkpoint-properties.ts";
import { savepointKey } from "../checkpoint/savepoint-record.ts";
import type { EnginePorts } from "./task-manager.ts";

/** Answers after which nothing is left to ask. */
const DONE: readonly ControlMessage["kind"][] = ["accepted", "savepoint-taken"];
/** Of what is asked until the job is over. */
const NEVER_DONE: readonly ControlMessage["kind"][] = [];

/**
 * Whoever asks something of a running job from outside (Flink: the client, the REST interface). A request is
 * repeated to whoever leads until it is accepted or the job is over, so the leader must take it twice for once.
 */
export class JobClient {
  readonly #ports: EnginePorts;
  readonly #config: ClusterConfig;
  readonly #subject: number;

  constructor(ports: EnginePorts, config: ClusterConfig) {
    this.#ports = ports;
    this.#config = config;
    this.#subject = ports.tracer.intern(ports.self);
  }

  /** The job goes on with another parallelism, from its latest checkpoint. */
  rescale(parallelism: number): void {
    this.#request((epoch) => ({ kind: "rescale", subject: this.#subject, checkpointId: NO_CHECKPOINT, epoch, parallelism }));
  }

  /**
   * A savepoint, known by the request's id; with a stop mode the job ends with it. Where it fails, it is asked for
   * again, until it was taken or the job is over.
   */
  savepoint(requestId: string, stop: StopMode | null): void {
    const key = savepointKey(this.#config.jobId, requestId);
    this.#ports.coordination.read(key, (reply) => {
      if (reply.ok && reply.value.value !== null) return;
      const message = { kind: "trigger-savepoint", subject: this.#subject, checkpointId: NO_CHECKPOINT, requestId, stop } as const;
      this.#request((epoch) => ({ ...message, epoch }));
    });
  }

  /** Checkpoints that are pending when this arrives are given up. */
  abortCheckpoints(): void {
    this.#request((epoch) => ({ kind: "abort-checkpoints", subject: this.#subject, checkpointId: NO_CHECKPOINT, epoch }));
  }

  /** The job ends, whatever it has done. Asked until it has: a leader that is lost takes what it accepted with it. */
  cancelJob(): void {
    this.#request((epoch) => ({ kind: "cancel-job", subject: this.#subject, checkpointId: NO_CHECKPOINT, epoch }), NEVER_DONE);
  }

  #request(messageOf: (epoch: number) => ControlMessage, done: readonly ControlMessage["kind"][] = DONE): void {
    const { coordination, network } = this.#ports;
    const again = (): void => this.#later(() => this.#request(messageOf, done));
    coordination.read(jobStatusKey(this.#config.jobId, this.#config.submission), (status) => {
      if (status.ok && status.value.value !== null) return;
      coordination.read(leaderKey(this.#config.jobId), (reply) => {
        const leader = reply.ok ? parseLeader(reply.value.value) : null;
        if (leader === null) {
          again();
          return;
        }
        network.call(leader.address, messageOf(leader.epoch), this.#config.rpcTimeoutMs * US_PER_MS, (answer) => {
          if (!answer.ok || !done.includes(answer.message.kind)) again();
        });
      });
    });
  }

  #later(action: () => void): void {
    this.#ports.scheduler.after(this.#config.registrationRetryMs * US_PER_MS, action);
  }
}
