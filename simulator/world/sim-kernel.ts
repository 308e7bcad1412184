import { invariant, present, unreachable } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import { ProcessDied, isProcessDied } from "../../engine/ports/process-ports.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import { ActiveWindows } from "../faults/active-windows.ts";
import { ArmedFaults } from "../faults/armed-faults.ts";
import type { Fault, FaultOutcome, InteractionFault, WindowFault } from "../faults/fault.ts";
import { isClientRequest, isInteractionFault } from "../faults/fault.ts";
import { Digest } from "../trace/digest.ts";
import { PORT_TRACE, TRACE_KINDS } from "../trace/kinds.ts";
import type { KernelOptions } from "./kernel-options.ts";
import { ComponentLatency, ELEMENT_US, STEP_US } from "./cost-model.ts";
import { EventQueue } from "./event-queue.ts";
import type { FaultActions } from "./fault-actions.ts";
import type { Concern, Kernel, Latency, SimHost } from "./kernel.ts";
import { RandomStreams } from "./random-streams.ts";
import type { Process } from "./sim-process.ts";
import type { TraceListener } from "./trace-listeners.ts";
import { TraceListeners } from "./trace-listeners.ts";

const TIE_BOUND = 1 << 20;

/** Sees every trace point (census, records for people). */
export type TraceRecorder = (process: Process | null, kind: number, subject: number, x: number, y: number) => void;

type LastingFault = Extract<WindowFault, { readonly durationUs: number }>;

/** An exception that a fault throws in user code. */
export class InjectedUserError extends Error {
  override readonly name = "InjectedUserError";
}

/** Time, queue, randomness, trace and faults of one World. */
export class SimKernel implements Kernel {
  nowUs: TimeUs;
  /** Number of the current step: 1 for the first. */
  stepNumber = 0;
  tracePoints = 0;
  healed = false;
  readonly digest: Digest = new Digest();
  readonly streams: RandomStreams;
  readonly windows: ActiveWindows;
  readonly counts: number[] = new Array<number>(TRACE_KINDS).fill(0);
  recorder: TraceRecorder | null = null;
  /** Bugs of the engine or of user code that ended a step. */
  crash: { readonly error: unknown; readonly step: number; readonly atUs: TimeUs } | null = null;
  readonly #options: KernelOptions;
  readonly #actions: FaultActions;
  readonly #queue = new EventQueue();
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #listeners = new TraceListeners();
  readonly #armed: ArmedFaults;
  readonly #outcomes: (FaultOutcome | null)[];
  readonly #countsOccurrences: boolean;
  readonly #ties: RandomStream;

  constructor(options: KernelOptions, actions: FaultActions) {
    this.#options = options;
    this.#actions = actions;
    this.nowUs = options.beginsAtUs ?? 0;
    this.streams = new RandomStreams(options.seed);
    this.#ties = this.streams.stream("ties");
    this.windows = new ActiveWindows(
      (label) => this.streams.stream(label),
      (subject) => this.nameOf(subject),
    );
    this.#armed = new ArmedFaults(options.plan, (name) => this.intern(name), (subject) => this.nameOf(subject));
    this.#outcomes = options.plan.map(() => null);
    this.#countsOccurrences = options.plan.some((fault) => "durationUs" in fault && fault.kind !== "process-pause");
    options.plan.forEach((fault, index) => {
      const { at } = fault;
      if (at.on === "time") this.#scheduleFault(at.atUs, () => this.#fire(index, fault, null, 0));
    });
    if (options.plan.length > 0) this.#scheduleFault(options.healAtUs, () => this.heal());
  }

  /* ---- time and events ---- */

  schedule(process: Process | null, delayUs: number, callback: () => void): number {
    return this.#push(process, delayUs, callback, false);
  }

  /** For the Scheduler port: running it is a trace point. */
  scheduleTimer(process: Process, delayUs: number, callback: () => void): number {
    return this.#push(process, delayUs, callback, true);
  }

  get isPaced(): boolean {
    return this.#options.elementUs > ELEMENT_US;
  }

  /** The thread is free again after so many elements of work, and what synchronous calls took. */
  resume(process: Process, workUnits: number, callback: () => void): void {
    const { spentUs } = process;
    process.spentUs = 0;
    this.#push(process, STEP_US + workUnits * this.#options.elementUs + spentUs, callback, true);
  }

  spend(process: Process, us: number): void {
    process.spentUs += us;
  }

