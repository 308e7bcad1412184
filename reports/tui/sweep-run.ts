import type { LoadedScenario } from "../catalog/load-scenario.ts";
import type { ChunkRunner } from "../sweep/chunk.ts";
import type { FailedRun, SeedRow } from "../sweep/run-seed.ts";
import type { SeedRange } from "../sweep/seed.ts";
import { sweep, type SweepObserver } from "../sweep/sweep.ts";
import type { SweepEvent, SweptFailure } from "./sweep-progress.ts";

/** Between two reports of the time. */
const TICK_MS = 250;

export interface SweepPlan {
  readonly loaded: readonly LoadedScenario[];
  readonly seeds: SeedRange;
  /** In worker threads, so that keys are answered while it works. */
  readonly runner: ChunkRunner;
  /** Keeps a failing run; gives what opens it. */
  readonly keep: (run: FailedRun, from: LoadedScenario) => string;
  readonly tell: (event: SweepEvent) => void;
}

/** A sweep under way. */
export interface StartedSweep {
  /** Asks it to end; what is in hand is finished. */
  cancel(): void;
  /** When all of it is over, its threads too. Never rejects: what went wrong is told. */
  readonly over: Promise<void>;
}

/** Sweeps, and tells of everything that happens. Whoever starts one awaits `over` before the process ends. */
export function startSweep({ loaded, seeds, runner, keep, tell }: SweepPlan): StartedSweep {
  const beganMs = performance.now();
  const elapsed = (): number => performance.now() - beganMs;
  let cancelled = false;
  const scenarios = loaded.map(({ scenario }) => scenario.name);
  tell({ type: "began", scenarios, seeds: `${seeds.first}-${seeds.last}`, planned: Number(seeds.last - seeds.first + 1n) * scenarios.length });
  const observer: SweepObserver = {
    isInterrupted: () => cancelled,
    onProgress: () => undefined,
    onScenarioEnd: () => undefined,
    onRow: (scenario, row) => tell(runEvent(row, loaded[scenario] as LoadedScenario, keep)),
  };
  const tick = setInterval(() => tell({ type: "time", elapsedMs: elapsed() }), TICK_MS);
  const request = { scenarios, seeds, bail: null, timeMs: null, matrix: null, plans: null, keepRuns: false };
  const over = sweep(request, runner, observer)
    .then(({ end }) => tell({ type: "ended", end, elapsedMs: elapsed() }))
    .catch((error: unknown) => tell({ type: "broke", reason: reasonOf(error), elapsedMs: elapsed() }))
    .finally(() => clearInterval(tick))
    .then(() => runner.close())
    .catch(() => undefined);
  return {
    over,
    cancel(): void {
      if (cancelled) return;
      cancelled = true;
      runner.stop();
      tell({ type: "cancelling" });
    },
  };
}

function runEvent(row: SeedRow, from: LoadedScenario, keep: SweepPlan["keep"]): SweepEvent {
  const { tracePoints, virtualTimeUs, sometimes, failure } = row;
  const scenario = from.scenario.name;
  return { type: "run", scenario, tracePoints, virtualTimeUs, sometimes, failure: failure === null ? null : swept(failure, from, keep) };
}

function swept(run: FailedRun, from: LoadedScenario, keep: SweepPlan["keep"]): SweptFailure {
  const { scenario, seed, verdict, findings } = run.result;
  const [first] = findings;
  return { scenario, seed, verdict, oracle: first?.oracle ?? verdict, message: first?.message ?? "nothing was said", target: keep(run, from) };
}

function reasonOf(error: unknown): string {
  const own = error instanceof Error ? error.message : String(error);
  return error instanceof Error && error.cause instanceof Error ? `${own}: ${error.cause.message}` : own;
}
