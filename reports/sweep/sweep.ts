import type { VerdictKind } from "../../simulator/run-result.ts";
import type { FaultPlan } from "../../simulator/faults/fault.ts";
import { cellName } from "../../simulator/explore/matrix.ts";
import { CHUNK_SEEDS, runsOf, type Chunk, type ChunkRows, type ChunkRunner } from "./chunk.ts";
import { countInCell, matrixChunks, type CellCounts, type MatrixRequest } from "./matrix-sweep.ts";
import { isFailing, type FailedRun, type SeedRow } from "./run-seed.ts";
import type { SeedRange } from "./seed.ts";
import { Tally } from "./tally.ts";

/** Failing runs that are kept whole, beside the first of each kind. */
export const KEPT_FAILURES = 50;
/** Runs with a plan each that are handed to a worker at once. */
const CHUNK_PLANS = 16;
/** Kinds of failure (scenario, verdict, oracle) whose first run is kept however late it comes. */
const KEPT_KINDS = 200;

export interface SweepRequest {
  /** Names of the scenarios, in the order in which they run. */
  readonly scenarios: readonly string[];
  readonly seeds: SeedRange;
  /** Stop after this many failing runs, or null. */
  readonly bail: number | null;
  /** Wall-clock time for the whole sweep, shared equally by the scenarios, or null. */
  readonly timeMs: number | null;
  /** Each seed runs in each of these combinations, with the job of its turn. */
  readonly matrix: MatrixRequest | null;
  /** By scenario: the first seed runs with each of these plans. Without it and a matrix, each seed runs once. */
  readonly plans: readonly (readonly FaultPlan[])[] | null;
  /** Keep a row of every run (for reports that list them). */
  readonly keepRuns: boolean;
}

export interface SweepObserver {
  /** True once somebody asked to stop (the runner was told too): what is in hand ends, nothing is begun. */
  isInterrupted(): boolean;
  /** After each chunk: runs of this scenario so far, and failing runs of the whole sweep. */
  onProgress(scenario: string, runs: number, failures: number): void;
  onScenarioEnd(scenario: string, runs: number, failures: number): void;
  /** Each run, in the order in which they are added up. `scenario`: its index in the request. */
  onRow?(scenario: number, row: SeedRow): void;
}

/** A run in a list of runs. */
export interface RunRow {
  readonly scenario: string;
  readonly combination: string;
  readonly seed: string;
  readonly verdict: VerdictKind;
  readonly digest: string;
  readonly steps: number;
  readonly tracePoints: number;
  readonly virtualTimeUs: number;
}

export interface KeptFailure {
  /** Index in the request's scenarios. */
  readonly scenario: number;
  readonly run: FailedRun;
}

/** Why the sweep ended. */
export type SweepEnd = "complete" | "bail" | "time" | "interrupted";

export interface SweepOutcome {
  readonly end: SweepEnd;
  /** One for each scenario of the request; empty where its turn never came. */
  readonly tallies: readonly Tally[];
  /** In the order of scenarios and seeds. */
  readonly failures: readonly KeptFailure[];
  /** All failing runs, kept or not. */
  readonly failureCount: number;
  readonly runs: readonly RunRow[] | null;
  /** By name of the cell, in the order of the request; empty without a matrix. */
  readonly cells: ReadonlyMap<string, CellCounts>;
}

/**
 * Runs every seed over every scenario and adds up in seed order, so that the outcome depends neither on the
 * number of workers nor on which of them was faster.
 */
export async function sweep(
  request: SweepRequest,
  runner: ChunkRunner,
  observer: SweepObserver,
): Promise<SweepOutcome> {
  const ledger = new Ledger(request);
  const startMs = Date.now();
  let end: SweepEnd = "complete";
  for (let scenario = 0; scenario < request.scenarios.length; scenario++) {
    const deadlineMs =
      request.timeMs === null ? null : startMs + (request.timeMs * (scenario + 1)) / request.scenarios.length;
    const scenarioEnd = await sweepScenario(request, scenario, deadlineMs, ledger, runner, observer);
    observer.onScenarioEnd(ledger.name(scenario), ledger.runsOf(scenario), ledger.failureCount);
    if (scenarioEnd !== "complete") end = scenarioEnd;
    if (end === "bail" || end === "interrupted") break;
  }
  runner.stop();
  return {
    end,
    tallies: ledger.tallies,
    failures: ledger.failures,
    failureCount: ledger.failureCount,
    runs: ledger.runs,
    cells: ledger.cells,
  };
}

