import { present } from "../../engine/base/assert.ts";
import { leaseOf } from "../../engine/runtime/leader-election.ts";
import type { RandomStream } from "../../engine/ports/rng.ts";
import type { Census, CensusEntry, CensusGroup } from "../explore/census.ts";
import { FIRST_PORT_KIND } from "../explore/census.ts";
import type { Profile } from "../run-result.ts";
import type { ClusterShape, FaultBudget } from "../scenario.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import { PORT_TRACE, isDiskKind } from "../trace/kinds.ts";
import type { EventTrigger } from "./armed-faults.ts";
import { DISK_CALLS, STRIKES_AT } from "./check-plan.ts";
import type { BudgetedKind, Fault, FaultPlan, Trigger } from "./fault.ts";
import { isClientRequest } from "./fault.ts";

/** Crashes are what recovery is about: they are drawn this many times as often as anything else. */
const CRASH_WEIGHT = 8;
/** Where disks are what it is about. */
const CRASH_WEIGHT_AT_DISKS = 2;

/** What a disk alone does. */
const DISK_FAULTS: readonly BudgetedKind[] = [
  "disk-error",
  "disk-fsync-failure",
  "disk-short-read",
  "disk-bit-flip",
  "disk-misdirected-write",
  "disk-slow",
  "disk-full",
  "disk-stall",
  "disk-loss",
];

/** Kinds in the order in which they are considered. */
const KINDS: readonly BudgetedKind[] = [
  "process-crash",
  "process-pause",
  "host-crash",
  "user-exception",
  "rpc-drop",
  "rpc-duplicate",
  "rpc-delay",
  "rpc-reply-drop",
  "connection-break",
  "frame-delay",
  "blob-error",
  "blob-slow",
  "blob-late-delete",
  "coordination-error",
  "coordination-slow",
  "log-error",
  "log-slow",
  "transaction-timeout",
  "partition",
  "rpc-chaos",
  "network-slow",
  "blob-outage",
  "coordination-outage",
  "lease-loss",
  "log-outage",
  ...DISK_FAULTS,
];

const NETWORK_KINDS: readonly BudgetedKind[] = [
  "rpc-drop",
  "rpc-duplicate",
  "rpc-delay",
  "rpc-reply-drop",
  "connection-break",
  "frame-delay",
  "partition",
  "rpc-chaos",
  "network-slow",
];

/** With crashes, because what a disk did shows when its files are read again. */
const DISK_KINDS: readonly BudgetedKind[] = [
  "process-crash",
  "host-crash",
  ...DISK_FAULTS,
];

/** The kinds that a profile draws from. */
const CANDIDATES: Readonly<Record<Profile, readonly BudgetedKind[]>> = {
  swarm: KINDS,
  calm: [],
  network: NETWORK_KINDS,
  disk: DISK_KINDS,
  matrix: KINDS,
  "crash-everywhere": [],
};

/** Faults after which the job recovers, so that the census of a recovery applies. */
const DISRUPTIVE: readonly BudgetedKind[] = ["process-crash", "host-crash", "disk-loss", "user-exception", "connection-break"];

/** Trace kinds of the outside world, at which no process of its own runs. */
const NOT_IN_A_PROCESS: ReadonlySet<number> = new Set<number>([
  PORT_TRACE.blobPutApplied,
  PORT_TRACE.blobDeleteApplied,
  PORT_TRACE.coordinationApplied,
  PORT_TRACE.logApplied,
  PORT_TRACE.leaseExpired,
  PORT_TRACE.transactionTimedOut,
  PORT_TRACE.processStarted,
  PORT_TRACE.processCrashed,
  PORT_TRACE.processPaused,
  PORT_TRACE.processResumed,
  PORT_TRACE.hostCrashed,
  PORT_TRACE.hostStarted,
  PORT_TRACE.diskLost,
  PORT_TRACE.faultFired,
  PORT_TRACE.partitionStarted,
  PORT_TRACE.partitionHealed,
  PORT_TRACE.healed,
]);

/** Does not happen again however often the job recovers. */
const LATE_KINDS: ReadonlySet<number> = new Set<number>([TRACE.jobFinished, TRACE.taskFinished]);

const MOST_FAULTS = 10;
const US_A_FAULT = 2_400_000;

export interface PlanSource {
  readonly census: Census;
  readonly cluster: ClusterShape;
  readonly budget: FaultBudget;
  readonly jobId: string;
  readonly profile: Profile;
  readonly random: RandomStream;
  /** So many subtasks of an operator there are until the end: the parallelism after a change, where that is less. */
  readonly subtasks: number;
}

/**
 * Draws a plan as swarm testing does: for this seed, whole kinds of fault are switched off and the rest get
 * very different weights. What is drawn names an event of the census (or a time within the calm run).
 */
