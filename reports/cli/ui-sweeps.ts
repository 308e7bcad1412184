import { availableParallelism } from "node:os";
import { STEPS_LIMIT } from "../../engine/base/limits.ts";
import { defaultSources, loadScenario, scenarioSource, type LoadedScenario } from "../catalog/load-scenario.ts";
import type { FailedRun, RunSettings } from "../sweep/run-seed.ts";
import { UsageError } from "../files/usage-error.ts";
import { parseSeedRange } from "../sweep/seed.ts";
import { workerRunner } from "../sweep/worker-runner.ts";
import type { SweepEvent } from "../tui/sweep-progress.ts";
import { startSweep, type StartedSweep } from "../tui/sweep-run.ts";
import { reportFailures, type RecordDirectory } from "./failures.ts";
import { formatToken } from "../record/token.ts";
import { toolVersion } from "./version.ts";

/** Failing runs of one sweep of which a record is written; the others are opened by their tokens. */
const RECORDS_LIMIT = 100;
/** As `run` has it where nothing is said. */
const SETTINGS: RunSettings = { profile: "swarm", fixed: {}, maxSteps: STEPS_LIMIT, selfCheckMillionths: 50_000, restoreEveryMillionths: 10_000 };

/** The sweeps that the picker begins: one at a time, in threads of their own, one core left for the screen. */
export class UiSweeps {
  readonly #cwd: string;
  readonly #out: RecordDirectory;
  readonly #tell: (event: SweepEvent) => void;
  #started: StartedSweep | null = null;
  #isUnderWay = false;

  constructor(cwd: string, out: RecordDirectory, tell: (event: SweepEvent) => void) {
    this.#cwd = cwd;
    this.#out = out;
    this.#tell = tell;
  }

  /** Some of its threads may still work. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** `name` null: all scenarios. Throws UsageError where the seeds are none; after that all is told. */
  async start(name: string | null, seeds: string): Promise<void> {
    if (this.#isUnderWay) throw new UsageError("another sweep", "is not over yet", "cancel it with c, or wait");
    this.#isUnderWay = true;
    try {
      await this.#start(name, seeds);
    } catch (error) {
      this.#isUnderWay = false;
      throw error;
    }
  }

  async #start(name: string | null, seeds: string): Promise<void> {
    const range = parseSeedRange(seeds, `seeds ${JSON.stringify(seeds)}`);
    const sources = name === null ? await defaultSources(null, this.#cwd) : [scenarioSource(name, null, this.#cwd)];
    const loaded: LoadedScenario[] = [];
    for (const source of sources) loaded.push(await loadScenario(source));
    const runner = await workerRunner(sources, SETTINGS, Math.max(1, availableParallelism() - 1));
    let kept = 0;
    const keep = (run: FailedRun, from: LoadedScenario): string => {
      kept += 1;
      return (kept > RECORDS_LIMIT ? null : this.#record(run, from)) ?? tokenOf(run);
    };
    this.#started = startSweep({ loaded, seeds: range, runner, keep, tell: this.#tell });
    void this.#started.over.then(() => (this.#isUnderWay = false));
  }

  cancel(): void {
    this.#started?.cancel();
  }

  /** Ends what is under way, and waits until its threads are gone. */
  async end(): Promise<void> {
    this.cancel();
    await this.#started?.over;
  }

  #record(run: FailedRun, { source }: LoadedScenario): string | null {
    const { profile, fixed, maxSteps } = SETTINGS;
    const context = { tool: toolVersion(), source, profile, fixed, maxSteps };
    const [report] = reportFailures([{ run, context }], this.#out, () => undefined);
    return report?.record ?? null;
  }
}

function tokenOf({ result }: FailedRun): string {
  return formatToken(result.scenario, result.combination, result.seed, result.digest);
}
