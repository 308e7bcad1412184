import type { CheckpointId, TimestampMs, TimeUs } from "../../engine/base/units.ts";
import type { BarrierAlignment } from "../../engine/checkpoint/barrier-handler.ts";
import type { Partitioning } from "../../engine/graph/stream-graph.ts";
import type { JobPhase } from "../../engine/runtime/job-master.ts";
import type { JobEndStatus } from "../../engine/runtime/job-status.ts";
import type { TaskLifeState } from "../../engine/runtime/task.ts";

/** The job as it is laid out, and what of it runs where, at the end of a step. */
export interface GraphFacts {
  readonly step: number;
  readonly atUs: TimeUs;
  readonly job: JobFacts;
  readonly processes: readonly ProcessFacts[];
  /** In topological order; behind them those that still run but are in no layout any more. */
  readonly operators: readonly OperatorFacts[];
}

export interface JobFacts {
  readonly name: string;
  /** 1 for the first. */
  readonly version: number;
  readonly end: JobEndStatus | null;
  /** What the leader says; null: nobody leads. */
  readonly phase: JobPhase | null;
  /** Those who believe that they lead, the latest epoch first. */
  readonly leaders: readonly LeaderFacts[];
  readonly lastFailure: string | null;
}

export interface LeaderFacts {
  readonly process: string;
  readonly epoch: number;
  readonly phase: JobPhase;
  /** The lease is its own at this moment: what it writes is accepted. */
  readonly holdsLease: boolean;
}

export interface ProcessFacts {
  readonly name: string;
  readonly kind: "job-manager" | "worker";
  readonly host: string;
  readonly hostIsUp: boolean;
  readonly status: "up" | "paused" | "down";
  /** Null: down. */
  readonly incarnation: number | null;
  /** Null: not paused. */
  readonly pausedUntilUs: TimeUs | null;
  /** This incarnation is known to the leader as a worker. */
  readonly isRegistered: boolean;
}

export interface OperatorFacts {
  /** Name of the chain ("source -> map"), unique within the job. */
  readonly id: string;
  readonly chain: readonly { readonly uid: string; readonly name: string }[];
  readonly parallelism: number;
  readonly feeds: readonly FeedFacts[];
  /** In order of their index; where one is there more than once, the one that counts comes first. */
  readonly subtasks: readonly SubtaskFacts[];
}

/** Who feeds an operator. */
export interface FeedFacts {
  readonly edge: number;
  /** Id of an operator. */
  readonly from: string;
  readonly partitioning: Partitioning;
  readonly sideOutput: string | null;
}

/**
 * "ordered": the leader told the worker to deploy it, which has not done so yet. "lost": it was to run, or ran, in a
 * process that is gone. "waiting": its region waits for slots. "absent": nobody knows of it.
 */
export type SubtaskStatus = TaskLifeState | "ordered" | "lost" | "waiting" | "absent";

export interface SubtaskFacts {
  /** "sum[1]"; where it is there more than once, the others are "sum[1]#4097", with their attempt. */
  readonly key: string;
  readonly operator: string;
  readonly subtask: number;
  /** What the leader deployed last (without a leader: the latest attempt). False, and it lives: it should be gone. */
  readonly isCurrent: boolean;
  readonly status: SubtaskStatus;
  readonly attempt: number | null;
  readonly worker: string | null;
  readonly host: string | null;
  /** Its process stands still until then. */
  readonly pausedUntilUs: TimeUs | null;
  readonly restoredFrom: CheckpointId | null;
  /** Null where there is no task; see units for MIN_WATERMARK and MAX_WATERMARK. */
  readonly watermarkMs: TimestampMs | null;
  readonly inputEnded: boolean;
  /** Checkpoints whose snapshot is being written. */
  readonly snapshots: readonly CheckpointId[];
  /** Barriers that came of the checkpoint that it aligns. */
  readonly alignment: { readonly checkpointId: CheckpointId; readonly arrived: number; readonly channels: number } | null;
  readonly mails: number;
  /** It takes no input, because an output has no room. */
  readonly isBackPressured: boolean;
  readonly inputs: readonly InputFacts[];
  readonly outputs: readonly OutputFacts[];
}

export interface Amount {
  readonly buffers: number;
  readonly records: number;
}

/** A barrier that is on its way through a channel. */
export interface BarrierFacts {
  readonly checkpointId: CheckpointId;
  /** Where it is: in the receiver's queue, on the network, or still behind the sender's credit. */
  readonly place: "queue" | "network" | "backlog";
  /** Buffers there that hold records or events before it. */
  readonly behind: number;
  readonly alignment: BarrierAlignment;
  readonly isSavepoint: boolean;
}

/** A channel as its receiver has it, with what is still under way in it. */
export interface InputFacts {
  /** "sum[1]<2:0": receiver, edge, and subtask that sends. */
  readonly key: string;
  readonly edge: number;
  readonly from: string;
  readonly fromSubtask: number;
  readonly connection: "open" | "opening" | "broken" | "none";
  /** What waits, and of it what a checkpoint gave back. */
  readonly queue: Amount;
  readonly restored: Amount;
  readonly capacity: number;
  readonly network: Amount;
  readonly backlog: Amount;
  readonly barriers: readonly BarrierFacts[];
  /** Its barrier came, and it waits for those of the others. */
  readonly isBlocked: boolean;
  /** The checkpoint that is being aligned, where the barrier of this channel has come. */
  readonly aligned: CheckpointId | null;
  readonly hasEnded: boolean;
  readonly hasFinished: boolean;
}

/** The sending end of a channel. */
export interface OutputFacts {
  readonly edge: number;
  readonly to: string;
  readonly toSubtask: number;
  /** Buffers that it may send. */
  readonly credit: number;
  readonly backlog: Amount;
  /** Records that wait for their buffer to be full. */
  readonly collecting: number;
}