  stall(process: Process, us: number): void {
    process.pausedUntilUs = Math.max(process.pausedUntilUs, this.#chaosUntil(us));
  }

  /** So long from now, but not beyond the end of chaos. */
  #chaosUntil(us: number): TimeUs {
    return Math.min(this.nowUs + us, Math.max(this.nowUs, this.#options.healAtUs));
  }

  cancel(handle: number): void {
    this.#queue.cancel(handle);
  }

  #push(process: Process | null, delayUs: number, callback: () => void, isTimer: boolean): number {
    invariant(delayUs >= 0, "nothing is scheduled in the past");
    const tie = this.#options.calm ? 0 : (process === null ? this.#ties : this.#tiesOf(process)).below(TIE_BOUND);
    return this.#queue.push(this.nowUs + Math.floor(delayUs), tie, process, callback, isTimer);
  }

  /** Each process has its own, so that an event more or less in one place shifts no other's order. */
  #tiesOf(process: Process): RandomStream {
    return (process.ties ??= this.streams.stream(`ties:${process.name}`));
  }

  /** What a plan does draws nothing: a fault more or less must not shift the ordinary draws. */
  #scheduleFault(delayUs: number, callback: () => void): void {
    this.#queue.push(this.nowUs + delayUs, -1, null, callback, false);
  }

  nextTimeUs(): TimeUs | null {
    return this.#queue.peekTimeUs();
  }

  /** Delivers one event and runs what it wakes to its end. False when there is nothing left. */
  step(): boolean {
    for (;;) {
      const callback = this.#queue.take();
      if (callback === null) return false;
      const process = this.#queue.process as Process | null;
      if (process !== null && !process.alive) continue;
      const timeUs = this.#queue.timeUs;
      if (process !== null && process.pausedUntilUs > timeUs) {
        this.#queue.postponeTaken(process.pausedUntilUs, callback);
        continue;
      }
      this.nowUs = timeUs;
      this.stepNumber += 1;
      this.#run(process, this.#queue.isTimer, callback);
      return true;
    }
  }

  #run(process: Process | null, isTimer: boolean, callback: () => void): void {
    try {
      if (isTimer && process !== null) this.point(process, PORT_TRACE.timerRan, process.subject, 0, 0);
      callback();
    } catch (error) {
      if (isProcessDied(error)) return;
      this.crash = { error, step: this.stepNumber, atUs: this.nowUs };
    }
  }

  reseed(seed: string): void {
    this.streams.reseed(seed);
  }

  /* ---- names and streams ---- */

  stream(label: string): RandomStream {
    return this.streams.stream(label);
  }

  intern(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.length;
      this.#names.push(name);
      this.#numbers.set(name, number);
    }
    return number;
  }

  nameOf(subject: number): string {
    return present(this.#names[subject], "a subject was interned");
  }

  /** By number, all that were interned by now. */
  names(): readonly string[] {
    return this.#names.slice();
  }

  /* ---- trace points ---- */

  on(kind: number, listener: TraceListener): void {
    this.#listeners.add(kind, listener);
  }

  enter(process: Process | null, kind: number, subject: number, x: number, y: number): InteractionFault | null {
    this.#emit(process, kind, subject, x, y);
    const armed = this.#armed.at(kind);
    let fault: InteractionFault | null = null;
    if (armed !== null) fault = this.#strike(armed, process, subject, x);
    if (this.#countsOccurrences) {
      this.windows.count(kind, subject, x);
      if (fault === null && this.windows.any) fault = this.windows.deviation(kind, subject, x, y, this.nowUs);
    }
    if (process !== null && !process.alive) throw new ProcessDied(process.name);
    return fault;
  }

  leave(process: Process | null): void {
    if (process === null) return;
    if (process.diesOnLeave && process.alive) this.#actions.crashProcess(process);
    if (!process.alive) throw new ProcessDied(process.name);
  }

  point(process: Process | null, kind: number, subject: number, x: number, y: number): void {
    this.#emit(process, kind, subject, x, y);
    const armed = this.#armed.at(kind);
    if (armed === null) return;
    this.#strike(armed, process, subject, x);
    this.leave(process);
  }

  #emit(process: Process | null, kind: number, subject: number, x: number, y: number): void {
    this.tracePoints += 1;
    this.counts[kind] = (this.counts[kind] as number) + 1;
    this.digest.foldPoint(this.nowUs, kind, subject, x, y);
    this.#listeners.tell(kind, process, subject, x, y);
    if (this.recorder !== null) this.recorder(process, kind, subject, x, y);
  }

  /* ---- faults ---- */

  #strike(
    armed: NonNullable<ReturnType<ArmedFaults["at"]>>,
    process: Process | null,
    subject: number,
    x: number,
  ): InteractionFault | null {
    let interaction: InteractionFault | null = null;
    for (const struck of this.#armed.strike(armed, subject, x)) {
      const result = this.#fire(struck.index, struck.fault, process, subject, struck.after);
      if (result !== null) interaction = result;
    }
    return interaction;
  }

  /** Carries a fault out, or says why not. Returns it where it changes the interaction at hand. */
  #fire(
    index: number,
    fault: Fault,
    process: Process | null,
    subject: number,
    after: boolean = false,
  ): InteractionFault | null {
    if (this.healed) return null;
    const refusal = this.#apply(fault, process, subject, after);
    const fired = refusal === null || typeof refusal !== "string";
    this.#outcomes[index] = {
      id: fault.id,
      kind: fault.kind,
      outcome: fired ? "fired" : "downgraded",
      atUs: this.nowUs,
      step: this.stepNumber,
      reason: fired ? null : (refusal as string),
    };
    if (fired) this.#emit(null, PORT_TRACE.faultFired, subject, index, 0);
    if (fault.kind === "user-exception" && fired) throw new InjectedUserError("injected by the fault plan");
    return typeof refusal === "string" ? null : refusal;
  }

  /** Null: carried out. A text: why it was not. A fault: the interaction at hand carries it out. */
  #apply(fault: Fault, process: Process | null, subject: number, after: boolean): string | InteractionFault | null {
    if (isInteractionFault(fault)) return fault;
    if (isClientRequest(fault)) {
      this.#actions.request(fault);
      return null;
    }
    switch (fault.kind) {
      case "process-crash": {
        const target = this.#targetOf(fault.process, process, subject);
        if (target === null || !target.alive) return "no such process lives at that moment";
        if (after && target === process) target.diesOnLeave = true;
        else this.#actions.crashProcess(target);
        return null;
      }
      case "process-pause": {
        const target = this.#targetOf(fault.process, process, subject);
        if (target === null || !target.alive) return "no such process lives at that moment";
        target.pausedUntilUs = this.#chaosUntil(fault.durationUs);
        this.#emit(target, PORT_TRACE.processPaused, target.subject, 0, 0);
        return null;
      }
      case "host-crash": {
        const host = this.#hostOf(fault.host, process, subject);
        if (host === null || !host.up) return "no such host is up at that moment";
        this.#actions.crashHost(host, fault.replace);
        return null;
      }
      case "disk-loss": {
        const host = this.#hostOf(fault.host, process, subject);
        if (host === null || !host.up) return "no such host is up at that moment";
        this.#actions.loseDisk(host);
        return null;
      }
      case "lease-loss":
        this.#actions.loseLease(fault.lease);
        return null;
      case "partition":
      case "rpc-chaos":
      case "network-slow":
      case "blob-outage":
      case "coordination-outage":
      case "log-outage":
      case "disk-full":
      case "disk-stall":
        return this.#openWindow(fault, process, subject);
      case "user-exception":
        return null;
      default:
        return unreachable(fault, "SimKernel.apply");
    }
  }

  /** The process that a fault names, or the one that runs at its event. */
  #targetOf(named: string | null, process: Process | null, subject: number): Process | null {
    return named === null ? (process ?? this.#actions.processOf(subject)) : this.#actions.processNamed(named);
  }

  #hostOf(named: string | null, process: Process | null, subject: number): SimHost | null {
    if (named !== null) return this.#actions.hostNamed(named);
    return (process ?? this.#actions.processOf(subject))?.host ?? null;
  }

  #openWindow(window: LastingFault, process: Process | null, subject: number): string | null {
    let fault = window;
    if (fault.kind === "disk-full" || fault.kind === "disk-stall") {
      const host = this.#hostOf(fault.host, process, subject);
      if (host === null) return "no such host exists at that moment";
      fault = { ...fault, host: host.name };
    }
    const endsUs = this.#chaosUntil(fault.durationUs);
    this.windows.open(fault, endsUs);
    if (fault.kind === "partition") {
      this.#emit(null, PORT_TRACE.partitionStarted, 0, 0, 0);
      this.#actions.partitionStarted();
    }
    this.#scheduleFault(endsUs - this.nowUs, () => this.windows.close(fault));
    return null;
  }

  /** The end of chaos: windows close, nothing that has not fired will. */
  heal(): void {
    if (this.healed) return;
    this.healed = true;
    this.windows.closeAll();
    this.#armed.disarmAll();
    this.#emit(null, PORT_TRACE.healed, 0, 0, 0);
  }

  faultOutcomes(): readonly FaultOutcome[] {
    return this.#options.plan.map((fault, index) => {
      const dud: FaultOutcome = { id: fault.id, kind: fault.kind, outcome: "dud", atUs: null, step: null, reason: null };
      return this.#outcomes[index] ?? dud;
    });
  }

  isCut(from: SimHost, to: SimHost): boolean {
    return this.windows.any && this.windows.isCut(from, to);
  }

  coordinationDown(): boolean {
    return this.windows.any && this.windows.coordinationDown;
  }

  /* ---- costs and bytes ---- */

  latency(concern: Concern, component: string): Latency {
    const drawn = !this.#options.calm && concern !== "loopback";
    const stream = drawn ? this.streams.stream(`latency:${concern}:${component}`) : null;
    return new ComponentLatency(concern, stream, this.windows);
  }

  foldBytes(bytes: Uint8Array): void {
    this.digest.foldBytes(bytes);
  }

  foldText(text: string): void {
    this.digest.foldText(text);
  }
}

