import { ProcessDied } from "#whitewater/engine/ports/process-ports.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import type { InteractionFault } from "#whitewater/simulator/faults/fault.js";
import type { Concern, Kernel, Latency, SimHost, SimProcess } from "#whitewater/simulator/world/kernel.js";

type Unbound<T> = T extends unknown ? Omit<T, "id" | "at"> : never;
/** A fault without the trigger: tests arm it at a trace kind. */
export type ArmedFault = Unbound<InteractionFault>;

export interface FakeHost extends SimHost {
  up: boolean;
}

export interface FakeProcess extends SimProcess {
  readonly host: FakeHost;
  alive: boolean;
  paused: boolean;
}

export interface Point {
  readonly kind: number;
  readonly subject: number;
  readonly x: number;
  readonly y: number;
}

interface Event {
  readonly atUs: number;
  readonly tie: number;
  readonly process: SimProcess | null;
  readonly callback: () => void;
}

/** A kernel small enough to be trusted: time order, ties by `tieOf`, faults only where a test armed one. */
export class FakeKernel implements Kernel {
  nowUs = 0;
  /** Latency of every interaction without a latency fault. */
  latencyOf: (concern: Concern, component: string) => number = () => 1000;
  /** Orders events that are due at the same time. */
  tieOf: (sequence: number) => number = (sequence) => sequence;
  down = false;
  readonly points: Point[] = [];
  readonly folded: (string | number[])[] = [];
  readonly components: Set<string> = new Set();
  readonly deaths: ((process: FakeProcess) => void)[] = [];
  readonly #names: string[] = [];
  readonly #cuts: Set<string> = new Set();
  readonly #faults: { kind: number; nth: number; fault: ArmedFault }[] = [];
  readonly #crashes: { kind: number; nth: number; when: "before" | "after"; process: FakeProcess }[] = [];
  readonly #events: Map<number, Event> = new Map();
  readonly #draws: Map<string, RandomStream> = new Map();
  #crashAfter: FakeProcess | null = null;
  #sequence = 0;

  process(name: string, incarnation = 1, host: FakeHost = { name: `${name}-host`, up: true }): FakeProcess {
    return { name, incarnation, host, subject: this.intern(name), alive: true, paused: false };
  }

  /** The nth point of this kind from now on meets this fault. */
  arm(kind: number, fault: ArmedFault, nth = 1): void {
    this.#faults.push({ kind, nth, fault });
  }

  crashAt(kind: number, when: "before" | "after", process: FakeProcess, nth = 1): void {
    this.#crashes.push({ kind, nth, when, process });
  }

  crash(process: FakeProcess): void {
    process.alive = false;
    for (const died of this.deaths) died(process);
  }

  cut(from: SimHost, to: SimHost): void {
    this.#cuts.add(`${from.name}>${to.name}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  count(kind: number): number {
    return this.points.filter((point) => point.kind === kind).length;
  }

  get pendingEvents(): number {
    return this.#events.size;
  }

  /** Runs everything due until `untilUs`, or until nothing is left. */
  run(untilUs: number = Number.MAX_SAFE_INTEGER): void {
    for (;;) {
      const next = this.#next(untilUs);
      if (next === null) break;
      const [handle, event] = next;
      this.#events.delete(handle);
      this.nowUs = Math.max(this.nowUs, event.atUs);
      if (isDead(event.process)) continue;
      this.inStep(event.callback);
    }
    if (untilUs !== Number.MAX_SAFE_INTEGER) this.nowUs = Math.max(this.nowUs, untilUs);
  }

