import type { SourceBatch, SourceReader } from "../api/source.ts";
import type { WatermarkGenerator } from "../api/watermark-strategy.ts";
import { InvariantError, invariant, present } from "../base/assert.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import { MIN_WATERMARK, NO_TIMESTAMP, US_PER_MS } from "../base/units.ts";
import type { SourceNode } from "../graph/stream-graph.ts";
import type { LogRecord } from "../ports/external-log.ts";
import { PartitionWatermarks } from "../stream/watermark-generators.ts";
import type { OperatorContext, SourceOperator } from "./operator.ts";
import { StatelessOperator } from "./stateless-operator.ts";

/** Name of the list state that holds, for each partition, the offset of the first record not emitted. */
export const OFFSETS_STATE = "offsets";

/** An element of that state. */
export interface PartitionOffset {
  readonly partition: number;
  readonly offset: number;
}

/**
 * Reads the partitions of its subtask and makes their watermark: those with p % parallelism = subtask where the
 * source begins, those whose offsets it got where it is restored (Flink: the splits in a reader's state).
 */
export class PartitionedSourceOperator extends StatelessOperator implements SourceOperator {
  onAvailable: () => void = () => undefined;
  readonly #node: SourceNode;
  readonly #context: OperatorContext;
  readonly #partitions: number[] = [];
  /** By position in `#partitions`. */
  readonly #offsets: number[] = [];
  #reader: SourceReader | null = null;
  #watermarks: PartitionWatermarks | null = null;

  constructor(node: SourceNode, context: OperatorContext) {
    super();
    this.#node = node;
    this.#context = context;
  }

  override open(): void {
    const { ports, subtaskIndex, parallelism, subject } = this.#context;
    this.#reader = this.#node.source.createReader({
      ports,
      subtaskIndex,
      subject,
      onAvailable: () => this.onAvailable(),
      onError: (message) => this.#context.fail(message),
    });
    if (this.#context.restoredCheckpointId === null) {
      const count = this.#node.source.partitionCount(ports);
      for (let partition = subtaskIndex; partition < count; partition += parallelism) this.#add({ partition, offset: 0 });
    } else {
      for (const offset of this.#context.lists.get(OFFSETS_STATE) as readonly PartitionOffset[]) this.#add(offset);
    }
    this.#watermarks = new PartitionWatermarks(this.#node.watermarks, this.#partitions, this.#nowMs());
    this.#partitions.forEach((partition, slot) => this.#reader?.start(partition, this.#offsets[slot] as number));
  }

  override processElement(): void {
    invariant(false, "a source has no input");
  }

  emitNext(limit: number): "more" | "nothing" | "ended" {
    const reader = present(this.#reader, "a source is open before it emits");
    let left = limit;
    while (left > 0) {
      const batch = reader.poll(left);
      if (batch === null) return reader.ended() ? "ended" : "nothing";
      invariant(batch.records.length <= left, "a reader gives no more than asked for");
      this.#emit(batch);
      left -= batch.records.length;
    }
    return "more";
  }

  watermarkMs(): TimestampMs {
    return this.#watermarks === null ? MIN_WATERMARK : this.#watermarks.watermarkMs(this.#nowMs());
  }

  hasPartitions(): boolean {
    return this.#partitions.length > 0;
  }

  isIdle(): boolean {
    return present(this.#watermarks, "a source is open before it is asked").isIdle(this.#nowMs());
  }

  override snapshotState(_checkpointId: CheckpointId): void {
    const offsets = this.#partitions.map((partition, slot): PartitionOffset => {
      return { partition, offset: this.#offsets[slot] as number };
    });
    this.#context.lists.update(OFFSETS_STATE, offsets);
  }

  override dispose(): void {
    this.#reader?.close();
  }

  /** For inspection: where it stands now, partition by partition. */
  inspectOffsets(): readonly PartitionOffset[] {
    return this.#partitions.map((partition, slot) => ({ partition, offset: this.#offsets[slot] as number }));
  }

  #emit(batch: SourceBatch): void {
    const { partition, records } = batch;
    const slot = this.#partitions.indexOf(partition);
    invariant(slot >= 0 && this.#offsets[slot] === batch.offset, "a batch continues a partition of this subtask");
    const watermarks = present(this.#watermarks, "a source is open before it emits");
    if (records.length > 0) this.#emitRecords(records, watermarks.recordsFrom(partition, this.#nowMs()));
    this.#offsets[slot] = batch.offset + records.length;
    if (batch.ended) watermarks.onEnded(partition);
  }

  #emitRecords(records: readonly LogRecord[], watermarks: WatermarkGenerator): void {
    const { timestampOf } = this.#node.watermarks;
    const { output } = this.#context;
    for (let index = 0; index < records.length; index++) {
      const record = records[index] as LogRecord;
      let timestampMs = record.timestampMs;
      if (timestampMs === NO_TIMESTAMP) timestampMs = this.#node.source.defaultTimestampMs ?? NO_TIMESTAMP;
      if (timestampOf !== null) {
        timestampMs = timestampOf(record.value, timestampMs);
        if (!Number.isSafeInteger(timestampMs)) this.#refuseTimestamp(timestampMs);
      }
      watermarks.onEvent(timestampMs);
      output.collect(record.value, timestampMs);
    }
  }

  #add({ partition, offset }: PartitionOffset): void {
    invariant(!this.#partitions.includes(partition), `${this.#context.name} reads each of its partitions once`);
    this.#partitions.push(partition);
    this.#offsets.push(offset);
  }

  /** For idleness only, so the clock that never jumps. */
  #nowMs(): number {
    return Math.floor(this.#context.ports.clock.nowUs() / US_PER_MS);
  }

  #refuseTimestamp(timestampMs: unknown): never {
    throw new InvariantError(
      `source "${this.#context.name}": the timestamp assigner gave ${String(timestampMs)}, not whole milliseconds`,
    );
  }
}
