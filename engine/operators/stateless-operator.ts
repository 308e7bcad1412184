import { invariant } from "../base/assert.ts";
import type { CheckpointId, TimestampMs } from "../base/units.ts";
import type { StreamOperator } from "./operator.ts";

/** The answers of an operator that has no state, no timers and no effects outside. */
export abstract class StatelessOperator implements StreamOperator {
  abstract processElement(value: unknown, timestampMs: TimestampMs): void;

  processElement2(_value: unknown, _timestampMs: TimestampMs): void {
    invariant(false, "an operator with one input gets nothing from a second one");
  }

  open(): void {}

  restoreExternal(done: (error: string | null) => void): void {
    done(null);
  }

  advanceWatermark(_watermarkMs: TimestampMs, _timerBudget: number): boolean {
    return true;
  }

  advanceProcessingTime(_nowMs: TimestampMs, _timerBudget: number): boolean {
    return true;
  }

  nextProcessingTimerMs(): TimestampMs | null {
    return null;
  }

  snapshotState(_checkpointId: CheckpointId): void {}

  prepareCommit(_checkpointId: CheckpointId, done: (error: string | null) => void): void {
    done(null);
  }

  notifyComplete(_checkpointId: CheckpointId, done: (error: string | null) => void): void {
    done(null);
  }

  notifyAborted(_checkpointId: CheckpointId): void {}

  endInput(): void {}

  close(): void {
    this.dispose();
  }

  dispose(): void {}
}
