import { unreachable } from "../../engine/base/assert.ts";
import type { VerdictKind } from "../../simulator/run-result.ts";
import type { SweepEnd } from "../sweep/sweep.ts";

/** Failing runs that are listed, of a sweep that finds more. */
const LISTED_FAILURES = 200;

/** What a sweep reports while it runs. Times are wall-clock milliseconds since it began. */
export type SweepEvent =
  | { readonly type: "began"; readonly scenarios: readonly string[]; readonly seeds: string; readonly planned: number }
  | {
      readonly type: "run";
      readonly scenario: string;
      readonly tracePoints: number;
      readonly virtualTimeUs: number;
      /** By declared path: how often the run took it. */
      readonly sometimes: Readonly<Record<string, number>>;
      /** Null: it did not fail. */
      readonly failure: SweptFailure | null;
    }
  | { readonly type: "time"; readonly elapsedMs: number }
  | { readonly type: "cancelling" }
  | { readonly type: "ended"; readonly end: SweepEnd; readonly elapsedMs: number }
  /** The sweep itself broke. */
  | { readonly type: "broke"; readonly reason: string; readonly elapsedMs: number };

/** A failing run, small: what a list says of it. */
export interface SweptFailure {
  readonly scenario: string;
  readonly seed: string;
  readonly verdict: VerdictKind;
  /** Of the first finding. */
  readonly oracle: string;
  readonly message: string;
  /** What `ui` opens: the record, or a token where none could be written. */
  readonly target: string;
}

/** How far a sweep is. */
export interface SweepProgress {
  readonly scenarios: readonly string[];
  readonly seeds: string;
  readonly planned: number;
  readonly runs: number;
  /** The scenario of the last run. */
  readonly current: string;
  readonly tracePoints: number;
  readonly virtualTimeUs: number;
  readonly failing: number;
  readonly failures: readonly SweptFailure[];
  /** By "scenario: path": how often it was taken so far. */
  readonly paths: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
  readonly state: "running" | "cancelling" | SweepEnd | "broken";
  /** Why it broke, or null. */
  readonly reason: string | null;
}

export const NO_PROGRESS: SweepProgress = {
  scenarios: [],
  seeds: "",
  planned: 0,
  runs: 0,
  current: "",
  tracePoints: 0,
  virtualTimeUs: 0,
  failing: 0,
  failures: [],
  paths: {},
  elapsedMs: 0,
  state: "running",
  reason: null,
};

/** What is known after one more event. Pure. */
export function sweepProgress(progress: SweepProgress, event: SweepEvent): SweepProgress {
  switch (event.type) {
    case "began":
      return { ...NO_PROGRESS, scenarios: event.scenarios, seeds: event.seeds, planned: event.planned };
    case "run":
      return withRun(progress, event);
    case "time":
      return isOver(progress) ? progress : { ...progress, elapsedMs: event.elapsedMs };
    case "cancelling":
      return progress.state === "running" ? { ...progress, state: "cancelling" } : progress;
    case "ended":
      return { ...progress, state: event.end, elapsedMs: event.elapsedMs };
    case "broke":
      return { ...progress, state: "broken", reason: event.reason, elapsedMs: event.elapsedMs };
    default:
      return unreachable(event, "sweepProgress");
  }
}

function withRun(progress: SweepProgress, event: Extract<SweepEvent, { readonly type: "run" }>): SweepProgress {
  const { scenario, tracePoints, virtualTimeUs, failure } = event;
  const paths = { ...progress.paths };
  for (const [path, times] of Object.entries(event.sometimes)) {
    const name = `${scenario}: ${path}`;
    paths[name] = (paths[name] ?? 0) + times;
  }
  return {
    ...progress,
    runs: progress.runs + 1,
    current: scenario,
    tracePoints: progress.tracePoints + tracePoints,
    virtualTimeUs: progress.virtualTimeUs + virtualTimeUs,
    failing: progress.failing + (failure === null ? 0 : 1),
    failures: failure === null || progress.failures.length >= LISTED_FAILURES ? progress.failures : [...progress.failures, failure],
    paths,
  };
}

/** Nothing more comes of it. */
export function isOver({ state }: SweepProgress): boolean {
  return state !== "running" && state !== "cancelling";
}

/** Declared paths that were reached, and those that were not yet. */
export function reachedPaths({ paths }: SweepProgress): { readonly reached: number; readonly missing: readonly string[] } {
  const missing = Object.entries(paths).filter(([, times]) => times === 0).map(([name]) => name);
  return { reached: Object.keys(paths).length - missing.length, missing: missing.sort() };
}
