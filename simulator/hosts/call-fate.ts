import type { InteractionFault } from "../faults/fault.ts";

/** How a call to a service fails: not done at all, or done and reported as unknown. Null: it does not. */
export type CallFailure = "refused" | "unknown" | null;

/** What the fault of an interaction makes of a call to the blob store, coordination or the external log. */
export function failureOf(fault: InteractionFault | null): CallFailure {
  if (fault === null) return null;
  if (fault.kind !== "blob-error" && fault.kind !== "coordination-error" && fault.kind !== "log-error") return null;
  return fault.code === "unknown" ? "unknown" : "refused";
}

/** Microseconds that the fault adds to the ordinary latency of a call. */
export function slownessUs(fault: InteractionFault | null): number {
  if (fault === null) return 0;
  const slow = fault.kind === "blob-slow" || fault.kind === "coordination-slow" || fault.kind === "log-slow";
  return slow ? fault.delayUs : 0;
}

/** When, within the latency of a call, the service does what was asked; the rest is the way back. */
export function effectAfterUs(latencyUs: number): number {
  return Math.floor(latencyUs / 2);
}
