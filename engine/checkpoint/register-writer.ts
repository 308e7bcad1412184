import { US_PER_MS } from "../base/units.ts";
import type { CoordinationReply, Fence, Register } from "../ports/coordination.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

const RETRY_US = 50 * US_PER_MS;

/**
 * What became of a write. "written": it is there. "conflict": somebody else wrote. "fenced": a later leader
 * rules. There is no "perhaps": an ambiguous reply is resolved by reading the register.
 */
export type RegisterOutcome =
  | { readonly kind: "written"; readonly version: number }
  | { readonly kind: "conflict"; readonly register: Register }
  | { readonly kind: "fenced" };

export interface RegisterWrite {
  readonly key: string;
  /** 0: the key must be absent. */
  readonly expectedVersion: number;
  /** Must differ from what any other writer would write; null removes the key. */
  readonly value: string | null;
  readonly fence: Fence;
}

/**
 * Compare-and-set whose outcome is certain. It repeats for as long as coordination is unreachable: whoever
 * waits for the outcome must not act on a guess. Stops silently once `isWanted` says no.
 */
export function writeRegister(
  ports: ProcessPorts,
  write: RegisterWrite,
  isWanted: () => boolean,
  done: (outcome: RegisterOutcome) => void,
): void {
  const { key, expectedVersion, value, fence } = write;

  const attempt = (): void => {
    if (!isWanted()) return;
    ports.coordination.compareAndSet(key, expectedVersion, value, fence, (reply: CoordinationReply<number>) => {
      if (reply.ok) done({ kind: "written", version: reply.value });
      else if (reply.code === "fenced") done({ kind: "fenced" });
      else if (reply.code === "conflict") resolve();
      else ports.scheduler.after(RETRY_US, resolve);
    });
  };

  /** Did it happen? The register tells. */
  const resolve = (): void => {
    if (!isWanted()) return;
    ports.coordination.read(key, (reply) => {
      if (!reply.ok) {
        ports.scheduler.after(RETRY_US, resolve);
        return;
      }
      const register = reply.value;
      if (register.value === value) done({ kind: "written", version: register.version });
      else if (register.version === expectedVersion) ports.scheduler.after(RETRY_US, attempt);
      else done({ kind: "conflict", register });
    });
  };

  attempt();
}

/** Reads a register, for as long as it takes. */
export function readRegister(
  ports: ProcessPorts,
  key: string,
  isWanted: () => boolean,
  done: (register: Register) => void,
): void {
  const attempt = (): void => {
    if (!isWanted()) return;
    ports.coordination.read(key, (reply) => {
      if (reply.ok) done(reply.value);
      else ports.scheduler.after(RETRY_US, attempt);
    });
  };
  attempt();
}
