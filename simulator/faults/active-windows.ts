import type { TimeUs } from "../../engine/base/units.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import { DISK_NAMINGS, DISK_OPENINGS, isDiskKind, PORT_TRACE, TRACE_KINDS, traceKindName } from "../trace/kinds.ts";
import type { SimHost } from "../world/kernel.ts";
import type { Fault, InteractionFault, Trigger } from "./fault.ts";

type Of<K extends Fault["kind"]> = Extract<Fault, { readonly kind: K }>;

interface Window<F extends Fault> {
  readonly fault: F;
  readonly endsUs: TimeUs;
  readonly stream: RandomStream;
}

const KINDS_COUNTED: ReadonlySet<number> = new Set<number>([
  PORT_TRACE.rpcSent,
  PORT_TRACE.rpcResponded,
  PORT_TRACE.blobPutIssued,
  PORT_TRACE.blobGetIssued,
  PORT_TRACE.blobDeleteIssued,
  PORT_TRACE.blobListed,
  PORT_TRACE.logIssued,
]);

/** The window faults that are on. What they do to one interaction is a named fault of its own. */
export class ActiveWindows {
  readonly #rpcChaos: Window<Of<"rpc-chaos">>[] = [];
  readonly #slow: Window<Of<"network-slow">>[] = [];
  readonly #blobOutages: Window<Of<"blob-outage">>[] = [];
  readonly #logOutages: Window<Of<"log-outage">>[] = [];
  readonly #partitions: Window<Of<"partition">>[] = [];
  readonly #coordinationOutages: Window<Of<"coordination-outage">>[] = [];
  readonly #fullDisks: Window<Of<"disk-full">>[] = [];
  readonly #stalledDisks: Window<Of<"disk-stall">>[] = [];
  readonly #streamOf: (label: string) => RandomStream;
  readonly #nameOf: (subject: number) => string;
  /** By kind, subject and x (from -1 on); only of kinds that are counted. */
  readonly #occurrences: (number[][] | null)[] = Array.from({ length: TRACE_KINDS }, (_, kind) =>
    KINDS_COUNTED.has(kind) || isDiskKind(kind) ? [] : null,
  );
  /** Every single deviation that a window caused, as the plan entry that would cause it alone. */
  readonly deviations: InteractionFault[] = [];
  any = false;

  constructor(streamOf: (label: string) => RandomStream, nameOf: (subject: number) => string) {
    this.#streamOf = streamOf;
    this.#nameOf = nameOf;
  }

  open(fault: Fault, endsUs: TimeUs): void {
    const stream = this.#streamOf(`window:${fault.id}`);
    this.any = true;
    if (fault.kind === "rpc-chaos") this.#rpcChaos.push({ fault, endsUs, stream });
    else if (fault.kind === "network-slow") this.#slow.push({ fault, endsUs, stream });
    else if (fault.kind === "blob-outage") this.#blobOutages.push({ fault, endsUs, stream });
    else if (fault.kind === "log-outage") this.#logOutages.push({ fault, endsUs, stream });
    else if (fault.kind === "partition") this.#partitions.push({ fault, endsUs, stream });
    else if (fault.kind === "disk-full") this.#fullDisks.push({ fault, endsUs, stream });
    else if (fault.kind === "disk-stall") this.#stalledDisks.push({ fault, endsUs, stream });
    else if (fault.kind === "coordination-outage") this.#coordinationOutages.push({ fault, endsUs, stream });
  }

  close(fault: Fault): void {
    for (const list of this.#lists()) {
      const index = list.findIndex((one) => one.fault === fault);
      if (index >= 0) list.splice(index, 1);
    }
    this.any = this.#lists().some((list) => list.length > 0);
  }

  closeAll(): void {
    for (const list of this.#lists()) list.length = 0;
    this.any = false;
  }

  isCut(from: SimHost, to: SimHost): boolean {
    for (const { fault } of this.#partitions) {
      if (fault.from.includes(from.name) && fault.to.includes(to.name)) return true;
      if (!fault.oneWay && fault.from.includes(to.name) && fault.to.includes(from.name)) return true;
    }
    return false;
  }

  get coordinationDown(): boolean {
    return this.#coordinationOutages.length > 0;
  }

  get extraNetworkUs(): number {
    let extra = 0;
    for (const { fault } of this.#slow) extra += fault.extraUs;
    return extra;
  }

  /** Counts an interaction, so that a deviation can be named by its occurrence. */
  count(kind: number, subject: number, x: number): void {
    const subjects = this.#occurrences[kind];
    if (subjects === null || subjects === undefined) return;
    const counts = (subjects[subject] ??= []);
    counts[x + 1] = (counts[x + 1] ?? 0) + 1;
  }

  /** What the open windows do to this interaction. */
  deviation(kind: number, subject: number, x: number, y: number, nowUs: TimeUs): InteractionFault | null {
    let fault: InteractionFault | null = null;
    if (kind === PORT_TRACE.rpcSent || kind === PORT_TRACE.rpcResponded) fault = this.#rpcDeviation(kind, subject, x);
    else if (kind >= PORT_TRACE.blobPutIssued && kind <= PORT_TRACE.blobListed) fault = this.#blobDeviation(kind, subject, x);
    else if (kind === PORT_TRACE.logIssued) fault = this.#logDeviation(kind, subject, x);
    else if (isDiskKind(kind)) fault = this.#diskDeviation(kind, subject, x, y, nowUs);
    if (fault !== null) this.deviations.push(fault);
    return fault;
  }

  #rpcDeviation(kind: number, subject: number, x: number): InteractionFault | null {
    for (const { fault, stream } of this.#rpcChaos) {
      const draw = stream.below(100);
      const at = this.#identity(kind, subject, x);
      const id = `${fault.id}/${this.deviations.length + 1}`;
      if (draw < fault.lossPercent) {
        return kind === PORT_TRACE.rpcSent ? { id, at, kind: "rpc-drop" } : { id, at, kind: "rpc-reply-drop" };
      }
      if (draw < fault.lossPercent + fault.duplicatePercent) {
        if (kind !== PORT_TRACE.rpcSent) return null;
        return { id, at, kind: "rpc-duplicate", delayUs: 1 + stream.below(fault.delayUs) };
      }
      if (draw < fault.lossPercent + fault.duplicatePercent + fault.delayPercent) {
        return { id, at, kind: "rpc-delay", delayUs: 1 + stream.below(fault.delayUs) };
      }
    }
    return null;
  }

  #blobDeviation(kind: number, subject: number, x: number): InteractionFault | null {
    if (kind !== PORT_TRACE.blobPutIssued && kind !== PORT_TRACE.blobGetIssued && kind !== PORT_TRACE.blobDeleteIssued && kind !== PORT_TRACE.blobListed) {
      return null;
    }
    for (const { fault, stream } of this.#blobOutages) {
      if (stream.below(100) >= fault.errorPercent) continue;
      const id = `${fault.id}/${this.deviations.length + 1}`;
      const code = stream.below(2) === 0 ? "unavailable" : "unknown";
      return { id, at: this.#identity(kind, subject, x), kind: "blob-error", code };
    }
    return null;
  }

  #logDeviation(kind: number, subject: number, x: number): InteractionFault | null {
    for (const { fault, stream } of this.#logOutages) {
      if (stream.below(100) >= fault.errorPercent) continue;
      const id = `${fault.id}/${this.deviations.length + 1}`;
      const code = stream.below(2) === 0 ? "unavailable" : "unknown";
      return { id, at: this.#identity(kind, subject, x), kind: "log-error", code };
    }
    return null;
  }

  #diskDeviation(kind: number, subject: number, x: number, y: number, nowUs: TimeUs): InteractionFault | null {
    const isOn = (host: string | null): boolean => this.#nameOf(subject).startsWith(`${host ?? ""}:`);
    for (const { fault, endsUs } of this.#stalledDisks) {
      if (kind === PORT_TRACE.diskClosed || endsUs <= nowUs || !isOn(fault.host)) continue;
      const id = `${fault.id}/${this.deviations.length + 1}`;
      return { id, at: this.#identity(kind, subject, x), kind: "disk-slow", delayUs: endsUs - nowUs };
    }
    for (const { fault, stream } of this.#fullDisks) {
      if (!takesSpace(kind, y) || !isOn(fault.host)) continue;
      const id = `${fault.id}/${this.deviations.length + 1}`;
      const partBytes = kind === PORT_TRACE.diskWritten && stream.below(4) === 0 ? stream.below(y + 1) : 0;
      return { id, at: this.#identity(kind, subject, x), kind: "disk-error", code: "ENOSPC", partBytes };
    }
    return null;
  }

  #identity(kind: number, subject: number, x: number): Trigger {
    const nth = this.#occurrences[kind]?.[subject]?.[x + 1] ?? 1;
    return { on: "event", event: traceKindName(kind) ?? "", subject: this.#nameOf(subject), x, nth, when: "before" };
  }

  #lists(): Window<Fault>[][] {
    return [
      this.#rpcChaos as Window<Fault>[],
      this.#slow as Window<Fault>[],
      this.#blobOutages as Window<Fault>[],
      this.#logOutages as Window<Fault>[],
      this.#partitions as Window<Fault>[],
      this.#coordinationOutages as Window<Fault>[],
      this.#fullDisks as Window<Fault>[],
      this.#stalledDisks as Window<Fault>[],
    ];
  }
}

/** Whether a disk call with this y fails on a full disk: bytes or a name come to be. */
function takesSpace(kind: number, y: number): boolean {
  if (kind === PORT_TRACE.diskOpened) return y === DISK_OPENINGS.create;
  if (kind === PORT_TRACE.diskNamed) return y === DISK_NAMINGS.makeDirectory || y === DISK_NAMINGS.link;
  return kind === PORT_TRACE.diskWritten;
}
