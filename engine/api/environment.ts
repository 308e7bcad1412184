import { BUFFER_ELEMENTS_LIMIT, MAX_PARALLELISM_LIMIT } from "../base/limits.ts";
import { ElementsSource } from "../connectors/elements-source.ts";
import type { RestartStrategy, StreamGraph } from "../graph/stream-graph.ts";
import { FAILOVER_SCOPES, invalidCombination, RESTORE_STRATEGIES } from "../graph/job-modes.ts";
import type { FailoverScope } from "../graph/job-modes.ts";
import type { CheckpointingGuarantee } from "./checkpoint-settings.ts";
import { CheckpointSettings } from "./checkpoint-settings.ts";
import { SingleOutputStreamOperator } from "./data-stream.ts";
import { GraphBuilder, requireParallelism } from "./graph-builder.ts";
import { JobDefinitionError, requireWhole, requireWholeMs } from "./job-definition-error.ts";
import type { StateBackendConfig, StateBackendName } from "../state/state-backend.ts";
import { checkedStateBackend } from "./state-backends.ts";
import { RestartStrategies } from "./restart-strategies.ts";
import { RestoreStrategies } from "./restore-strategies.ts";
import type { RestoreStrategySetting } from "./restore-strategies.ts";
import type { Source } from "./source.ts";
import { WatermarkStrategies } from "./watermark-strategies.ts";
import type { WatermarkStrategy } from "./watermark-strategy.ts";

/** `failureSnapshotRestore` restarts however often the job fails. */
const UNLIMITED_RESTARTS = 2_147_483_647;

/** How elements become available over time. */
export interface ElementsPacing<T> {
  /**
   * Element i becomes available `i * everyMs` after virtual time 0, which is also its timestamp. Elements
   * that are due already (after a restart) are available at once.
   */
  readonly everyMs: number;
  /** Monotonous timestamps where not given. */
  readonly watermarks?: WatermarkStrategy<T>;
}

/**
 * Where a job begins, as Flink's class of the same name. A job function makes one, builds its streams, and
 * returns what `execute` gives.
 */
export class StreamExecutionEnvironment {
  readonly #builder: GraphBuilder = new GraphBuilder();
  readonly #checkpoints: CheckpointSettings = new CheckpointSettings();
  #parallelism: number = 1;
  #maxParallelism: number | null = null;
  #restart: RestartStrategy | null = null;
  #bufferElements: number = BUFFER_ELEMENTS_LIMIT;
  #bufferTimeoutMs: number = 100;
  #autoWatermarkIntervalMs: number = 200;
  #stateBackend: StateBackendConfig | null = null;
  /** Null: nothing is said. */
  #restore: RestoreStrategySetting | null = null;
  #failover: FailoverScope = "job";

  private constructor() {}

  static create(): StreamExecutionEnvironment {
    return new StreamExecutionEnvironment();
  }

  /** Of every operator that does not set its own; 1 where nothing is said. */
  setParallelism(parallelism: number): this {
    this.#parallelism = requireParallelism(parallelism, "the environment");
    return this;
  }

  /** Number of key groups; cannot change once state exists. */
  setMaxParallelism(maxParallelism: number): this {
    requireWhole(maxParallelism, 1, "the environment", "the maximum parallelism");
    if (maxParallelism > MAX_PARALLELISM_LIMIT) {
      throw new JobDefinitionError(
        "the environment",
        `the maximum parallelism ${maxParallelism} is greater than ${MAX_PARALLELISM_LIMIT}, the most there can be`,
        "Lower it",
      );
    }
    this.#maxParallelism = maxParallelism;
    return this;
  }

  enableCheckpointing(intervalMs: number, guarantee: CheckpointingGuarantee = "exactly-once"): this {
    this.#checkpoints.setCheckpointInterval(intervalMs).setCheckpointingMode(guarantee);
    return this;
  }

  getCheckpointConfig(): CheckpointSettings {
    return this.#checkpoints;
  }

  /**
   * Where keyed state is kept, as Flink's method of the same name: "heap", "lsm", "sqlite", or "changelog:" with
   * one of these, alone or with sizes. Without it, the cluster's default.
   */
  setStateBackend(backend: StateBackendName | StateBackendConfig): this {
    this.#stateBackend = checkedStateBackend(backend);
    return this;
  }

  /** How state comes back after a failure: RestoreStrategies.full() where nothing is said. */
  setRestoreStrategy(setting: RestoreStrategySetting): this {
    if (!RESTORE_STRATEGIES.includes(setting?.strategy)) throw notMade("restore strategy", setting, "RestoreStrategies");
    this.#restore = setting;
    return this;
  }

  /** What restarts after a failure: "job" (the default), or the "region" of the failed task. */
  setFailoverStrategy(scope: FailoverScope): this {
    if (!FAILOVER_SCOPES.includes(scope)) {
      const wayOut = `Choose one of: ${FAILOVER_SCOPES.join(", ")}`;
      throw new JobDefinitionError("the environment", `there is no failover strategy ${JSON.stringify(scope)}`, wayOut);
    }
    this.#failover = scope;
    return this;
  }

  setRestartStrategy(strategy: RestartStrategy): this {
    if (typeof strategy?.kind !== "string") throw notMade("restart strategy", strategy, "RestartStrategies");
    this.#restart = strategy;
    return this;
  }

