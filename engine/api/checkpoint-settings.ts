import type { CheckpointRetention } from "../graph/checkpoint-retention.ts";
import { CHECKPOINT_RETENTIONS } from "../graph/checkpoint-retention.ts";
import type { CheckpointMode } from "../graph/job-modes.ts";
import type { CheckpointConfig } from "../graph/stream-graph.ts";
import { JobDefinitionError, requireWhole, requireWholeMs } from "./job-definition-error.ts";

const WHERE = "checkpointing";

export type CheckpointingGuarantee = "exactly-once" | "at-least-once";

/** How checkpoints are taken, with Flink's defaults and Flink's names (CheckpointConfig). */
export class CheckpointSettings {
  #intervalMs: number | null = null;
  #timeoutMs: number = 600_000;
  #minPauseMs: number = 0;
  #maxConcurrent: number = 1;
  #retained: number = 1;
  #retention: CheckpointRetention = "always";
  #tolerableFailures: number = 0;
  #guarantee: CheckpointingGuarantee = "exactly-once";
  #unaligned: boolean = false;
  #alignedTimeoutMs: number = 0;

  /** Exactly once is the default. At least once: barriers wait for nobody, and records may be applied twice. */
  setCheckpointingMode(guarantee: CheckpointingGuarantee): this {
    if (guarantee !== "exactly-once" && guarantee !== "at-least-once") {
      throw new JobDefinitionError(WHERE, `there is no mode ${JSON.stringify(guarantee)}`, 'Choose "exactly-once" or "at-least-once"');
    }
    this.#guarantee = guarantee;
    return this;
  }

  /** Barriers overtake data, which becomes part of the checkpoint. */
  enableUnalignedCheckpoints(enabled: boolean = true): this {
    this.#unaligned = enabled;
    return this;
  }

  /** With unaligned checkpoints: begin aligned, and overtake only after so long; 0 (the default): at once. */
  setAlignedCheckpointTimeout(timeoutMs: number): this {
    this.#alignedTimeoutMs = requireWholeMs(timeoutMs, 0, WHERE, "the timeout of an alignment");
    return this;
  }

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

  /**
   * Whether the retained checkpoints stay behind when the job ends: never, when it failed, when it failed or was
   * cancelled, or always (the default here, where Flink's is never). Savepoints always stay.
   */
  setExternalizedCheckpointRetention(retention: CheckpointRetention): this {
    if (!CHECKPOINT_RETENTIONS.includes(retention)) {
      const wayOut = `Choose one of: ${CHECKPOINT_RETENTIONS.join(", ")}`;
      throw new JobDefinitionError(WHERE, `there is no retention of checkpoints ${JSON.stringify(retention)}`, wayOut);
    }
    this.#retention = retention;
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
    const mode = this.#mode();
    return {
      mode,
      alignedTimeoutMs: mode === "aligned-timeout" ? this.#alignedTimeoutMs : 0,
      intervalMs: this.#intervalMs,
      timeoutMs: this.#timeoutMs,
      minPauseMs: this.#minPauseMs,
      maxConcurrent: this.#maxConcurrent,
      retained: this.#retained,
      retention: this.#retention,
      tolerableFailures: this.#tolerableFailures,
    };
  }

  /** Unaligned checkpoints need exactly-once and one at a time, as in Flink. */
  #mode(): CheckpointMode {
    if (!this.#unaligned) return this.#guarantee === "at-least-once" ? "at-least-once" : "aligned";
    if (this.#guarantee === "at-least-once") {
      const wayOut = 'Use "exactly-once", or leave unaligned checkpoints out';
      throw new JobDefinitionError(WHERE, "unaligned checkpoints mean nothing to an at-least-once job, where no barrier waits", wayOut);
    }
    if (this.#maxConcurrent !== 1) {
      const reason = `unaligned checkpoints are taken one at a time, but ${this.#maxConcurrent} may be under way`;
      throw new JobDefinitionError(WHERE, reason, "Call setMaxConcurrentCheckpoints(1), or leave unaligned checkpoints out");
    }
    return this.#alignedTimeoutMs > 0 ? "aligned-timeout" : "unaligned";
  }
}
