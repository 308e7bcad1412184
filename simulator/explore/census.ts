import { TRACE } from "../../engine/ports/tracer.ts";
import { DISK_CALLS } from "../faults/check-plan.ts";
import { DIRECTORY_ROLE, NO_FILE_ROLE } from "../hosts/disk-identity.ts";
import { PORT_TRACE, isDiskKind, traceKindName } from "../trace/kinds.ts";
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

/** The entries of one trace kind. */
export interface CensusGroup {
  readonly kind: number;
  readonly event: string;
  /** The engine's checkpoint protocol. */
  readonly isOfCheckpoint: boolean;
  /** Those that an undisturbed run has. */
  readonly calm: readonly CensusEntry[];
  /** Those that a recovery adds to. */
  readonly recovery: readonly CensusEntry[];
}

/** What a run of a scenario consists of: where faults can strike so that they really do. */
export interface Census {
  readonly groups: readonly CensusGroup[];
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
  TRACE.localCopyStored,
  TRACE.localCopiesPruned,
  TRACE.localCopyRead,
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
  ...DISK_CALLS,
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
  const calmCounts = labelled(calm, calmName);
  const calmTotals = new Set<string>();
  for (const { kind, subject } of calmCounts.values()) calmTotals.add(`${kind}/${subject}`);
  const entries = new Map<string, CensusEntry>();
  for (const [label, { kind, subject, x, count }] of calmCounts) {
    entries.set(label, { kind, event: traceKindName(kind) ?? "", subject, x, count, calmCount: count });
  }
  for (const { kind, subject, x, count } of labelled(disturbed, disturbedName).values()) {
    // Which checkpoint a recovery concerns differs from run to run: what only recoveries have loses it.
    const isOfRecovery = !calmTotals.has(`${kind}/${subject}`);
    const at = isOfRecovery ? null : x;
    const label = `${kind}/${subject}/${at ?? ""}`;
    const before = entries.get(label);
    if (before === undefined && !isOfRecovery && x !== null) continue;
    const calmCount = before?.calmCount ?? 0;
    const most = isOfRecovery ? (before?.count ?? 0) + count : x === null ? Math.max(count, calmCount) : calmCount;
    entries.set(label, { kind, event: traceKindName(kind) ?? "", subject, x: at, count: most, calmCount });
  }
  const sorted = withoutIdleDisks([...entries.values()]);
  sorted.sort((left, right) => (sortLabel(left) < sortLabel(right) ? -1 : 1));
  return { groups: grouped(sorted), ...times };
}

/** The worker's own file, written once when it starts. */
const GENERATION = ":generation";

/**
 * Where no state lies on disks, all that happens there is the start of the workers: a quarter of all faults
 * would be spent on it. Where state does, that file goes without saying.
 */
function withoutIdleDisks(entries: readonly CensusEntry[]): CensusEntry[] {
  const isOfState = ({ kind, subject }: CensusEntry): boolean =>
    isDiskKind(kind) && ![GENERATION, `:${DIRECTORY_ROLE}`, `:${NO_FILE_ROLE}`].some((role) => subject.endsWith(role));
  const hasState = entries.some(isOfState);
  return entries.filter((entry) => !isDiskKind(entry.kind) || (hasState && !entry.subject.endsWith(GENERATION)));
}

/** Below it are the engine's own trace kinds. */
export const FIRST_PORT_KIND = 100;

/** Entries sorted by kind, group by group. */
function grouped(sorted: readonly CensusEntry[]): readonly CensusGroup[] {
  const groups: CensusGroup[] = [];
  for (let from = 0; from < sorted.length; ) {
    const { kind, event } = sorted[from] as CensusEntry;
    let to = from;
    while (sorted[to]?.kind === kind) to += 1;
    const entries = sorted.slice(from, to);
    groups.push({
      kind,
      event,
      isOfCheckpoint: kind < FIRST_PORT_KIND && CHECKPOINT_KINDS.has(kind),
      calm: entries.filter((entry) => entry.calmCount > 0),
      recovery: entries.filter((entry) => entry.count > entry.calmCount),
    });
    from = to;
  }
  return groups;
}

function sortLabel(entry: CensusEntry): string {
  return `${String(entry.kind).padStart(3, "0")}/${entry.subject}/${String(entry.x ?? -2).padStart(8, "0")}`;
}

interface Labelled {
  readonly kind: number;
  readonly subject: string;
  readonly x: number | null;
  readonly count: number;
}

/** By "kind/subject/checkpoint", with subjects by name. */
function labelled(taker: CensusTaker, nameOf: (subject: number) => string): Map<string, Labelled> {
  const all = new Map<string, Labelled>();
  for (const [key, count] of taker.counts()) {
    const { kind, subject, x } = parts(key);
    const name = nameOf(subject);
    all.set(`${kind}/${name}/${x ?? ""}`, { kind, subject: name, x, count });
  }
  return all;
}

function parts(key: number): { readonly kind: number; readonly subject: number; readonly x: number | null } {
  const low = key % 1048576;
  const rest = (key - low) / 1048576;
  const subject = rest % 65536;
  return { kind: (rest - subject) / 65536, subject, x: low === 0 ? null : low - 2 };
}
