import { ProcessDied } from "#whitewater/engine/ports/process-ports.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import type { Kernel, Latency, SimHost, SimProcess } from "#whitewater/simulator/world/kernel.js";

const NO_LATENCY: Latency = { us: () => 0 };

/** A process on the simulated disk that dies at a port call chosen beforehand. */
export class DyingProcess implements SimProcess {
  readonly name: string = "worker";
  readonly subject: number = 0;
  readonly host: SimHost;
  readonly incarnation: number;
  alive = true;
  #callsLeft: number;

  constructor(host: SimHost, incarnation: number, calls: number) {
    this.host = host;
    this.incarnation = incarnation;
    this.#callsLeft = calls;
  }

  /** At each port call, and wherever else the process may die. */
  countDown(): void {
    this.#callsLeft -= 1;
    if (this.#callsLeft > 0) return;
    this.alive = false;
    throw new ProcessDied("its time has come");
  }
}

/** As much of a World as the simulated disk asks for: no time, no faults but death. */
export class DyingKernel implements Kernel {
  readonly nowUs: number = 0;
  readonly #random: RandomStream;

  constructor(random: RandomStream) {
    this.#random = random;
  }

  stream(): RandomStream {
    return this.#random;
  }

  intern(): number {
    return 0;
  }

  nameOf(): string {
    return "";
  }

  schedule(): number {
    return 0;
  }

  cancel(): void {}

  enter(process: SimProcess | null): null {
    if (process instanceof DyingProcess) process.countDown();
    return null;
  }

  leave(process: SimProcess | null): void {
    if (process instanceof DyingProcess) process.countDown();
  }

  point(process: SimProcess | null): void {
    if (process instanceof DyingProcess) process.countDown();
  }

  latency(): Latency {
    return NO_LATENCY;
  }

  spend(): void {}

  stall(): void {}

  isCut(): boolean {
    return false;
  }

  coordinationDown(): boolean {
    return false;
  }

  foldBytes(): void {}

  foldText(): void {}
}