export function drawPlan(source: PlanSource): FaultPlan {
  const { random, profile, budget } = source;
  if (CANDIDATES[profile].length === 0) return [];
  const weights = drawWeights(source);
  const plan: Fault[] = [];
  const used = new Map<BudgetedKind, number>();
  // A short job has no room for many: what follows its early end would not fire.
  const most = Math.min(MOST_FAULTS, Math.max(2, Math.floor(source.census.endedAtUs / US_A_FAULT)));
  const count = 1 + random.below(most);
  for (let i = 0; i < count; i += 1) {
    const kind = pick(weights, random);
    if (kind === null) break;
    const before = used.get(kind) ?? 0;
    if (before >= (budget.most[kind] ?? 0)) continue;
    const recovers = plan.some((fault) => !isClientRequest(fault) && DISRUPTIVE.includes(fault.kind));
    const fault = drawFault(kind, `f${plan.length + 1}`, source, recovers);
    if (fault === null) continue;
    used.set(kind, before + 1);
    plan.push(fault);
  }
  return plan;
}

interface Weight {
  readonly kind: BudgetedKind;
  readonly weight: number;
}

/** Where no state lies on disks, these have nothing to do. */
const ONLY_WITH_STATE_ON_DISK: ReadonlySet<BudgetedKind> = new Set<BudgetedKind>(["disk-full", "disk-stall"]);

function drawWeights({ random, profile, budget, census }: PlanSource): readonly Weight[] {
  const crashWeight = profile === "disk" ? CRASH_WEIGHT_AT_DISKS : CRASH_WEIGHT;
  const hasStateOnDisk = census.groups.some(({ kind }) => isDiskKind(kind));
  const weights: Weight[] = [];
  for (const kind of CANDIDATES[profile]) {
    if (!hasStateOnDisk && (ONLY_WITH_STATE_ON_DISK.has(kind) || STRIKES_AT[kind]?.every(isDiskKind) === true)) continue;
    const isCrash = kind === "process-crash";
    const off = random.below(isCrash ? 8 : 2) === 0;
    const weight = (1 + random.below(16) * random.below(16)) * (isCrash ? crashWeight : 1);
    if (!off && (budget.most[kind] ?? 0) > 0) weights.push({ kind, weight });
  }
  return weights;
}

function pick(weights: readonly Weight[], random: RandomStream): BudgetedKind | null {
  let total = 0;
  for (const { weight } of weights) total += weight;
  if (total === 0) return null;
  let at = random.below(total);
  for (const { kind, weight } of weights) {
    if (at < weight) return kind;
    at -= weight;
  }
  return null;
}

function drawFault(kind: BudgetedKind, id: string, source: PlanSource, recovers: boolean): Fault | null {
  const { random, census } = source;
  const strikesAt = STRIKES_AT[kind];
  const byEvent = strikesAt !== undefined || random.below(TIMES_ONE_IN[kind] ?? 2) !== 0;
  const event = byEvent ? drawEvent(source, strikesAt ?? OPENS_AT[kind], recovers) : null;
  if (event === null && strikesAt !== undefined) return null;
  const at: Trigger = event ?? { on: "time", atUs: 1 + random.below(Math.max(1, census.endedAtUs)) };
  return DRAW[kind](id, strikesAt === undefined || event === null ? at : { ...event, when: "before" }, source);
}

/** How often a fault that needs no event is timed instead: processes are hit at events for the most part. */
const TIMES_ONE_IN: Readonly<Partial<Record<BudgetedKind, number>>> = {
  "process-crash": 8,
  "process-pause": 8,
  "host-crash": 8,
  "disk-loss": 8,
};

/** Where faults that could strike anywhere have something to do. */
const OPENS_AT: Readonly<Partial<Record<BudgetedKind, readonly number[]>>> = {
  "disk-full": DISK_CALLS,
  "disk-stall": DISK_CALLS,
};

type Drawer = (id: string, at: Trigger, source: PlanSource) => Fault | null;

