import { invariant } from "../../engine/base/assert.ts";
import { isDiskKind, TRACE_KINDS, traceKindOf } from "../trace/kinds.ts";
import type { Fault, FaultPlan, Trigger } from "./fault.ts";
import { ANY_JOB_MANAGER } from "./fault.ts";

/** A fault that waits for its event. */
export interface ArmedFault {
  readonly index: number;
  readonly fault: Fault;
  readonly subject: number;
  /** With what the subjects begin, when the trigger names no more: a disk's host, or any JobManager. */
  readonly subjectsFrom: string | null;
  readonly x: number | null;
  readonly nth: number;
  readonly after: boolean;
  seen: number;
}

export type EventTrigger = Extract<Trigger, { readonly on: "event" }>;

/** The event-triggered faults of a plan, by trace kind, so that a point without faults costs one look. */
export class ArmedFaults {
  readonly #byKind: (ArmedFault[] | null)[] = new Array<ArmedFault[] | null>(TRACE_KINDS).fill(null);

  readonly #nameOf: (subject: number) => string;

  constructor(plan: FaultPlan, intern: (name: string) => number, nameOf: (subject: number) => string) {
    this.#nameOf = nameOf;
    plan.forEach((fault, index) => {
      if (fault.at.on !== "event") return;
      const kind = traceKindOf(fault.at.event);
      invariant(kind !== null, "a plan that was checked names known events");
      const { subject, x, nth, when } = fault.at;
      const subjectsFrom = prefixOf(kind, subject);
      const after = when === "after";
      const armed: ArmedFault = { index, fault, subject: intern(subject), subjectsFrom, x, nth, after, seen: 0 };
      const list = this.#byKind[kind] ?? [];
      list.push(armed);
      this.#byKind[kind] = list;
    });
  }

  at(kind: number): readonly ArmedFault[] | null {
    return this.#byKind[kind] as ArmedFault[] | null;
  }

  /** The faults that strike at this point; counts it for all that wait for it. */
  strike(list: readonly ArmedFault[], subject: number, x: number): readonly ArmedFault[] {
    let struck: ArmedFault[] | null = null;
    for (const armed of list) {
      if ((armed.x !== null && armed.x !== x) || !this.#isAt(armed, subject)) continue;
      armed.seen += 1;
      if (armed.seen === armed.nth) (struck ??= []).push(armed);
    }
    return struck ?? NONE;
  }

  #isAt({ subject: awaited, subjectsFrom }: ArmedFault, subject: number): boolean {
    return awaited === subject || (subjectsFrom !== null && this.#nameOf(subject).startsWith(subjectsFrom));
  }

  disarmAll(): void {
    this.#byKind.fill(null);
  }
}

function prefixOf(kind: number, subject: string): string | null {
  if (isDiskKind(kind)) return subject.includes(":") ? null : `${subject}:`;
  return subject === ANY_JOB_MANAGER ? `${ANY_JOB_MANAGER}-` : null;
}

const NONE: readonly ArmedFault[] = [];
