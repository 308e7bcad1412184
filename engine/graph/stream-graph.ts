import type {
  AggregateFunction,
  FilterFunction,
  FlatMapFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  KeySelector,
  MapFunction,
  ReduceFunction,
  WindowFunction,
} from "../api/functions.ts";
import type { Sink } from "../api/sink.ts";
import type { Source } from "../api/source.ts";
import type { CheckpointRetention } from "./checkpoint-retention.ts";
import type { StateBackendConfig } from "../state/state-backend.ts";
import type { CheckpointMode, FailoverScope, RestoreStrategyName } from "./job-modes.ts";
import type { WatermarkStrategy } from "../api/watermark-strategy.ts";

export type NodeId = number;

/** How records get from a node to the next. "hash" goes by key group of the edge's key selector. */
export type Partitioning = "forward" | "rebalance" | "broadcast" | "hash";

export type InputIndex = 0 | 1;

export interface StreamEdge {
  readonly from: NodeId;
  readonly partitioning: Partitioning;
  /** With "hash" only. */
  readonly keySelector: KeySelector<any> | null;
  /** Takes a side output of `from` instead of its main output. */
  readonly sideOutput: string | null;
  /** Which input of an operator with two; 0 everywhere else. */
  readonly input: InputIndex;
}

interface NodeBase {
  readonly id: NodeId;
  /** Stable identity of the operator's state: the user's uid, or one derived from the position. */
  readonly uid: string;
  readonly name: string;
  readonly parallelism: number;
  /** Several of one input: a union (one logical input fed by several edges). Empty for sources. */
  readonly inputs: readonly StreamEdge[];
}

export interface SourceNode extends NodeBase {
  readonly kind: "source";
  readonly source: Source<any>;
  readonly watermarks: WatermarkStrategy<any>;
}
export interface MapNode extends NodeBase {
  readonly kind: "map";
  readonly fn: MapFunction<any, any>;
}
export interface FlatMapNode extends NodeBase {
  readonly kind: "flatMap";
  readonly fn: FlatMapFunction<any, any>;
}
export interface FilterNode extends NodeBase {
  readonly kind: "filter";
  readonly fn: FilterFunction<any>;
}
/** Keyed running reduce: emits the new value for every input. */
export interface ReduceNode extends NodeBase {
  readonly kind: "reduce";
  readonly keySelector: KeySelector<any>;
  readonly fn: ReduceFunction<any>;
}
export interface ProcessNode extends NodeBase {
  readonly kind: "process";
  readonly keySelector: KeySelector<any>;
  /** The function object of this build of the graph (graphs are built anew for every subtask attempt). */
  readonly fn: KeyedProcessFunction<any, any>;
}
/** Two inputs over one keyed state. */
export interface CoProcessNode extends NodeBase {
  readonly kind: "coProcess";
  /** By input. */
  readonly keySelectors: readonly [KeySelector<any>, KeySelector<any>];
  /** As for ProcessNode. */
  readonly fn: KeyedCoProcessFunction<any, any, any>;
}
/** Tumbling event-time windows [start, start + sizeMs) with starts at offsetMs modulo sizeMs. */
export interface WindowNode extends NodeBase {
  readonly kind: "window";
  readonly keySelector: KeySelector<any>;
  readonly sizeMs: number;
  readonly offsetMs: number;
  readonly allowedLatenessMs: number;
  readonly aggregate: AggregateFunction<any, any, any>;
  /** Null: the aggregate's result is emitted as it is. */
  readonly windowFn: WindowFunction<any, any> | null;
  /** Side output for late records; null drops them (counted). */
  readonly lateTag: string | null;
}
export interface SinkNode extends NodeBase {
  readonly kind: "sink";
  readonly sink: Sink<any>;
}

export type StreamNode =
  | SourceNode
  | MapNode
  | FlatMapNode
  | FilterNode
  | ReduceNode
  | ProcessNode
  | CoProcessNode
  | WindowNode
  | SinkNode;

/** The logical dataflow: nodes in topological order, `nodes[i].id === i`. */
export interface StreamGraph {
  readonly jobName: string;
  readonly nodes: readonly StreamNode[];
  readonly config: JobConfig;
}

/** What the job asks of the runtime. Times in milliseconds, as in Flink's configuration. */
export interface JobConfig {
  readonly maxParallelism: number;
  readonly checkpoint: CheckpointConfig | null;
  readonly restart: RestartStrategy;
  readonly autoWatermarkIntervalMs: number;
  /** 1 to 64 elements a buffer. */
  readonly bufferElements: number;
  readonly bufferTimeoutMs: number;
  /** Null: the cluster's default. */
  readonly stateBackend: StateBackendConfig | null;
  readonly restore: RestoreStrategyName;
  /** A checkpoint that cannot be read any more may be passed over for the one before. */
  readonly allowOlderCheckpoint: boolean;
  readonly failover: FailoverScope;
}

export interface CheckpointConfig {
  readonly mode: CheckpointMode;
  /** With "aligned-timeout": an alignment that takes longer goes on unaligned. Else 0. */
  readonly alignedTimeoutMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly minPauseMs: number;
  readonly maxConcurrent: number;
  readonly retained: number;
  /** Whether checkpoints stay behind when the job ends. */
  readonly retention: CheckpointRetention;
  /** Failed checkpoints in a row that are tolerated (Flink: tolerableCheckpointFailureNumber). */
  readonly tolerableFailures: number;
}

export type RestartStrategy =
  | { readonly kind: "none" }
  | { readonly kind: "fixed-delay"; readonly attempts: number; readonly delayMs: number }
  | { readonly kind: "failure-rate"; readonly maxFailures: number; readonly intervalMs: number; readonly delayMs: number }
  | {
      readonly kind: "exponential-delay";
      readonly initialBackoffMs: number;
      readonly maxBackoffMs: number;
      readonly backoffMultiplier: number;
      /** So long without a failure after a restart: the next one waits for the initial backoff again. */
      readonly resetBackoffThresholdMs: number;
      /** Each wait is longer or shorter by up to this share of it. */
      readonly jitterFactor: number;
      /** Restarts in a row before the job fails; null: any number. */
      readonly maxAttempts: number | null;
    };
