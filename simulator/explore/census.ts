import { TRACE } from "../../engine/ports/tracer.ts";
import { PORT_TRACE, traceKindName } from "../trace/kinds.ts";
import type { TraceRecorder } from "../world/sim-kernel.ts";

/** Everything that happened once or more often under one identity. */
export interface CensusEntry {
  readonly kind: number;
  readonly event: string;
  readonly subject: string;
  /** The checkpoint, for kinds whose x is one; else null. */
  readonly x: number | null;
  readonly count: number;
  /** How many of these an undisturbed run has; what exceeds it takes a recovery to come about. */
  readonly calmCount: number;
}

/** What a run of a scenario consists of: where faults can strike so that they really do. */
export interface Census {
  readonly entries: readonly CensusEntry[];
  readonly durationUs: number;
  readonly endedAtUs: number;
}

/** Kinds whose x names a checkpoint. */
const CHECKPOINT_KINDS: ReadonlySet<number> = new Set<number>([
  TRACE.barrierReceived,
  TRACE.barriersAligned,
  TRACE.barrierForwarded,
  TRACE.snapshotTaken,
  TRACE.snapshotSerialized,
  TRACE.snapshotDurable,
  TRACE.checkpointNotified,
  TRACE.checkpointTriggered,
  TRACE.checkpointAcked,
  TRACE.checkpointCompleted,
  TRACE.checkpointSubsumed,
  TRACE.checkpointDiscarded,
  TRACE.transactionPrepared,
  TRACE.transactionCommitting,
  TRACE.transactionCommitted,
  PORT_TRACE.rpcSent,
  PORT_TRACE.rpcDelivered,
  PORT_TRACE.rpcResponded,
  PORT_TRACE.rpcReplied,
  PORT_TRACE.blobPutIssued,
  PORT_TRACE.blobPutApplied,
  PORT_TRACE.blobPutReplied,
  PORT_TRACE.blobGetIssued,
  PORT_TRACE.blobGetReplied,
  PORT_TRACE.blobDeleteIssued,
  PORT_TRACE.blobDeleteReplied,
]);

/** Counts trace points by identity (kind, subject, checkpoint). */
export class CensusTaker {
  readonly #counts = new Map<number, number>();

  readonly record: TraceRecorder = (_process, kind, subject, x) => {
    const key = identityKey(kind, subject, CHECKPOINT_KINDS.has(kind) ? x : null);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  };

  counts(): ReadonlyMap<number, number> {
    return this.#counts;
  }
}

/** Kinds below 2^8, subjects below 2^16, checkpoints from -1 to 2^20. */
function identityKey(kind: number, subject: number, x: number | null): number {
  return (kind * 65536 + subject) * 1048576 + (x === null ? 0 : x + 2);
}

/**
 * Joins an undisturbed run with one in which the job recovered once. Identities come in a fixed order; the
 * two runs intern names on their own, so subjects are joined by name.
 */
export function buildCensus(
  calm: CensusTaker,
  calmName: (subject: number) => string,
  disturbed: CensusTaker,
  disturbedName: (subject: number) => string,
  times: { readonly durationUs: number; readonly endedAtUs: number },
): Census {
  const calmCounts = new Map<string, number>();
  for (const [key, count] of calm.counts()) calmCounts.set(labelOf(key, calmName), count);
  const entries: CensusEntry[] = [];
  const seen = new Set<string>();
  for (const [key, count] of disturbed.counts()) {
    const label = labelOf(key, disturbedName);
    seen.add(label);
    const calmCount = calmCounts.get(label) ?? 0;
    entries.push(entryOf(key, disturbedName, Math.max(count, calmCount), calmCount));
  }
  for (const [key, count] of calm.counts()) {
    if (!seen.has(labelOf(key, calmName))) entries.push(entryOf(key, calmName, count, count));
  }
  entries.sort((left, right) => (sortLabel(left) < sortLabel(right) ? -1 : 1));
  return { entries, ...times };
}

function sortLabel(entry: CensusEntry): string {
  return `${String(entry.kind).padStart(3, "0")}/${entry.subject}/${String(entry.x ?? -2).padStart(8, "0")}`;
}

function entryOf(key: number, nameOf: (subject: number) => string, count: number, calmCount: number): CensusEntry {
  const { kind, subject, x } = parts(key);
  return { kind, event: traceKindName(kind) ?? "", subject: nameOf(subject), x, count, calmCount };
}

function labelOf(key: number, nameOf: (subject: number) => string): string {
  const { kind, subject, x } = parts(key);
  return `${kind}/${nameOf(subject)}/${x ?? ""}`;
}

function parts(key: number): { readonly kind: number; readonly subject: number; readonly x: number | null } {
  const low = key % 1048576;
  const rest = (key - low) / 1048576;
  const subject = rest % 65536;
  return { kind: (rest - subject) / 65536, subject, x: low === 0 ? null : low - 2 };
}
