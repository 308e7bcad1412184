import { counted, grouped } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { SweepObserver } from "../sweep/sweep.ts";
import type { Host } from "./host.ts";

const REDRAW_MS = 100;
const ERASE_LINE = "\r\u001b[K";

/** Shows how far a sweep is, on standard error: one changing line on a terminal, else a line a scenario. */
export class Progress implements SweepObserver {
  interrupted = false;
  readonly #host: Host;
  /** Seeds of each scenario; null where time decides. */
  readonly #seeds: bigint | null;
  readonly #live: boolean;
  readonly #startMs: number = Date.now();
  #drawnMs = 0;
  #runs = 0;

  constructor(host: Host, seeds: bigint | null) {
    const { CI, TERM } = host.env;
    this.#host = host;
    this.#seeds = seeds;
    this.#live = host.stderr.isTerminal && (CI === undefined || CI === "" || CI === "false") && TERM !== "dumb";
  }

  isInterrupted(): boolean {
    return this.interrupted;
  }

  onProgress(scenario: string, runs: number, failures: number): void {
    const now = Date.now();
    if (!this.#live || now - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = now;
    const of = this.#seeds === null ? "" : ` of ${grouped(Number(this.#seeds))}`;
    const rate = Math.round(((this.#runs + runs) * 1000) / Math.max(1, now - this.#startMs));
    this.#host.stderr.write(
      `${ERASE_LINE}${visible(scenario)}  ${grouped(runs)}${of} runs  ${grouped(failures)} failing  ${grouped(rate)} runs/s`,
    );
  }

  onScenarioEnd(scenario: string, runs: number, failures: number): void {
    this.#runs += runs;
    if (this.#live) return;
    this.#host.stderr.write(`${visible(scenario)}: ${counted(runs, "run")}, ${grouped(failures)} failing so far\n`);
  }

  /** Clears the line and says how long it took. */
  end(): void {
    const tookSeconds = (Date.now() - this.#startMs) / 1000;
    const rate = Math.round(this.#runs / Math.max(0.001, tookSeconds));
    const line = `${counted(this.#runs, "run")} in ${tookSeconds.toFixed(1)} s (${grouped(rate)} runs/s)\n`;
    this.#host.stderr.write(this.#live ? ERASE_LINE + line : line);
  }
}