/** The parameters of each kind. */
const DRAW: Readonly<Record<BudgetedKind, Drawer>> = {
  "process-crash": (id, at, source) => ({ id, at, kind: "process-crash", process: strikeProcess(at, source) }),
  "process-pause": (id, at, source) => {
    const { random } = source;
    // Half of them outlast the heartbeat timeout: the process comes back as a zombie.
    const durationUs = random.below(2) === 0 ? longDuration(random) : 3_000_000 + random.below(5_000_000);
    return { id, at, kind: "process-pause", process: strikeProcess(at, source), durationUs };
  },
  "host-crash": (id, at, source) => {
    const replace = source.random.below(3) === 0;
    return { id, at, kind: "host-crash", host: strikeHost(at, source), replace };
  },
  "user-exception": (id, at) => ({ id, at, kind: "user-exception" }),
  "rpc-drop": (id, at) => ({ id, at, kind: "rpc-drop" }),
  "rpc-duplicate": (id, at, { random }) => ({ id, at, kind: "rpc-duplicate", delayUs: longDuration(random) }),
  "rpc-delay": (id, at, { random }) => ({ id, at, kind: "rpc-delay", delayUs: longDuration(random) }),
  "rpc-reply-drop": (id, at) => ({ id, at, kind: "rpc-reply-drop" }),
  "connection-break": (id, at) => ({ id, at, kind: "connection-break" }),
  "frame-delay": (id, at, { random }) => ({ id, at, kind: "frame-delay", delayUs: longDuration(random) }),
  "blob-error": (id, at, { random }) => ({ id, at, kind: "blob-error", code: random.below(2) === 0 ? "unavailable" : "unknown" }),
  "blob-slow": (id, at, { random }) => ({ id, at, kind: "blob-slow", delayUs: longDuration(random) }),
  "blob-late-delete": (id, at, { random }) => ({ id, at, kind: "blob-late-delete", delayUs: longDuration(random) }),
  "coordination-error": (id, at, { random }) => {
    return { id, at, kind: "coordination-error", code: random.below(2) === 0 ? "unreachable" : "unknown" };
  },
  "coordination-slow": (id, at, { random }) => ({ id, at, kind: "coordination-slow", delayUs: longDuration(random) }),
  "log-error": (id, at, { random }) => ({ id, at, kind: "log-error", code: random.below(2) === 0 ? "unavailable" : "unknown" }),
  "log-slow": (id, at, { random }) => ({ id, at, kind: "log-slow", delayUs: longDuration(random) }),
  "transaction-timeout": (id, at) => ({ id, at, kind: "transaction-timeout" }),
  latency: (id, at, { random }) => ({ id, at, kind: "latency", latencyUs: longDuration(random) }),
  partition: drawPartition,
  "rpc-chaos": (id, at, { random }) => ({
    id,
    at,
    kind: "rpc-chaos",
    lossPercent: random.below(31),
    duplicatePercent: random.below(21),
    delayPercent: random.below(31),
    delayUs: longDuration(random),
    durationUs: longDuration(random),
  }),
  "network-slow": (id, at, { random }) => {
    return { id, at, kind: "network-slow", extraUs: 1 + random.below(200_000), durationUs: longDuration(random) };
  },
  "blob-outage": (id, at, { random }) => {
    return { id, at, kind: "blob-outage", errorPercent: 10 + random.below(91), durationUs: longDuration(random) };
  },
  "coordination-outage": (id, at, { random }) => ({ id, at, kind: "coordination-outage", durationUs: longDuration(random) }),
  "lease-loss": (id, at, { jobId }) => ({ id, at, kind: "lease-loss", lease: leaseOf(jobId) }),
  "log-outage": (id, at, { random }) => {
    return { id, at, kind: "log-outage", errorPercent: 10 + random.below(91), durationUs: longDuration(random) };
  },
  "disk-error": (id, at, { random }) => {
    const code = random.below(2) === 0 ? "EIO" : "ENOSPC";
    return { id, at, kind: "disk-error", code, partBytes: random.below(2) === 0 ? 0 : random.below(4096) };
  },
  "disk-fsync-failure": (id, at) => ({ id, at, kind: "disk-fsync-failure" }),
  "disk-short-read": (id, at, { random }) => ({ id, at, kind: "disk-short-read", bytes: 1 + random.below(4096) }),
  // Half of them near the end, where footers are.
  "disk-bit-flip": (id, at, { random }) => {
    const bit = random.below(2) === 0 ? random.below(1 << 24) : -1 - random.below(512);
    return { id, at, kind: "disk-bit-flip", bit };
  },
  "disk-misdirected-write": (id, at, { random }) => {
    const away = 1 + random.below(16);
    const sectorsAway = random.below(2) === 0 ? away : -away;
    return { id, at, kind: "disk-misdirected-write", sectorsAway, elsewhere: random.below(4) };
  },
  "disk-slow": (id, at, { random }) => ({ id, at, kind: "disk-slow", delayUs: longDuration(random) }),
  "disk-full": (id, at, source) => {
    return { id, at, kind: "disk-full", host: strikeHost(at, source), durationUs: longDuration(source.random) };
  },
  "disk-stall": (id, at, source) => {
    return { id, at, kind: "disk-stall", host: strikeHost(at, source), durationUs: longDuration(source.random) };
  },
  "disk-loss": (id, at, source) => ({ id, at, kind: "disk-loss", host: strikeHost(at, source) }),
};