async function sweepScenario(
  request: SweepRequest,
  scenario: number,
  deadlineMs: number | null,
  ledger: Ledger,
  runner: ChunkRunner,
  observer: SweepObserver,
): Promise<SweepEnd> {
  const chunks = chunksOf(request, scenario, deadlineMs);
  const inHand: { readonly chunk: Chunk; readonly rows: Promise<ChunkRows> }[] = [];
  const take = (): void => {
    const next = chunks.next();
    if (next.done === true) return;
    const rows = runner.run(next.value);
    // A chunk that fails while an earlier one is awaited is reported when its turn comes.
    rows.catch(() => undefined);
    inHand.push({ chunk: next.value, rows });
  };
  for (let i = 0; i < runner.window; i++) take();
  for (let head = inHand.shift(); head !== undefined; head = inHand.shift()) {
    const rows = await head.rows;
    for (const row of rows) {
      observer.onRow?.(scenario, row);
      if (!ledger.add(scenario, row)) return "bail";
    }
    observer.onProgress(ledger.name(scenario), ledger.runsOf(scenario), ledger.failureCount);
    if (rows.length < runsOf(head.chunk)) return observer.isInterrupted() ? "interrupted" : "time";
    if (!observer.isInterrupted()) take();
  }
  return observer.isInterrupted() ? "interrupted" : "complete";
}

function chunksOf(
  { seeds, matrix, plans }: SweepRequest,
  scenario: number,
  deadlineMs: number | null,
): Generator<Chunk, undefined> {
  if (matrix !== null) return matrixChunks(matrix, seeds, scenario, deadlineMs);
  if (plans !== null) return planChunks(plans[scenario] ?? [], seeds.first, scenario, deadlineMs);
  return seedChunks(seeds, scenario, deadlineMs);
}

function* seedChunks(seeds: SeedRange, scenario: number, deadlineMs: number | null): Generator<Chunk, undefined> {
  for (let first = seeds.first; first <= seeds.last; first += BigInt(CHUNK_SEEDS)) {
    const left = seeds.last - first + 1n;
    yield { scenario, first, count: left < CHUNK_SEEDS ? Number(left) : CHUNK_SEEDS, variants: null, deadlineMs };
  }
}

function* planChunks(
  plans: readonly FaultPlan[],
  first: bigint,
  scenario: number,
  deadlineMs: number | null,
): Generator<Chunk, undefined> {
  for (let from = 0; from < plans.length; from += CHUNK_PLANS) {
    const variants = plans.slice(from, from + CHUNK_PLANS).map((plan) => ({ fixed: {}, plan }));
    yield { scenario, first, count: 1, variants, deadlineMs };
  }
}

/** Takes rows in order and keeps what the report needs. */
class Ledger {
  readonly tallies: readonly Tally[];
  readonly failures: KeptFailure[] = [];
  readonly runs: RunRow[] | null;
  readonly cells: Map<string, CellCounts>;
  failureCount = 0;
  readonly #request: SweepRequest;
  readonly #kinds: Set<string> = new Set();

  constructor(request: SweepRequest) {
    this.#request = request;
    this.tallies = request.scenarios.map(() => new Tally());
    this.runs = request.keepRuns ? [] : null;
    this.cells = new Map((request.matrix?.cells ?? []).map((cell) => [cellName(cell), { runs: 0, covered: 0, failed: 0 }]));
  }

  name(scenario: number): string {
    return this.#request.scenarios[scenario] as string;
  }

  runsOf(scenario: number): number {
    return (this.tallies[scenario] as Tally).totals.runs;
  }

  /** False once the sweep has seen enough failures. */
  add(scenario: number, row: SeedRow): boolean {
    (this.tallies[scenario] as Tally).add(row);
    if (this.#request.matrix !== null) countInCell(this.cells, row);
    this.runs?.push({
      scenario: this.name(scenario),
      combination: row.combination,
      seed: row.seed,
      verdict: row.verdict,
      digest: row.digest,
      steps: row.steps,
      tracePoints: row.tracePoints,
      virtualTimeUs: row.virtualTimeUs,
    });
    if (row.failure === null || !isFailing(row.verdict)) return true;
    this.failureCount += 1;
    const kind = failureKind(scenario, row.failure);
    const isNew = !this.#kinds.has(kind) && this.#kinds.size < KEPT_KINDS;
    if (isNew) this.#kinds.add(kind);
    if (isNew || this.failures.length < KEPT_FAILURES) this.failures.push({ scenario, run: row.failure });
    return this.#request.bail === null || this.failureCount < this.#request.bail;
  }
}

/** Failures of one kind are probably one bug. */
function failureKind(scenario: number, run: FailedRun): string {
  return `${scenario} ${run.result.verdict} ${run.result.findings[0]?.oracle ?? ""}`;
}
