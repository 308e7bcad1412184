import { PORT_TRACE, traceKindOf } from "../trace/kinds.ts";
import type { ClusterShape, FaultBudget } from "../scenario.ts";
import type { Fault, FaultKind, FaultPlan } from "./fault.ts";
import { isClientRequest } from "./fault.ts";

/** Everything at a disk that takes time. */
export const DISK_CALLS: readonly number[] = [
  PORT_TRACE.diskOpened,
  PORT_TRACE.diskRead,
  PORT_TRACE.diskWritten,
  PORT_TRACE.diskTruncated,
  PORT_TRACE.diskSynced,
  PORT_TRACE.diskNamed,
  PORT_TRACE.diskDirectorySynced,
  PORT_TRACE.diskLooked,
];

/** Events at which a fault that changes one interaction can strike. */
export const STRIKES_AT: Readonly<Partial<Record<FaultKind, readonly number[]>>> = {
  "user-exception": [PORT_TRACE.userCall],
  "rpc-drop": [PORT_TRACE.rpcSent],
  "rpc-duplicate": [PORT_TRACE.rpcSent],
  "rpc-delay": [PORT_TRACE.rpcSent, PORT_TRACE.rpcResponded],
  "rpc-reply-drop": [PORT_TRACE.rpcResponded],
  "connection-break": [PORT_TRACE.frameSent],
  "frame-delay": [PORT_TRACE.frameSent],
  "blob-error": [PORT_TRACE.blobPutIssued, PORT_TRACE.blobGetIssued, PORT_TRACE.blobDeleteIssued, PORT_TRACE.blobListed],
  "blob-slow": [PORT_TRACE.blobPutIssued, PORT_TRACE.blobGetIssued, PORT_TRACE.blobDeleteIssued, PORT_TRACE.blobListed],
  "blob-late-delete": [PORT_TRACE.blobDeleteIssued],
  "coordination-error": [PORT_TRACE.coordinationIssued],
  "coordination-slow": [PORT_TRACE.coordinationIssued],
  "log-error": [PORT_TRACE.logIssued],
  "log-slow": [PORT_TRACE.logIssued],
  "transaction-timeout": [PORT_TRACE.logIssued],
  "disk-error": [
    PORT_TRACE.diskOpened,
    PORT_TRACE.diskRead,
    PORT_TRACE.diskWritten,
    PORT_TRACE.diskTruncated,
    PORT_TRACE.diskNamed,
    PORT_TRACE.diskDirectorySynced,
    PORT_TRACE.diskLooked,
  ],
  "disk-fsync-failure": [PORT_TRACE.diskSynced],
  "disk-short-read": [PORT_TRACE.diskRead],
  "disk-bit-flip": [PORT_TRACE.diskRead, PORT_TRACE.diskWritten, PORT_TRACE.diskSynced],
  "disk-misdirected-write": [PORT_TRACE.diskWritten],
  "disk-slow": DISK_CALLS,
};

/**
 * Why a plan cannot be run with a scenario, or null: it names what does not exist, or breaks more than the
 * scenario promises to survive.
 */
export function refusePlan(plan: FaultPlan, budget: FaultBudget, cluster: ClusterShape): string | null {
  const counts = new Map<FaultKind, number>();
  const ids = new Set<string>();
  for (const fault of plan) {
    const reason = refuseFault(fault, cluster);
    if (reason !== null) return `fault ${fault.id} (${fault.kind}): ${reason}`;
    if (ids.has(fault.id)) return `two faults are called ${fault.id}`;
    ids.add(fault.id);
    const count = (counts.get(fault.kind) ?? 0) + 1;
    counts.set(fault.kind, count);
    // What a client may ask for is part of the job's contract.
    if (isClientRequest(fault)) continue;
    const most = budget.most[fault.kind] ?? 0;
    // A named deviation comes out of a window, which the budget already allowed.
    if (!fault.id.includes("/") && count > most) {
      return `${count} faults of kind ${fault.kind}; the scenario promises to survive ${most}`;
    }
  }
  return null;
}

function refuseFault(fault: Fault, cluster: ClusterShape): string | null {
  const strikesAt = STRIKES_AT[fault.kind];
  if (fault.at.on === "event") {
    const kind = traceKindOf(fault.at.event);
    if (kind === null) return `no event is called ${fault.at.event}`;
    if (strikesAt !== undefined && !strikesAt.includes(kind)) return `it cannot strike at ${fault.at.event}`;
  } else if (strikesAt !== undefined) {
    return "it needs an event to strike at, not a time";
  }
  if ("process" in fault && fault.process !== null && !processExists(fault.process, cluster)) {
    return `no process is called ${fault.process}`;
  }
  if ("process" in fault && fault.process === null && fault.at.on === "time") return "a time needs a process to strike";
  if ("host" in fault) {
    if (fault.host === null && fault.at.on === "time") return "a time needs a host to strike";
    if (fault.host !== null && !hostExists(fault.host, cluster)) return `no host is called ${fault.host}`;
  }
  return null;
}

function hostExists(name: string, { jobManagers, workers }: ClusterShape): boolean {
  for (let i = 1; i <= jobManagers; i += 1) if (name === `jm-host-${i}`) return true;
  for (let i = 1; i <= workers; i += 1) if (name === `host-${i}`) return true;
  return false;
}

function processExists(name: string, { jobManagers, workers }: ClusterShape): boolean {
  for (let i = 1; i <= jobManagers; i += 1) if (name === `jm-${i}`) return true;
  for (let i = 1; i <= workers; i += 1) if (name === `worker-${i}`) return true;
  return false;
}
