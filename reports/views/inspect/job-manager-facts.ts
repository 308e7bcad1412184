import type { CompletedCheckpoint } from "../../../engine/checkpoint/checkpoint-metadata.ts";
import { filesOf } from "../../../engine/checkpoint/checkpoint-metadata.ts";
import type { PendingCheckpoint } from "../../../engine/checkpoint/pending-checkpoint.ts";
import type { ExecutionId } from "../../../engine/graph/execution-id.ts";
import type { JobGraph } from "../../../engine/graph/job-graph.ts";
import type { RestartBackoffSnapshot } from "../../../engine/restore/restart/restart-backoff.ts";
import type { JobManager } from "../../../engine/runtime/job-manager.ts";
import type { JobMaster } from "../../../engine/runtime/job-master.ts";
import { leaderKey, leaseOf, parseLeader } from "../../../engine/runtime/leader-election.ts";
import type { RunTape } from "../../../simulator/timetravel/run-tape.ts";
import type { World } from "../../../simulator/world/world.ts";
import { JOB_ID } from "../../../simulator/world/world.ts";
import { UsageError } from "../../files/usage-error.ts";
import { visible } from "../../text/visible.ts";
import type { GivenUp, MissingStage } from "./checkpoint-trace.ts";
import { CheckpointTrace } from "./checkpoint-trace.ts";
import { presentGraph } from "./operator-names.ts";

export interface AckFacts {
  readonly task: string;
  /** When the leader took it; null where the trace does not say. */
  readonly atUs: number | null;
  readonly sizeBytes: number;
  readonly sharedFiles: number;
  readonly inputEnded: boolean;
}

export interface MissingFacts {
  readonly task: string;
  readonly stage: MissingStage;
  readonly sinceUs: number;
}

export interface PendingFacts {
  readonly checkpointId: number;
  readonly kind: "checkpoint" | "savepoint";
  readonly stop: "suspend" | "drain" | null;
  /** Who asked for the savepoint. */
  readonly requestId: string | null;
  readonly triggeredAtUs: number;
  /** All are there: its metadata is being written, or its record. */
  readonly isCommitting: boolean;
  readonly acknowledged: readonly AckFacts[];
  readonly missing: readonly MissingFacts[];
  readonly finished: readonly string[];
}

export interface CompletedFacts {
  readonly checkpointId: number;
  readonly kind: "checkpoint" | "savepoint";
  readonly attempt: number;
  readonly triggeredAtUs: number;
  readonly files: number;
  readonly sizeBytes: number;
  readonly metadataKey: string;
}

export interface WorkerFacts {
  readonly worker: string;
  readonly incarnation: number;
  readonly slots: number;
  readonly lastSeenUs: number;
  readonly held: readonly number[];
}

export interface RegionFacts {
  readonly phase: string;
  readonly attempt: number | null;
  readonly tasks: readonly { readonly task: string; readonly worker: string; readonly state: string }[];
}

/** One leader's term, as that JobManager sees it. */
export interface TermFacts {
  readonly epoch: number;
  readonly phase: string;
  readonly lastFailure: string | null;
  readonly parallelism: number | null;
  readonly workers: readonly WorkerFacts[];
  readonly regions: readonly RegionFacts[];
  readonly restarts: number;
  readonly backoff: RestartBackoffSnapshot;
  readonly nextCheckpointId: number;
  /** Of checkpoints in a row, as counted; null: nothing is deployed, or the job takes no checkpoints. */
  readonly failures: number | null;
  readonly tolerableFailures: number | null;
  readonly queuedRequests: number;
  readonly pending: readonly PendingFacts[];
  /** The oldest first. */
  readonly retained: readonly CompletedFacts[];
  /** No longer retained; their records may still be there. */
  readonly leaving: readonly number[];
  readonly sharedFiles: number;
  /** Checkpoints given up in this run so far, the latest last. */
  readonly aborted: readonly GivenUp[];
}

export interface JobManagerFacts {
  readonly name: string;
  readonly incarnation: number;
  readonly isAlive: boolean;
  readonly isLeading: boolean;
  /** Of the current term, or the last one that it had; null: it never led. */
  readonly term: TermFacts | null;
}

export interface LeadershipFacts {
  /** What Coordination says. */
  readonly leaseHolder: string | null;
  readonly leaseEpoch: number;
  readonly leaseExpiresAtUs: number | null;
  /** As published for workers; it may lag behind the lease. */
  readonly published: { readonly address: string; readonly epoch: number } | null;
  readonly jobStatus: string | null;
  readonly jobManagers: readonly JobManagerFacts[];
}

