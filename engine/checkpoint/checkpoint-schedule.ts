import type { TimeUs } from "../base/units.ts";
import { US_PER_MS } from "../base/units.ts";
import type { CheckpointConfig } from "../graph/stream-graph.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { TimerHandle } from "../ports/scheduler.ts";

/**
 * Asks for a checkpoint every interval (never sooner than the minimum pause). The first one is due after a random
 * part of the interval, so that jobs that start together do not all write at once.
 */
export class CheckpointSchedule {
  readonly #ports: ProcessPorts;
  readonly #config: CheckpointConfig;
  readonly #request: () => void;
  #timer: TimerHandle | null = null;

  constructor(ports: ProcessPorts, config: CheckpointConfig, request: () => void) {
    this.#ports = ports;
    this.#config = config;
    this.#request = request;
  }

  start(): void {
    const { intervalMs, minPauseMs } = this.#config;
    const spanMs = Math.max(1, intervalMs - minPauseMs + 1);
    this.#arm((minPauseMs + this.#ports.rng.stream("checkpoint-first-delay").below(spanMs)) * US_PER_MS);
  }

  /** Begins anew: the next request comes after `delayUs`, and the interval counts from there. */
  restartIn(delayUs: TimeUs): void {
    if (this.#timer !== null) this.#arm(delayUs);
  }

  stop(): void {
    if (this.#timer !== null) this.#ports.scheduler.cancel(this.#timer);
    this.#timer = null;
  }

  #arm(delayUs: TimeUs): void {
    this.stop();
    const { intervalMs, minPauseMs } = this.#config;
    this.#timer = this.#ports.scheduler.after(delayUs, () => {
      this.#timer = null;
      this.#arm(Math.max(intervalMs, minPauseMs) * US_PER_MS);
      this.#request();
    });
  }
}
