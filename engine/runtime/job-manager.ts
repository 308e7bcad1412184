import { NO_CHECKPOINT } from "../base/units.ts";
import { buildJobGraph } from "../graph/build-job-graph.ts";
import type { ClusterConfig, JobFactory } from "./cluster-config.ts";
import { JobMaster } from "./job-master.ts";
import { LeaderElection } from "./leader-election.ts";
import type { ControlMessage } from "./messages.ts";
import type { EnginePorts } from "./task-manager.ts";

/** A JobManager process: campaigns for leadership, and while it leads, runs the job through a JobMaster. */
export class JobManager {
  readonly ports: EnginePorts;
  readonly config: ClusterConfig;
  /** The current term, or the last one; null before the first. */
  master: JobMaster | null = null;
  leading = false;
  readonly #buildGraph: JobFactory;
  readonly #election: LeaderElection;

  constructor(ports: EnginePorts, config: ClusterConfig, buildGraph: JobFactory) {
    this.ports = ports;
    this.config = config;
    this.#buildGraph = buildGraph;
    this.#election = new LeaderElection(ports, config.jobId, config.leaseTtlMs, {
      granted: (fence) => {
        this.leading = true;
        this.master = new JobMaster(
          ports,
          config,
          (parallelism) => buildJobGraph(this.#buildGraph(null, parallelism)),
          fence,
          () => this.#election.stepDown(),
          () => this.#election.retire(),
        );
        this.master.recover();
      },
      revoked: () => {
        this.leading = false;
        this.master?.depose();
      },
    });
  }

  start(): void {
    this.ports.network.serve((_from, message, respond) => this.#handle(message, respond));
    this.#election.campaign();
  }

  #handle(message: ControlMessage, respond: (reply: ControlMessage) => void): void {
    if (this.leading && this.master !== null) {
      this.master.handle(message, respond);
      return;
    }
    const { subject, epoch } = message;
    respond({ kind: "refused", subject, checkpointId: NO_CHECKPOINT, epoch, reason: "not the leader" });
  }
}
