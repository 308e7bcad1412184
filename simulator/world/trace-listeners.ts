import { InvariantError } from "../../engine/base/assert.ts";
import { TRACE_KINDS } from "../trace/kinds.ts";
import type { Process } from "./sim-process.ts";

/** Sees a trace point when it happens. Must neither call a port nor change anything. */
export type TraceListener = (process: Process | null, subject: number, x: number, y: number) => void;

/** Who listens to which trace points. */
export class TraceListeners {
  readonly #byKind: (TraceListener[] | null)[] = new Array<TraceListener[] | null>(TRACE_KINDS).fill(null);

  add(kind: number, listener: TraceListener): void {
    const list = this.#byKind[kind] ?? [];
    list.push(listener);
    this.#byKind[kind] = list;
  }

  /** What a listener throws is a bug of its own, and never an error that the engine may take for the user's. */
  tell(kind: number, process: Process | null, subject: number, x: number, y: number): void {
    const list = this.#byKind[kind] as TraceListener[] | null;
    if (list === null) return;
    try {
      for (let i = 0; i < list.length; i += 1) (list[i] as TraceListener)(process, subject, x, y);
    } catch (error) {
      throw new InvariantError(`a listener failed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
    }
  }
}