  /** Elements in a full network buffer, 1 to 64. */
  setBufferElements(elements: number): this {
    requireWhole(elements, 1, "the environment", "the number of elements in a buffer");
    if (elements > BUFFER_ELEMENTS_LIMIT) {
      const reason = `${elements} elements in a buffer are more than ${BUFFER_ELEMENTS_LIMIT}`;
      throw new JobDefinitionError("the environment", reason, `Use 1 to ${BUFFER_ELEMENTS_LIMIT}`);
    }
    this.#bufferElements = elements;
    return this;
  }

  /** A buffer that is not full is sent after this long; 0: at once. */
  setBufferTimeout(timeoutMs: number): this {
    this.#bufferTimeoutMs = requireWholeMs(timeoutMs, 0, "the environment", "the buffer timeout");
    return this;
  }

  setAutoWatermarkInterval(intervalMs: number): this {
    this.#autoWatermarkIntervalMs = requireWholeMs(intervalMs, 1, "the environment", "the watermark interval");
    return this;
  }

  /** A stream of these elements, paced over virtual time. */
  fromElements<T>(elements: readonly T[], pacing: ElementsPacing<T>): SingleOutputStreamOperator<T>;
  /** A stream of these elements, available at once and without timestamps. */
  fromElements<T>(...elements: readonly T[]): SingleOutputStreamOperator<T>;
  fromElements(...given: readonly unknown[]): SingleOutputStreamOperator<any> {
    const paced = given.length === 2 && Array.isArray(given[0]) && isPacing(given[1]);
    const elements = paced ? (given[0] as readonly unknown[]) : given;
    const pacing = paced ? (given[1] as ElementsPacing<unknown>) : null;
    const name = "elements";
    if (elements.length === 0) {
      throw new JobDefinitionError(`source "${name}"`, "fromElements got no elements", "Pass at least one");
    }
    if (pacing !== null) requireWholeMs(pacing.everyMs, 1, `source "${name}"`, "the time between elements");
    const fallback = pacing === null ? WatermarkStrategies.noWatermarks() : WatermarkStrategies.forMonotonousTimestamps();
    const source = new ElementsSource(elements, pacing?.everyMs ?? null);
    const body = { kind: "source", source, watermarks: pacing?.watermarks ?? fallback } as const;
    return new SingleOutputStreamOperator(this.#builder, this.#builder.add(body, name, [], "it reads one list of elements"));
  }

  fromSource<T>(source: Source<T>, watermarks: WatermarkStrategy<T>, name: string = source.name): SingleOutputStreamOperator<T> {
    const id = this.#builder.add({ kind: "source", source, watermarks }, source.name, []);
    this.#builder.setName(id, name);
    return new SingleOutputStreamOperator<T>(this.#builder, id);
  }

  /** Checks the job and returns its graph; running it is up to whoever called the job function. */
  execute(name: string): StreamGraph {
    if (typeof name !== "string" || name === "") {
      throw new JobDefinitionError("the job", "its name is empty", "Pass a name to execute");
    }
    const checkpoint = this.#checkpoints.toConfig();
    const restore = this.#restoreStrategy(checkpoint !== null);
    this.#requireCombination(restore);
    return this.#builder.build(name, {
      parallelism: this.#parallelism,
      maxParallelism: this.#maxParallelism,
      config: {
        checkpoint,
        restart: this.#restartStrategy(restore, checkpoint !== null),
        autoWatermarkIntervalMs: this.#autoWatermarkIntervalMs,
        bufferElements: this.#bufferElements,
        bufferTimeoutMs: this.#bufferTimeoutMs,
        stateBackend: this.#stateBackend,
        restore: restore.strategy,
        allowOlderCheckpoint: restore.allowOlder,
        failover: this.#failover,
      },
    });
  }

  #restoreStrategy(hasCheckpoints: boolean): RestoreStrategySetting {
    if (this.#restore === null) return RestoreStrategies.full();
    if (hasCheckpoints) return this.#restore;
    const reason = "the job takes no checkpoints that it could restore";
    throw new JobDefinitionError("the restore strategy", reason, "Call enableCheckpointing, or leave setRestoreStrategy out");
  }

  #restartStrategy({ restartDelayMs }: RestoreStrategySetting, hasCheckpoints: boolean): RestartStrategy {
    if (restartDelayMs === null) return this.#restart ?? (hasCheckpoints ? RestartStrategies.exponentialDelay() : RestartStrategies.none());
    if (this.#restart === null) return RestartStrategies.fixedDelay(UNLIMITED_RESTARTS, restartDelayMs);
    const reason = "both the restore strategy and the restart strategy say when to restart";
    throw new JobDefinitionError("the environment", reason, "Leave setRestartStrategy out, or use RestoreStrategies.full()");
  }

  /** As far as the job alone decides it; what the run adds is checked there. */
  #requireCombination(restore: RestoreStrategySetting): void {
    if (this.#stateBackend === null) return;
    const modes = { backend: this.#stateBackend.name, restore: restore.strategy, failover: this.#failover, rescales: false };
    const invalid = invalidCombination(modes);
    if (invalid !== null) throw new JobDefinitionError("the restore strategy", invalid.reason, invalid.wayOut);
  }
}

function notMade(what: string, given: unknown, factory: string): JobDefinitionError {
  const shown = typeof given === "string" ? JSON.stringify(given) : typeof given;
  return new JobDefinitionError("the environment", `the ${what} is ${shown}, not one of ${factory}`, `Pass what one of the methods of ${factory} gives`);
}

function isPacing(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, "everyMs");
}
