import type { Sink, SinkWriter } from "../api/sink.ts";

/** Takes everything and keeps nothing. */
export class DiscardingSink<T> implements Sink<T> {
  readonly name = "discard";
  readonly commits = false;

  createWriter(): SinkWriter<T> {
    return new DiscardingWriter();
  }
}

class DiscardingWriter implements SinkWriter<unknown> {
  restore(_committables: readonly unknown[], done: (error: string | null) => void): void {
    done(null);
  }
  write(): void {}
  prepareSnapshot(): readonly unknown[] {
    return [];
  }
  prepare(_checkpointId: number, done: (error: string | null) => void): void {
    done(null);
  }
  commit(_checkpointId: number, done: (error: string | null) => void): void {
    done(null);
  }
  close(): void {}
}
