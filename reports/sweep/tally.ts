import type { VerdictKind } from "../../simulator/run-result.ts";
import type { FaultCounts, SeedRow } from "./run-seed.ts";

/** Sums over runs. */
export interface Totals {
  readonly runs: number;
  readonly verdicts: Readonly<Record<VerdictKind, number>>;
  readonly steps: number;
  readonly tracePoints: number;
  readonly virtualTimeUs: number;
  readonly restarts: number;
  readonly checkpointsCompleted: number;
  readonly selfChecked: number;
  readonly faults: FaultCounts;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] };

function noTotals(): Mutable<Totals> {
  return {
    runs: 0,
    verdicts: {
      ok: 0,
      violation: 0,
      stuck: 0,
      "expected-failure": 0,
      "invalid-plan": 0,
      diverged: 0,
      crashed: 0,
    },
    steps: 0,
    tracePoints: 0,
    virtualTimeUs: 0,
    restarts: 0,
    checkpointsCompleted: 0,
    selfChecked: 0,
    faults: { fired: 0, dud: 0, downgraded: 0 },
  };
}

/** "heap/aligned/full/4to4/job" -> "heap/aligned/full": the rows of the matrix. */
export function combinationGroup(combination: string): string {
  return combination.split("/").slice(0, 3).join("/");
}

/** Adds up the rows of one scenario; its size depends on the kinds that occur, not on the number of runs. */
export class Tally {
  readonly totals: Mutable<Totals> = noTotals();
  readonly groups: Map<string, Mutable<Totals>> = new Map();
  readonly faults: Map<string, Mutable<FaultCounts>> = new Map();
  readonly sometimes: Map<string, number> = new Map();

  add(row: SeedRow): void {
    const key = combinationGroup(row.combination);
    let group = this.groups.get(key);
    if (group === undefined) this.groups.set(key, (group = noTotals()));
    addRow(this.totals, row);
    addRow(group, row);
    for (const [kind, counts] of Object.entries(row.faults)) {
      const sum = this.faults.get(kind) ?? { fired: 0, dud: 0, downgraded: 0 };
      addFaults(sum, counts);
      this.faults.set(kind, sum);
    }
    for (const [name, times] of Object.entries(row.sometimes)) {
      this.sometimes.set(name, (this.sometimes.get(name) ?? 0) + times);
    }
  }
}

function addRow(totals: Mutable<Totals>, row: SeedRow): void {
  totals.runs += 1;
  totals.verdicts[row.verdict] += 1;
  totals.steps += row.steps;
  totals.tracePoints += row.tracePoints;
  totals.virtualTimeUs += row.virtualTimeUs;
  totals.restarts += row.restarts;
  totals.checkpointsCompleted += row.checkpointsCompleted;
  if (row.selfChecked) totals.selfChecked += 1;
  for (const counts of Object.values(row.faults)) addFaults(totals.faults, counts);
}

function addFaults(sum: Mutable<FaultCounts>, counts: FaultCounts): void {
  sum.fired += counts.fired;
  sum.dud += counts.dud;
  sum.downgraded += counts.downgraded;
}

/** The sum of several totals. */
export function sumTotals(parts: Iterable<Totals>): Totals {
  const sum = noTotals();
  for (const part of parts) {
    sum.runs += part.runs;
    for (const kind of Object.keys(sum.verdicts) as VerdictKind[]) sum.verdicts[kind] += part.verdicts[kind];
    sum.steps += part.steps;
    sum.tracePoints += part.tracePoints;
    sum.virtualTimeUs += part.virtualTimeUs;
    sum.restarts += part.restarts;
    sum.checkpointsCompleted += part.checkpointsCompleted;
    sum.selfChecked += part.selfChecked;
    addFaults(sum.faults, part.faults);
  }
  return sum;
}

/** A map as an object with sorted names. */
export function sortedRecord<V>(entries: Iterable<readonly [string, V]>): Record<string, V> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