/** `name`: of that JobManager alone; null: of all. */
export function leadershipFacts(world: World, tape: RunTape, step: number, name: string | null): LeadershipFacts {
  const lease = world.coordination.peekLease(leaseOf(JOB_ID));
  const all = world.placements().filter(({ kind }) => kind === "job-manager");
  const placements = name === null ? all : all.filter((one) => one.name === name);
  if (placements.length === 0) {
    throw new UsageError(`the JobManager ${visible(name ?? "")}`, "is none of this cluster", `choose one of: ${all.map((one) => one.name).join(", ")}`);
  }
  const graph = presentGraph(world);
  return {
    leaseHolder: lease?.holder ?? null,
    leaseEpoch: lease?.epoch ?? 0,
    leaseExpiresAtUs: lease === null || lease.holder === null ? null : lease.expiresAtUs,
    published: parseLeader(world.coordination.peek(leaderKey(JOB_ID)).value),
    jobStatus: world.jobEnd?.status ?? null,
    jobManagers: placements.map((placement) => {
      const living = world.processNamed(placement.name);
      const engine: JobManager | null = living?.kind === "job-manager" ? living.engine : null;
      const master = engine?.master ?? null;
      return {
        name: placement.name,
        incarnation: placement.incarnation,
        isAlive: living !== null,
        isLeading: engine?.leading ?? false,
        term: master === null ? null : termFacts(master, new CheckpointTrace(tape, step), graph),
      };
    }),
  };
}

function termFacts(master: JobMaster, trace: CheckpointTrace, graph: JobGraph): TermFacts {
  const { coordinator, store, registry, fence, phase, lastFailure, regions } = master;
  const { restarts, backoff, nextCheckpointId, parallelism } = master.inspect();
  const inspected = coordinator?.inspect() ?? null;
  const taskName = ({ vertex, subtask }: ExecutionId): string => `${graph.vertices[vertex]?.name ?? `vertex ${vertex}`}[${subtask}]`;
  return {
    epoch: fence.epoch,
    phase,
    lastFailure,
    parallelism,
    workers: registry.workers.map(({ address, incarnation, slots, lastSeenUs, held }) => ({ worker: address, incarnation, slots, lastSeenUs, held: [...held] })),
    regions: regions.map(({ phase: ofRegion, attempt }) => ({
      phase: ofRegion,
      attempt: attempt?.attempt ?? null,
      tasks: (attempt?.executions ?? []).map(({ id, slot, state }) => ({ task: taskName(id), worker: slot.worker, state })),
    })),
    restarts,
    backoff,
    nextCheckpointId,
    failures: inspected?.failures ?? null,
    tolerableFailures: graph.config.checkpoint?.tolerableFailures ?? null,
    queuedRequests: inspected?.queued ?? 0,
    pending: (coordinator?.pending ?? []).map((one) => pendingFacts(one, inspected?.savepointOf(one) ?? null, trace, taskName)),
    retained: store.retained.map(completedFacts),
    leaving: store.leaving.map(({ metadata }) => metadata.checkpointId),
    sharedFiles: store.sharedFiles().length,
    aborted: trace.aborted(),
  };
}

function completedFacts({ metadata, file }: CompletedCheckpoint): CompletedFacts {
  const { checkpointId, kind, attempt, triggeredAtUs, vertices } = metadata;
  const handles = new Map([[file.key, file.sizeBytes]]);
  for (const { subtasks } of vertices) {
    for (const state of subtasks) {
      if (state?.file !== undefined && state.file !== null) handles.set(state.file.key, state.file.sizeBytes);
      for (const shared of state?.shared ?? []) handles.set(shared.file.key, shared.file.sizeBytes);
    }
  }
  const sizeBytes = [...handles.values()].reduce((sum, size) => sum + size, 0);
  return { checkpointId, kind, attempt, triggeredAtUs, files: new Set(filesOf({ metadata, file })).size, sizeBytes, metadataKey: file.key };
}

function pendingFacts(checkpoint: PendingCheckpoint, requestId: string | null, trace: CheckpointTrace, taskName: (id: ExecutionId) => string): PendingFacts {
  const { checkpointId, properties, triggeredAtUs, plan, acknowledged } = checkpoint;
  const times = trace.acknowledgements(checkpointId);
  return {
    checkpointId,
    kind: properties.kind,
    stop: properties.stop,
    requestId,
    triggeredAtUs,
    isCommitting: checkpoint.missing === 0,
    acknowledged: acknowledged.map(({ id, state, inputEnded }, index): AckFacts => {
      const sizeBytes = (state?.file?.sizeBytes ?? 0) + (state?.shared ?? []).reduce((sum, { file, isPlaceholder }) => sum + (isPlaceholder ? 0 : file.sizeBytes), 0);
      return { task: taskName(id), atUs: times[index] ?? null, sizeBytes, sharedFiles: state?.shared.length ?? 0, inputEnded };
    }),
    missing: plan.toWaitFor.filter((id) => checkpoint.isAwaited(id)).map((id) => {
      const task = taskName(id);
      return { task, ...trace.stageOf(checkpointId, task, triggeredAtUs) };
    }),
    finished: plan.finished.map(taskName),
  };
}
