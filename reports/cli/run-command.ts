import { resolve } from "node:path";
import type { Scenario } from "../../simulator/scenario.ts";
import { defaultSources, loadScenario, scenarioSource, type LoadedScenario } from "../catalog/load-scenario.ts";
import { buildDocument } from "../document/build-document.ts";
import type { ReportDocument, ReportHead } from "../document/report-document.ts";
import { localRunner, type ChunkRunner } from "../sweep/chunk.ts";
import type { RunSettings } from "../sweep/run-seed.ts";
import type { MatrixRequest } from "../sweep/matrix-sweep.ts";
import { impurities } from "../sweep/purity.ts";
import { sweep, type SweepOutcome } from "../sweep/sweep.ts";
import { visible } from "../text/visible.ts";
import type { ChosenCrashes } from "./crash-profile.ts";
import type { ExitCode } from "./exit-codes.ts";
import { reportFailures } from "./failures.ts";
import { gitCommit } from "./git-commit.ts";
import type { Host } from "./host.ts";
import { chooseMatrix, fixedInMatrix } from "./matrix-profile.ts";
import { Progress } from "./progress.ts";
import { checkReportFiles, printHead, publish } from "./publish.ts";
import { checkFixed, parseRunOptions, type RawRunOptions, type RunCommandOptions } from "./run-options.ts";
import { toolVersion } from "./version.ts";

/** Sweeps with fewer runs than this do not pay for starting worker threads. */
const WORKERS_FROM_RUNS = 24n;

/** `whitewater run`. */
export async function runCommand(names: readonly string[], raw: RawRunOptions, host: Host): Promise<ExitCode> {
  const options = parseRunOptions(raw, () => gitCommit(host.cwd));
  const matrix = options.profile === "matrix" ? await chooseMatrix(names, options) : null;
  const loaded = await loadAll(matrix?.names ?? names, options.input, host.cwd);
  const scenarios = loaded.map((one) => one.scenario);
  if (matrix === null) checkFixed(options.fixed, scenarios);
  checkReportFiles(options, host);
  const head = headOf(options);
  printHead(head, options, host);
  const stop = new AbortController();
  try {
    const impurePending = impuritiesBeside(loaded, options, host, stop.signal);
    const crashes = options.profile === "crash-everywhere" ? await crashesOf(scenarios, options) : null;
    const outcome = await runSweep(loaded, { matrix: matrix?.request ?? null, crashes }, options, host);
    const impure = outcome.end === "interrupted" ? [] : await impurePending;
    const document = documentOf(head, loaded, outcome, impure, crashes, options, host);
    publish(document, options, host);
    return document.exitCode as ExitCode;
  } finally {
    stop.abort();
  }
}

async function loadAll(names: readonly string[], input: string | null, cwd: string): Promise<LoadedScenario[]> {
  const sources =
    names.length === 0
      ? await defaultSources(input, cwd)
      : [...new Set(names)].map((name) => scenarioSource(name, input, cwd));
  const loaded: LoadedScenario[] = [];
  for (const source of sources) loaded.push(await loadScenario(source));
  return loaded;
}

function headOf(options: RunCommandOptions): ReportHead {
  const { first, last } = options.seeds;
  return {
    tool: toolVersion(),
    profile: options.profile,
    fixed: options.fixed,
    seeds: { first: String(first), last: String(last), commit: options.commit },
  };
}

/** What some profiles run instead of each seed once. */
interface Chosen {
  readonly matrix: MatrixRequest | null;
  readonly crashes: ChosenCrashes | null;
}

async function runSweep(
  loaded: readonly LoadedScenario[],
  { matrix, crashes }: Chosen,
  options: RunCommandOptions,
  host: Host,
): Promise<SweepOutcome> {
  const settings: RunSettings = {
    profile: options.profile,
    fixed: crashes?.fixed ?? options.fixed,
    maxSteps: options.maxSteps,
    selfCheckMillionths: options.selfCheckMillionths,
    restoreEveryMillionths: options.restoreEveryMillionths,
  };
  const perScenario = options.seeds.last - options.seeds.first + 1n;
  const planned = crashes?.plans.reduce((sum, { length }) => sum + length, 0);
  const runs = planned === undefined ? perScenario * BigInt(matrix === null ? loaded.length : matrix.cells.length) : BigInt(planned);
  const progress = new Progress(host, options.timeMs === null && matrix === null && crashes === null ? perScenario : null);
  const runner = await runnerFor(loaded, settings, runs, options.jobs, host);
  const stopListening = host.onInterrupt(() => {
    progress.interrupted = true;
    runner.stop();
  });
  try {
    const request = {
      scenarios: loaded.map((one) => one.scenario.name),
      seeds: options.seeds,
      bail: options.bail,
      timeMs: options.timeMs,
      matrix,
      plans: crashes?.plans ?? null,
      keepRuns: options.reporters.some((reporter) => reporter.name === "json"),
    };
    const outcome = await sweep(request, runner, progress);
    progress.end();
    return outcome;
  } finally {
    await runner.close();
    stopListening();
  }
}

async function runnerFor(
  loaded: readonly LoadedScenario[],
  settings: RunSettings,
  runs: bigint,
  jobs: number,
  host: Host,
): Promise<ChunkRunner> {
  const scenarios: readonly Scenario[] = loaded.map((one) => one.scenario);
  if (jobs === 1 || runs < WORKERS_FROM_RUNS) return localRunner(scenarios, settings, await host.simulate(settings.fixed.backend));
  const { workerRunner } = await import("../sweep/worker-runner.ts");
  return workerRunner(loaded.map((one) => one.source), settings, jobs);
}

/** Runs beside the sweep; not waited for where somebody interrupts, nor where the sweep fails. */
function impuritiesBeside(
  loaded: readonly LoadedScenario[],
  options: RunCommandOptions,
  host: Host,
  stop: AbortSignal,
): Promise<readonly string[]> {
  if (options.selfCheckMillionths === 0) return Promise.resolve([]);
  const names = loaded.map((one) => one.scenario.name);
  const found = impurities(names, loaded.map((one) => one.source), options.fixed, host.freshPairs, stop);
  found.catch(() => undefined);
  return found;
}

function documentOf(
  head: ReportHead,
  loaded: readonly LoadedScenario[],
  outcome: SweepOutcome,
  impure: readonly string[],
  crashes: ChosenCrashes | null,
  options: RunCommandOptions,
  host: Host,
): ReportDocument {
  const failures = outcome.failures.map(({ scenario, run }) => ({
    run,
    context: {
      tool: head.tool,
      source: (loaded[scenario] as LoadedScenario).source,
      profile: options.profile,
      fixed: options.profile === "matrix" ? fixedInMatrix(run.result) : (crashes?.fixed ?? options.fixed),
      maxSteps: options.maxSteps,
    },
  }));
  const out = { directory: resolve(host.cwd, options.out), shown: options.out };
  const reports = reportFailures(failures, out, (problem) => host.stderr.write(`whitewater: ${visible(problem)}\n`));
  return buildDocument(head, loaded.map((one) => one.scenario), outcome, impure, reports, crashes?.reports ?? []);
}

/** Found in this thread: it takes a few runs, and one for each of the first crashes of the pairs. */
async function crashesOf(scenarios: readonly Scenario[], options: RunCommandOptions): Promise<ChosenCrashes> {
  const { chooseCrashes } = await import("./crash-profile.ts");
  const { loadStateLibraries } = await import("../../scenarios/load-state-libraries.ts");
  return chooseCrashes(scenarios, options, await loadStateLibraries(options.fixed.backend));
}
