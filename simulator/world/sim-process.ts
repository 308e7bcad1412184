import type { TimeUs } from "../../engine/base/units.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import type { SimHost, SimProcess } from "./kernel.ts";

/** One host: a disk and the processes on it. */
export class Host implements SimHost {
  readonly name: string;
  up = true;

  constructor(name: string) {
    this.name = name;
  }
}

/** One incarnation of a process. */
export class Process implements SimProcess {
  readonly name: string;
  readonly incarnation: number;
  readonly host: Host;
  readonly subject: number;
  alive = true;
  /** Dies when the port call that it is in has had its effect. */
  diesOnLeave = false;
  /** Its events wait until then. */
  pausedUntilUs: TimeUs = 0;
  /** What synchronous calls have cost since the thread was last given back. */
  spentUs = 0;
  /** Where the order of its simultaneous events is drawn from. */
  ties: RandomStream | null = null;

  constructor(name: string, incarnation: number, host: Host, subject: number) {
    this.name = name;
    this.incarnation = incarnation;
    this.host = host;
    this.subject = subject;
  }
}
