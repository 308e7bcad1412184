import type { Disk } from "#whitewater/engine/ports/disk.js";
import { ProcessDied } from "#whitewater/engine/ports/process-ports.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import { SimulatedDisk } from "#whitewater/simulator/hosts/simulated-disk.js";
import { Digest } from "#whitewater/simulator/trace/digest.js";
import type { Kernel, SimHost } from "#whitewater/simulator/world/kernel.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import { FakeKernel, type FakeProcess } from "./fake-kernel.ts";

export type MakeDisk = (kernel: Kernel, host: SimHost) => SimulatedDisk;

/** Every disk the simulator offers, in each of its profiles. */
export const DISKS: readonly (readonly [string, MakeDisk])[] = [
  ["adversarial", (kernel, host) => new SimulatedDisk(kernel, host, "adversarial")],
  ["ordered", (kernel, host) => new SimulatedDisk(kernel, host, "ordered")],
];

/** A host whose nth disk call from now on is the last of the process; its disk meets the faults that `kernel` was armed with. */
export class Machine {
  readonly kernel: FakeKernel = new FakeKernel();
  readonly disk: SimulatedDisk;
  readonly random: RandomStream;
  readonly #host: FakeProcess["host"];
  #process: FakeProcess;
  #incarnation = 1;
  #callsLeft = Number.MAX_SAFE_INTEGER;
  #countedKind: number | null = null;
  #diesAfterCall = false;
  calls = 0;
  /** Calls that met a fault. */
  struck = 0;
  /** Of all calls and of what was written. */
  readonly digest: Digest = new Digest();

  constructor(make: MakeDisk, seed: number | string) {
    const streams = new RandomStreams(String(seed));
    this.random = streams.stream("control");
    const { kernel } = this;
    kernel.stream = (label): RandomStream => streams.stream(label);
    kernel.foldBytes = (bytes): void => this.digest.foldBytes(bytes);
    kernel.foldText = (text): void => this.digest.foldText(text);
    const enter = kernel.enter.bind(kernel);
    kernel.enter = (process, kind, ...point) => {
      this.calls += 1;
      this.digest.foldPoint(this.calls, kind, ...point);
      if (this.#countedKind === null || this.#countedKind === kind) this.#callsLeft -= 1;
      if (this.#callsLeft === 0) this.#strike();
      const fault = enter(process, kind, ...point);
      if (fault !== null) this.struck += 1;
      return fault;
    };
    const leave = kernel.leave.bind(kernel);
    kernel.leave = (process) => {
      if (this.#diesAfterCall) kernel.crash(this.#process);
      leave(process);
    };
    this.#process = kernel.process("database");
    this.#host = this.#process.host;
    this.disk = make(kernel, this.#host);
  }

  /** The port of the process that runs now. */
  port(): Disk {
    return this.disk.portFor(this.#process);
  }

  /** `kind`: only trace points of this kind count; null: all do. */
  dieAtCall(n: number, kind: number | null = null): void {
    this.#callsLeft = n;
    this.#countedKind = kind;
  }

  /** Half of all deaths strike after the call has taken effect. */
  #strike(): void {
    this.#callsLeft = Number.MAX_SAFE_INTEGER;
    if (this.random.below(2) === 1) this.#diesAfterCall = true;
    else this.kernel.crash(this.#process);
  }

  powerLoss(): void {
    this.kernel.crash(this.#process);
    this.disk.powerLoss();
    this.restart();
  }

  /** The process is another one from now on; the disk stays as it is. */
  restart(): void {
    this.kernel.crash(this.#process);
    this.#incarnation += 1;
    this.#callsLeft = Number.MAX_SAFE_INTEGER;
    this.#diesAfterCall = false;
    this.#process = this.kernel.process("database", this.#incarnation, this.#host);
  }
}

/** Runs it; true if the process died in it. */
export function died(run: () => void): boolean {
  try {
    run();
  } catch (error) {
    if (error instanceof ProcessDied) return true;
    throw error;
  }
  return false;
}