  /** Runs `callback` as a step: the death of the process ends it quietly. */
  inStep(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error;
    }
  }

  stream(label: string): RandomStream {
    return this.#draws.get(label) ?? { below: () => 0 };
  }

  /** The draws that the stream of a label gives, in this order; 0 after them. */
  draws(label: string, ...values: number[]): void {
    this.#draws.set(label, { below: () => values.shift() ?? 0 });
  }

  intern(name: string): number {
    const known = this.#names.indexOf(name);
    return known >= 0 ? known : this.#names.push(name) - 1;
  }

  nameOf(subject: number): string {
    return this.#names[subject] ?? "";
  }

  schedule(process: SimProcess | null, delayUs: number, callback: () => void): number {
    if (!(delayUs >= 0)) throw new Error(`cannot schedule after ${delayUs}`);
    this.#sequence += 1;
    const tie = this.tieOf(this.#sequence);
    this.#events.set(this.#sequence, { atUs: this.nowUs + delayUs, tie, process, callback });
    return this.#sequence;
  }

  cancel(handle: number): void {
    this.#events.delete(handle);
  }

  enter(process: SimProcess | null, kind: number, subject: number, x: number, y: number): InteractionFault | null {
    if (isDead(process)) throw new ProcessDied("dead already");
    this.points.push({ kind, subject, x, y });
    const crash = struck(this.#crashes, kind);
    if (crash !== null && crash.when === "before") this.crash(crash.process);
    if (crash !== null && crash.when === "after") this.#crashAfter = crash.process;
    if (isDead(process)) throw new ProcessDied("crashed before");
    const armed = struck(this.#faults, kind);
    if (armed === null) return null;
    const at = { on: "time", atUs: this.nowUs } as const;
    return { id: "f1", at, ...armed.fault } as InteractionFault;
  }

  leave(process: SimProcess | null): void {
    const crashing = this.#crashAfter;
    this.#crashAfter = null;
    if (crashing !== null) this.crash(crashing);
    if (isDead(process)) throw new ProcessDied("crashed after");
  }

  point(process: SimProcess | null, kind: number, subject: number, x: number, y: number): void {
    this.enter(process, kind, subject, x, y);
    this.leave(process);
  }

  latency(concern: Concern, component: string): Latency {
    return {
      us: (_bytes, fault) => {
        this.components.add(`${concern}:${component}`);
        return fault !== null && fault.kind === "latency" ? fault.latencyUs : this.latencyOf(concern, component);
      },
    };
  }

  /** What synchronous calls took, by process. */
  readonly spentUs: Map<string, number> = new Map();
  readonly stalls: { readonly process: string; readonly us: number }[] = [];

  spend(process: SimProcess, us: number): void {
    this.spentUs.set(process.name, (this.spentUs.get(process.name) ?? 0) + us);
  }

  stall(process: SimProcess, us: number): void {
    this.stalls.push({ process: process.name, us });
  }

  isCut(from: SimHost, to: SimHost): boolean {
    return this.#cuts.has(`${from.name}>${to.name}`);
  }

  coordinationDown(): boolean {
    return this.down;
  }

  foldBytes(bytes: Uint8Array): void {
    this.folded.push(Array.from(bytes));
  }

  foldText(text: string): void {
    this.folded.push(text);
  }

  #next(untilUs: number): [number, Event] | null {
    let best: [number, Event] | null = null;
    for (const [handle, event] of this.#events) {
      if (event.atUs > untilUs) continue;
      const process = event.process as FakeProcess | null;
      if (process !== null && process.alive && process.paused) continue;
      const sooner = best === null || event.atUs < best[1].atUs;
      if (sooner || (best !== null && event.atUs === best[1].atUs && event.tie < best[1].tie)) best = [handle, event];
    }
    return best;
  }
}

function isDead(process: SimProcess | null): boolean {
  return process !== null && !process.alive;
}

/** The first of these that counts down to nothing at this kind, taken out of the list. */
function struck<T extends { kind: number; nth: number }>(armed: T[], kind: number): T | null {
  for (const each of armed) {
    if (each.kind !== kind) continue;
    each.nth -= 1;
    if (each.nth > 0) continue;
    armed.splice(armed.indexOf(each), 1);
    return each;
  }
  return null;
}

/** Text as bytes and back. */
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
