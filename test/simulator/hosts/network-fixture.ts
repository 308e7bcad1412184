import type { Frame, Message } from "#whitewater/engine/ports/network.js";
import { SimNetwork } from "#whitewater/simulator/hosts/sim-network.js";
import type { NetworkObserver } from "#whitewater/simulator/hosts/service-observers.js";
import type { FakeProcess } from "./fake-kernel.ts";
import { FakeKernel } from "./fake-kernel.ts";

export interface Text extends Message {
  readonly text: string;
}

export interface Numbered extends Frame {
  readonly number: number;
}

export const text = (words: string): Text => ({ kind: words, subject: 0, checkpointId: -1, text: words });
export const frame = (number: number): Numbered => ({ number, recordCount: 1, checkpointId: -1 });

/** Two processes on two hosts, and whatever a test adds. */
export class NetworkFixture {
  readonly kernel: FakeKernel = new FakeKernel();
  readonly living: Map<string, FakeProcess> = new Map();
  readonly network: SimNetwork<Text, Numbered>;
  readonly a: FakeProcess;
  readonly b: FakeProcess;
  /** What one end of a connection got: frame numbers, and "broken". */
  readonly atA: (number | string)[] = [];
  readonly atB: (number | string)[] = [];

  constructor(observers: readonly NetworkObserver<Text, Numbered>[] = []) {
    this.network = new SimNetwork(this.kernel, (address) => this.living.get(address) ?? null, observers);
    this.kernel.deaths.push((process) => {
      if (this.living.get(process.name) === process) this.living.delete(process.name);
      this.network.processDied(process);
    });
    this.a = this.start("a");
    this.b = this.start("b");
  }

  start(name: string, incarnation = 1): FakeProcess {
    const process = this.kernel.process(name, incarnation);
    this.living.set(name, process);
    return process;
  }

  portOf(process: FakeProcess): ReturnType<SimNetwork<Text, Numbered>["portFor"]> {
    return this.network.portFor(process);
  }

  handlers(log: (number | string)[]): { onFrame(frame: Numbered): void; onBroken(): void } {
    return { onFrame: (each) => void log.push(each.number), onBroken: () => void log.push("broken") };
  }

  /** Connects a to b; both sides write down what they get. */
  connect(): { a: Connected; b: () => Connected } {
    let accepted: Connected | null = null;
    this.portOf(this.b).listen((_from, _hello, connection) => {
      accepted = connection;
      return this.handlers(this.atB);
    });
    const a = this.portOf(this.a).connect("b", text("hello"), this.handlers(this.atA));
    return {
      a,
      b: () => {
        if (accepted === null) throw new Error("not accepted yet");
        return accepted;
      },
    };
  }
}

type Connected = ReturnType<ReturnType<SimNetwork<Text, Numbered>["portFor"]>["connect"]>;
