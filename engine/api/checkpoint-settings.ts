import type { CheckpointConfig } from "../graph/stream-graph.ts";
import { requireWhole, requireWholeMs } from "./job-definition-error.ts";

const WHERE = "checkpointing";

/** How checkpoints are taken, with Flink's defaults and Flink's names (CheckpointConfig). */
export class CheckpointSettings {
  #intervalMs: number | null = null;
  #timeoutMs: number = 600_000;
  #minPauseMs: number = 0;
  #maxConcurrent: number = 1;
  #retained: number = 1;
  #tolerableFailures: number = 0;

  setCheckpointInterval(intervalMs: number): this {
    this.#intervalMs = requireWholeMs(intervalMs, 1, WHERE, "the interval");
    return this;
  }

  /** A checkpoint that is not complete after this long is aborted. */
  setCheckpointTimeout(timeoutMs: number): this {
    this.#timeoutMs = requireWholeMs(timeoutMs, 1, WHERE, "the timeout");
    return this;
  }

  /** Between the completion of one checkpoint and the start of the next. */
  setMinPauseBetweenCheckpoints(pauseMs: number): this {
    this.#minPauseMs = requireWholeMs(pauseMs, 0, WHERE, "the minimum pause");
    return this;
  }

  setMaxConcurrentCheckpoints(count: number): this {
    this.#maxConcurrent = requireWhole(count, 1, WHERE, "the number of concurrent checkpoints");
    return this;
  }

  setMaxRetainedCheckpoints(count: number): this {
    this.#retained = requireWhole(count, 1, WHERE, "the number of retained checkpoints");
    return this;
  }

  /** Failed checkpoints in a row that do not yet fail the job. */
  setTolerableCheckpointFailureNumber(count: number): this {
    this.#tolerableFailures = requireWhole(count, 0, WHERE, "the number of tolerable failures");
    return this;
  }

  /** Null while checkpointing is off. */
  toConfig(): CheckpointConfig | null {
    if (this.#intervalMs === null) return null;
    return {
      intervalMs: this.#intervalMs,
      timeoutMs: this.#timeoutMs,
      minPauseMs: this.#minPauseMs,
      maxConcurrent: this.#maxConcurrent,
      retained: this.#retained,
      tolerableFailures: this.#tolerableFailures,
    };
  }
}
