import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { VerdictKind } from "#whitewater/simulator/run-result.js";
import type { RunOptions } from "#whitewater/simulator/scenario.js";
import type { Sources } from "./mutated-engine.ts";
import { bundledModule, mutatedModules } from "./mutated-engine.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** What a child process is told to do. */
export interface HuntOrder {
  /** Modules that it gets in place of the compiled ones. */
  readonly sources: Sources;
  readonly scenarios: readonly string[];
  readonly fixed: Partial<RunOptions>;
  /** Seeds 1 … seeds. */
  readonly seeds: number;
  /** Null: whatever is reported counts. */
  readonly noticedBy: readonly string[] | null;
}

/** A run in which something was noticed. */
export interface Sighting {
  readonly scenario: string;
  readonly combination: string;
  readonly seed: string;
  readonly verdict: VerdictKind;
  readonly digest: string;
  /** The oracle; the verdict where it was none of them; "exception" where the run was not judged at all. */
  readonly oracle: string;
  readonly message: string;
}

export interface HuntResult {
  readonly found: Sighting | null;
  /** Runs in which only others noticed something; the first few. */
  readonly others: readonly Sighting[];
  readonly runs: number;
  /** Of the sweep, without the start of the process. */
  readonly milliseconds: number;
  /** Whether it was ended before its last seed; what its runs saw is not known then. */
  readonly outOfTime: boolean;
  /** Of each run. */
  readonly digests: readonly string[];
}

/** What the child process runs itself. */
const HUNTER = "hunter.ts";

/** No hunt takes longer: one that does has found nothing, because its bug is too rare or hangs the engine. */
const HUNT_LIMIT_MS = 240_000;

/** Sweeps with the bug in the engine. */
export function huntBug(bug: PlantedBug, seeds: number): Promise<HuntResult> {
  const { scenarios, fixed, noticedBy } = bug;
  return runHunt({ sources: mutatedModules(bug), scenarios, fixed, seeds, noticedBy });
}

/** Sweeps with the engine as it is; `replaced` are modules to load from memory all the same. */
export function huntClean(
  scenarios: readonly string[],
  fixed: Partial<RunOptions>,
  seeds: number,
  replaced: Sources = [],
): Promise<HuntResult> {
  return runHunt({ sources: replaced, scenarios, fixed, seeds, noticedBy: null });
}

function runHunt(order: HuntOrder): Promise<HuntResult> {
  const sources: Sources = [...order.sources, bundledModule(HUNTER)];
  const { NODE_V8_COVERAGE: _coverage, NODE_OPTIONS: _options, ...env } = process.env;
  const child = fork(fileURLToPath(new URL("child.mjs", import.meta.url)), { execArgv: [], env, stdio: ["ignore", "inherit", "pipe", "ipc"] });
  return new Promise((resolve, reject) => {
    let result: HuntResult | null = null;
    let errors = "";
    let outOfTime = false;
    const timer = setTimeout(() => {
      outOfTime = true;
      child.kill("SIGKILL");
    }, HUNT_LIMIT_MS);
    child.stderr?.on("data", (chunk: Buffer) => (errors += String(chunk)));
    child.on("message", (message) => (result = message as HuntResult));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (result !== null) resolve(result);
      else if (outOfTime) resolve({ found: null, others: [], runs: 0, milliseconds: HUNT_LIMIT_MS, outOfTime, digests: [] });
      else reject(new Error(`a hunt ended without a result (${signal ?? code}): ${errors.trim().slice(-2000)}`));
    });
    child.send({ ...order, sources });
  });
}