function drawPartition(id: string, at: Trigger, { random, cluster }: PlanSource): Fault | null {
  const hosts = hostNames(cluster);
  const from = hosts.filter(() => random.below(2) === 0);
  const to = hosts.filter((host) => !from.includes(host));
  if (from.length === 0 || to.length === 0) return null;
  return { id, at, kind: "partition", from, to, oneWay: random.below(2) === 0, durationUs: longDuration(random) };
}

/** At an event: whoever runs then. */
function strikeProcess(at: Trigger, { cluster, random }: PlanSource): string | null {
  return at.on === "time" ? anyProcess(cluster, random) : null;
}

function strikeHost(at: Trigger, { cluster, random }: PlanSource): string | null {
  return at.on === "time" ? anyHost(cluster, random) : null;
}

/** Milliseconds to seconds, so that it stays below the timeouts as often as not. */
function longDuration(random: RandomStream): number {
  const scale = [20_000, 200_000, 1_500_000, 6_000_000][random.below(4)] as number;
  return 1 + random.below(scale);
}

const isOfEngine = ({ kind }: CensusGroup): boolean => kind < FIRST_PORT_KIND;
const isOfCheckpoint = (group: CensusGroup): boolean => group.isOfCheckpoint;
const isAny = (): boolean => true;

function isEligible(kind: number, strikesAt: readonly number[] | undefined): boolean {
  if (strikesAt !== undefined) return strikesAt.includes(kind);
  return !NOT_IN_A_PROCESS.has(kind) && !LATE_KINDS.has(kind);
}

/** The trace kind is drawn first, so that rare places of the protocol are hit as often as busy ones. */
function drawEvent(
  { census, random, subtasks }: PlanSource,
  strikesAt: readonly number[] | undefined,
  recovers: boolean,
): EventTrigger | null {
  const onlyRecovery = recovers && random.below(2) === 0;
  const entriesOf = (group: CensusGroup): readonly CensusEntry[] => (onlyRecovery ? group.recovery : group.calm);
  const usable = census.groups.filter((group) => entriesOf(group).length > 0 && isEligible(group.kind, strikesAt));
  if (usable.length === 0) return null;
  // Half the time a step of the checkpoint protocol, else any of the engine's, or any touch of the world.
  const wanted = [isOfCheckpoint, isOfCheckpoint, isOfEngine, isAny][random.below(4)] as (group: CensusGroup) => boolean;
  const preferred = usable.filter(wanted);
  const candidates = preferred.length > 0 ? preferred : usable;
  const group = present(candidates[random.below(candidates.length)], "there is a group");
  const entries = entriesOf(group);
  const entry = present(entries[random.below(entries.length)], "a group that is usable has an entry");
  const from = onlyRecovery ? entry.calmCount : 0;
  const to = onlyRecovery ? entry.count : entry.calmCount;
  const staying = stayingSubject(entry.subject, subtasks);
  // What a change of parallelism takes away has its early part, and what comes later happens to one that stays.
  const isEarly = staying !== entry.subject && entry.x === null && !onlyRecovery;
  const subject = isEarly ? entry.subject : staying;
  const span = Math.ceil((to - from) * (isDiskKind(entry.kind) ? SURE_OF_DISKS : isEarly ? SURE_OF_SUBTASKS : 1));
  const nth = from + 1 + random.below(span);
  const when = random.below(2) === 0 ? "before" : "after";
  return { on: "event", event: entry.event, subject, x: entry.x, nth, when };
}

/** How much is read and written on a disk differs from run to run: the later half may never come. */
const SURE_OF_DISKS = 0.5;
/** What a subtask does ends with the change of parallelism that takes it away. */
const SURE_OF_SUBTASKS = 0.25;

/** The subtask, or its producer, if it is there until the end of the run; else one of the same operator that is. */
function stayingSubject(subject: string, subtasks: number): string {
  const [, name, index, end] = /^(.*\[|.*\/.*-)(\d+)(\]?)$/.exec(subject) ?? [];
  return index === undefined || Number(index) < subtasks ? subject : `${name}${Number(index) % subtasks}${end}`;
}

function anyProcess({ jobManagers, workers }: ClusterShape, random: RandomStream): string {
  const index = random.below(jobManagers + workers);
  return index < jobManagers ? `jm-${index + 1}` : `worker-${index - jobManagers + 1}`;
}

function hostNames({ jobManagers, workers }: ClusterShape): string[] {
  const names: string[] = [];
  for (let i = 1; i <= jobManagers; i += 1) names.push(`jm-host-${i}`);
  for (let i = 1; i <= workers; i += 1) names.push(`host-${i}`);
  return names;
}

function anyHost(cluster: ClusterShape, random: RandomStream): string {
  const hosts = hostNames(cluster);
  return present(hosts[random.below(hosts.length)], "a cluster has hosts");
}
