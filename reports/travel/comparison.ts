import type { CheckpointId, TimeUs } from "../../engine/base/units.ts";
import type { Finding, RunResult } from "../../simulator/run-result.ts";
import { firstDifference } from "../../simulator/timetravel/first-difference.ts";
import type { Unjudged } from "../../simulator/timetravel/restored-run.ts";
import type { RunTape, TapePoint } from "../../simulator/timetravel/run-tape.ts";
import type { Journey } from "./journey.ts";

/** Points shown before and after the first difference. */
const AROUND = 3;

/** What one of two runs did around the point in which they differ. */
export interface Excerpt {
  /** The step of the point; the last one, where the run has ended. */
  readonly step: number;
  /** Those before, which both runs have. */
  readonly before: readonly TapePoint[];
  /** Null: the run has ended. */
  readonly point: TapePoint | null;
  readonly after: readonly TapePoint[];
}

/** The first trace point in which two runs differ. */
export interface Divergence {
  readonly atUs: TimeUs;
  readonly original: Excerpt;
  readonly branch: Excerpt;
}

/** Something that came out differently. */
export interface EndDifference {
  readonly what: "verdict" | "digest" | "restarts" | "checkpoints completed" | "restored from" | "virtual time (us)" | "steps";
  readonly original: string;
  readonly branch: string;
}

/** A run and a branch of it, side by side. */
export interface Comparison {
  /** Name of the branch. */
  readonly branch: string;
  /** A branch that begins from a checkpoint has no beginning in common with the run; null for others. */
  readonly beginsFrom: { readonly checkpointId: CheckpointId; readonly step: number } | null;
  /** Null: no trace point differs, or they have no beginning in common. */
  readonly first: Divergence | null;
  readonly ends: readonly EndDifference[];
  readonly findings: {
    readonly onlyOriginal: readonly Finding[];
    readonly onlyBranch: readonly Finding[];
  };
  /** Oracles that have no say in the branch. */
  readonly unjudged: readonly Unjudged[];
}

/** Holds a branch against the run that it branched off from (or any two runs of a scenario against each other). */
export function compare(original: Journey, branch: Journey): Comparison {
  const change = branch.branch?.change ?? null;
  const beginsFrom = change?.kind === "restore" ? { checkpointId: change.checkpointId, step: change.step } : null;
  const one = original.tape.result;
  const other = branch.tape.result;
  return {
    branch: branch.branch?.name ?? "another run",
    beginsFrom,
    first: beginsFrom === null ? divergence(original.tape, branch.tape) : null,
    ends: endDifferences(one, other),
    findings: { onlyOriginal: findingsOnlyOf(one, other), onlyBranch: findingsOnlyOf(other, one) },
    unjudged: branch.branch?.unjudged ?? [],
  };
}

function divergence(original: RunTape, branch: RunTape): Divergence | null {
  const point = firstDifference(original, branch);
  if (point === null) return null;
  const both = [excerptOf(original, point), excerptOf(branch, point)] as const;
  const atUs = Math.min(...both.map((excerpt) => excerpt.point?.atUs ?? Number.POSITIVE_INFINITY));
  return { atUs, original: both[0], branch: both[1] };
}

function excerptOf(tape: RunTape, index: number): Excerpt {
  const pointsIn = (from: number, to: number): readonly TapePoint[] => {
    const points: TapePoint[] = [];
    for (let point = Math.max(0, from); point < Math.min(to, tape.points); point += 1) points.push(tape.pointAt(point));
    return points;
  };
  const point = index < tape.points ? tape.pointAt(index) : null;
  return {
    step: point?.step ?? tape.steps,
    before: pointsIn(index - AROUND, index),
    point,
    after: pointsIn(index + 1, index + 1 + AROUND),
  };
}

function endDifferences(original: RunResult, branch: RunResult): readonly EndDifference[] {
  const of = (what: EndDifference["what"], read: (result: RunResult) => string | number | null): EndDifference => {
    return { what, original: String(read(original) ?? "nothing"), branch: String(read(branch) ?? "nothing") };
  };
  const all = [
    of("verdict", ({ verdict }) => verdict),
    of("digest", ({ digest }) => digest),
    of("restarts", ({ restarts }) => restarts),
    of("checkpoints completed", ({ checkpointsCompleted }) => checkpointsCompleted),
    of("restored from", ({ restoredFrom }) => (restoredFrom === null ? null : `checkpoint ${restoredFrom}`)),
    of("virtual time (us)", ({ virtualTimeUs }) => virtualTimeUs),
    of("steps", ({ steps }) => steps),
  ];
  return all.filter((one) => one.original !== one.branch);
}

/** By what they say, whenever it was seen. */
function findingsOnlyOf({ findings }: RunResult, other: RunResult): readonly Finding[] {
  return findings.filter(({ oracle, message }) => !other.findings.some((one) => one.oracle === oracle && one.message === message));
}
