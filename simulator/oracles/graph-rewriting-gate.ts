import { structuralHash } from "../../engine/base/structural.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { SimKernel } from "../world/sim-kernel.ts";
import type { Process } from "../world/sim-process.ts";

/** The task whose user code is watched. */
export interface WatchedTask {
  readonly kernel: SimKernel;
  readonly process: Process;
  /** Freezes records and folds what user functions emit into the digest. */
  readonly checked: boolean;
}

/** Deepest nesting that is frozen. */
const DEPTH_LIMIT = 64;

/**
 * Stands before and behind the user code of one operator subtask. `before` is a trace point, at which a
 * plan may throw an exception or end the process. Without a task to watch it does nothing.
 */
export class UserCodeGate {
  readonly #kernel: SimKernel | null;
  readonly #process: Process | null;
  readonly #checked: boolean;
  readonly #name: string;
  #subject = -1;

  constructor(task: WatchedTask | null, name: string) {
    this.#kernel = task === null ? null : task.kernel;
    this.#process = task === null ? null : task.process;
    this.#checked = task !== null && task.checked;
    this.#name = name;
  }

  /** `call`: one of USER_CALLS. */
  before(call: number): void {
    const kernel = this.#kernel;
    if (kernel === null) return;
    if (this.#subject < 0) this.#subject = kernel.intern(this.#name);
    kernel.enter(this.#process, PORT_TRACE.userCall, this.#subject, call, 0);
  }

  after(): void {
    const process = this.#process;
    if (process !== null && process.diesOnLeave) this.#kernel?.leave(process);
  }

  /** What a user function emitted, or a source read. */
  emitted<T>(value: T): T {
    if (this.#checked) {
      deepFreeze(value, 0);
      this.#kernel?.digest.fold(structuralHash(value));
    }
    return value;
  }

  /** A record before user code gets it. */
  received(value: unknown): void {
    if (this.#checked) deepFreeze(value, 0);
  }
}

/** Bytes, dates and the contents of maps and sets cannot be frozen. */
function deepFreeze(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null || depth > DEPTH_LIMIT) return;
  if (value instanceof Map) {
    for (const [key, one] of value) {
      deepFreeze(key, depth + 1);
      deepFreeze(one, depth + 1);
    }
    return;
  }
  if (value instanceof Set) {
    for (const one of value) deepFreeze(one, depth + 1);
    return;
  }
  if (ArrayBuffer.isView(value) || value instanceof Date || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const one of Object.values(value)) deepFreeze(one, depth + 1);
}
