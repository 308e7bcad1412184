import type { LogRecord } from "#whitewater/engine/ports/external-log.js";
import type { ProcessPorts } from "#whitewater/engine/ports/process-ports.js";
import { FakeLog } from "../connectors/fake-log.ts";

export interface TracePoint {
  readonly kind: number;
  readonly x: number;
  readonly y: number;
}

interface Scheduled {
  readonly handle: number;
  readonly atUs: number;
  readonly callback: () => void;
}

/** One process with a clock that a test moves by hand, an external log, and a list of its trace points. */
export class FakeProcess {
  nowUs = 0;
  readonly trace: TracePoint[] = [];
  readonly log: FakeLog;
  readonly ports: ProcessPorts;
  #scheduled: Scheduled[] = [];
  #handles = 0;

  constructor(topics: Readonly<Record<string, readonly (readonly LogRecord[])[]>> = {}, log: FakeLog | null = null) {
    this.log = log ?? new FakeLog(topics);
    const after = (delayUs: number, callback: () => void): number => {
      this.#handles += 1;
      this.#scheduled.push({ handle: this.#handles, atUs: this.nowUs + delayUs, callback });
      return this.#handles;
    };
    const ports: Partial<ProcessPorts> = {
      self: "worker-1",
      incarnation: 1,
      clock: { nowUs: () => this.nowUs, processingTimeMs: () => Math.floor(this.nowUs / 1000) },
      scheduler: {
        after,
        cancel: (handle) => {
          this.#scheduled = this.#scheduled.filter((one) => one.handle !== handle);
        },
        isPaced: false,
        resume: (_units, callback) => void after(0, callback),
      },
      log: this.log.portFor(after),
      rng: { stream: () => ({ below: () => 0 }) },
      tracer: { intern: () => 1, point: (kind, _subject, x, y) => void this.trace.push({ kind, x, y }) },
    };
    this.ports = ports as ProcessPorts;
  }

  /** Lets time pass and runs what falls due, in order. */
  advance(us: number): void {
    const untilUs = this.nowUs + us;
    for (;;) {
      const next = this.#scheduled
        .filter((one) => one.atUs <= untilUs)
        .toSorted((a, b) => a.atUs - b.atUs || a.handle - b.handle)[0];
      if (next === undefined) break;
      this.#scheduled = this.#scheduled.filter((one) => one !== next);
      this.nowUs = next.atUs;
      next.callback();
    }
    this.nowUs = untilUs;
  }

  get waiting(): number {
    return this.#scheduled.length;
  }

  points(kind: number): readonly TracePoint[] {
    return this.trace.filter((point) => point.kind === kind);
  }
}
