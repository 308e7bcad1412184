import { unreachable } from "../../engine/base/assert.ts";
import type { Fault, FaultPlan, Trigger, WindowFault } from "../../simulator/faults/fault.ts";
import type { RunResult } from "../../simulator/run-result.ts";
import { seconds } from "../text/format.ts";
import type { FaultLine } from "./report-document.ts";

/** The faults of a run that fired, in the order in which they did. */
export function firedFaults(result: RunResult): FaultLine[] {
  const lines: FaultLine[] = [];
  for (const outcome of result.faults) {
    if (outcome.outcome !== "fired") continue;
    const fault = faultOfId(result.plan, outcome.id);
    lines.push({
      atUs: outcome.atUs ?? 0,
      what: fault === undefined ? outcome.kind : whatItIs(fault),
      where: fault === undefined ? "" : whereItStrikes(fault.at),
    });
  }
  return lines.sort((a, b) => a.atUs - b.atUs);
}

function faultOfId(plan: FaultPlan, id: string): Fault | undefined {
  return plan.find((fault) => fault.id === id);
}

/** The event that triggers it; nothing for a time. */
export function whereItStrikes(at: Trigger): string {
  switch (at.on) {
    case "time":
      return "";
    case "event": {
      const nth = at.nth === 1 ? "" : ` (occurrence ${at.nth})`;
      const x = at.x === null || at.x < 0 ? "" : `, ${at.x}`;
      return `${at.when} ${at.event} of ${at.subject}${x}${nth}`;
    }
    default:
      return unreachable(at, "whereItStrikes");
  }
}

/** The kind, its target and its parameters. */
export function whatItIs(fault: Fault): string {
  const kind = fault.kind.replaceAll("-", " ");
  switch (fault.kind) {
    case "process-crash":
      return `${kind} ${fault.process ?? ""}`.trimEnd();
    case "process-pause":
      return `${kind} ${fault.process ?? ""}`.trimEnd() + lasting(fault.durationUs);
    case "host-crash":
      return `${kind} ${fault.host ?? ""}`.trimEnd() + (fault.replace ? ", host replaced" : "");
    case "rescale":
      return `${kind} to ${fault.parallelism}`;
    case "stop-with-savepoint":
      return `${kind} (${fault.mode})`;
    case "savepoint":
    case "cancel-job":
    case "checkpoint-abort":
    case "user-exception":
    case "rpc-drop":
    case "rpc-reply-drop":
    case "connection-break":
    case "disk-fsync-failure":
    case "transaction-timeout":
      return kind;
    case "rpc-duplicate":
    case "rpc-delay":
    case "frame-delay":
    case "blob-slow":
    case "blob-late-delete":
    case "coordination-slow":
    case "log-slow":
    case "disk-slow":
      return `${kind} by ${seconds(fault.delayUs)}`;
    case "blob-error":
    case "coordination-error":
    case "log-error":
      return `${kind} "${fault.code}"`;
    case "latency":
      return `${kind} ${seconds(fault.latencyUs)}`;
    case "partition":
    case "rpc-chaos":
    case "network-slow":
    case "blob-outage":
    case "coordination-outage":
    case "lease-loss":
    case "log-outage":
    case "disk-full":
    case "disk-stall":
      return windowText(fault, kind);
    case "disk-loss":
      return `${kind} ${fault.host ?? ""}`.trimEnd();
    case "disk-error":
    case "disk-short-read":
    case "disk-bit-flip":
    case "disk-misdirected-write":
      return diskText(fault, kind);
    default:
      return unreachable(fault, "whatItIs");
  }
}

function windowText(fault: WindowFault, kind: string): string {
  switch (fault.kind) {
    case "partition":
      return (
        `${kind} ${fault.from.join(", ")} ${fault.oneWay ? "->" : "<->"} ${fault.to.join(", ")}` +
        lasting(fault.durationUs)
      );
    case "rpc-chaos":
      return (
        `${kind} (${fault.lossPercent}% lost, ${fault.duplicatePercent}% doubled, ${fault.delayPercent}% late)` +
        lasting(fault.durationUs)
      );
    case "network-slow":
      return `${kind} by ${seconds(fault.extraUs)}${lasting(fault.durationUs)}`;
    case "blob-outage":
    case "log-outage":
      return `${kind} (${fault.errorPercent}% fail)${lasting(fault.durationUs)}`;
    case "coordination-outage":
      return kind + lasting(fault.durationUs);
    case "disk-full":
    case "disk-stall":
      return `${kind} ${fault.host ?? ""}`.trimEnd() + lasting(fault.durationUs);
    case "lease-loss":
      return `${kind} of ${fault.lease}`;
    default:
      return unreachable(fault, "windowText");
  }
}

type DiskInteraction = Extract<
  Fault,
  { readonly kind: "disk-error" | "disk-short-read" | "disk-bit-flip" | "disk-misdirected-write" }
>;

function diskText(fault: DiskInteraction, kind: string): string {
  switch (fault.kind) {
    case "disk-error":
      return `${kind} ${fault.code}${fault.partBytes > 0 ? ` (a write stops after ${fault.partBytes} bytes)` : ""}`;
    case "disk-short-read":
      return `${kind} of ${fault.bytes} bytes`;
    case "disk-bit-flip":
      return `${kind} of bit ${fault.bit < 0 ? `${-fault.bit} from the end` : fault.bit}`;
    case "disk-misdirected-write": {
      const target = fault.elsewhere === 0 ? "the same file" : `file ${fault.elsewhere} beside it`;
      return `${kind} by ${fault.sectorsAway} sectors, into ${target}`;
    }
    default:
      return unreachable(fault, "diskText");
  }
}

function lasting(durationUs: number): string {
  return ` for ${seconds(durationUs)}`;
}
