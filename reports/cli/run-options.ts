import { availableParallelism } from "node:os";
import { invalidCombination } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import { STEPS_LIMIT } from "../../engine/base/limits.ts";
import { PROFILES, type Profile } from "../../simulator/run-result.ts";
import type { RunOptions, Scenario } from "../../simulator/scenario.ts";
import { UsageError } from "../files/usage-error.ts";
import { OPTION_VALUES, oneOf, parseParallelisms } from "../record/token.ts";
import { endlessRange, parseSeed, parseSeedRange, rangeFrom, seedOfCommit, type SeedRange } from "../sweep/seed.ts";

/** Seeds of a sweep for which none are given: as many as it takes to judge `sometimes`. */
const DEFAULT_SEEDS = 200n;
const JOBS_LIMIT = 256;
/** Every crash of a small job fits. */
const DEFAULT_CRASHES = 12_000;
const DEFAULT_PAIRS = 400;

/** The options of `run` as the command line gives them. */
export interface RawRunOptions {
  readonly seeds?: string;
  readonly seed?: string;
  readonly time?: string;
  readonly jobs?: string;
  readonly bail?: string;
  readonly selfCheck: string;
  readonly restoreEvery: string;
  readonly maxSteps?: string;
  readonly maxRuns?: string;
  readonly pairs?: string;
  readonly profile: string;
  readonly parallelism?: string;
  readonly backend?: string;
  readonly mode?: string;
  readonly restore?: string;
  readonly failover?: string;
  readonly input?: string;
  readonly out: string;
  readonly reporter: readonly string[];
  readonly color: boolean;
}

export type ReporterName = "default" | "json";
export interface ReporterSpec {
  readonly name: ReporterName;
  /** null: standard output. */
  readonly file: string | null;
}

export interface RunCommandOptions {
  readonly seeds: SeedRange;
  /** The commit the seeds were derived from, or null. */
  readonly commit: string | null;
  readonly timeMs: number | null;
  readonly jobs: number;
  readonly bail: number | null;
  readonly selfCheckMillionths: number;
  readonly restoreEveryMillionths: number;
  readonly maxSteps: number;
  /** Of `crash-everywhere`: runs with one crash, and with two. */
  readonly maxRuns: number;
  readonly pairs: number;
  readonly profile: Profile;
  readonly fixed: Partial<RunOptions>;
  readonly input: string | null;
  readonly out: string;
  readonly reporters: readonly ReporterSpec[];
  readonly color: boolean;
}

/** Reads the options; throws UsageError for the first wrong one. `commitOf` gives the current commit or null. */
export function parseRunOptions(raw: RawRunOptions, commitOf: () => string | null): RunCommandOptions {
  const timeMs = raw.time === undefined ? null : parseDuration(raw.time, `--time ${raw.time}`);
  const { seeds, commit } = chooseSeeds(raw, timeMs !== null, commitOf);
  return {
    seeds,
    commit,
    timeMs,
    jobs: raw.jobs === undefined ? availableParallelism() : parseCount(raw.jobs, "--jobs", JOBS_LIMIT),
    bail: raw.bail === undefined ? null : parseCount(raw.bail, "--bail", Number.MAX_SAFE_INTEGER),
    selfCheckMillionths: parseShare(raw.selfCheck, `--self-check ${raw.selfCheck}`),
    restoreEveryMillionths: parseShare(raw.restoreEvery, `--restore-every ${raw.restoreEvery}`),
    maxSteps: parseMaxSteps(raw.maxSteps),
    ...parseCrashLimits(raw),
    profile: oneOf(raw.profile, PROFILES, `--profile ${raw.profile}`),
    fixed: parseFixed(raw),
    input: raw.input ?? null,
    out: raw.out,
    reporters: parseReporters(raw.reporter),
    color: raw.color,
  };
}

function chooseSeeds(
  raw: RawRunOptions,
  endless: boolean,
  commitOf: () => string | null,
): { readonly seeds: SeedRange; readonly commit: string | null } {
  if (raw.seeds !== undefined && raw.seed !== undefined) {
    throw new UsageError(`--seeds ${raw.seeds} --seed ${raw.seed}`, "say two different things", "give one of them");
  }
  if (raw.seeds !== undefined) return { seeds: parseSeeds(raw.seeds, raw.profile), commit: null };
  if (raw.seed !== undefined) {
    const seed = parseSeed(raw.seed, `--seed ${raw.seed}`);
    return { seeds: { first: seed, last: seed }, commit: null };
  }
  const commit = commitOf();
  const first = commit === null ? 1n : seedOfCommit(commit);
  const count = raw.profile === "crash-everywhere" ? 1n : DEFAULT_SEEDS;
  return { seeds: endless ? endlessRange(first) : rangeFrom(first, count), commit };
}

function parseSeeds(text: string, profile: string): SeedRange {
  const seeds = parseSeedRange(text, `--seeds ${text}`);
  if (profile !== "crash-everywhere" || seeds.first === seeds.last) return seeds;
  throw new UsageError(`--seeds ${text}`, "is more than one seed, and --profile crash-everywhere tries all crashes of one", `write --seed ${seeds.first}`);
}

function parseCrashLimits({ profile, maxRuns, pairs }: RawRunOptions): Pick<RunCommandOptions, "maxRuns" | "pairs"> {
  const given = maxRuns !== undefined ? `--max-runs ${maxRuns}` : pairs !== undefined ? `--pairs ${pairs}` : null;
  if (given !== null && profile !== "crash-everywhere") {
    throw new UsageError(given, "says how many crashes are tried", "add --profile crash-everywhere, or leave it out");
  }
  return {
    maxRuns: maxRuns === undefined ? DEFAULT_CRASHES : parseCount(maxRuns, "--max-runs", Number.MAX_SAFE_INTEGER),
    pairs: pairs === undefined ? DEFAULT_PAIRS : pairs === "0" ? 0 : parseCount(pairs, "--pairs", Number.MAX_SAFE_INTEGER),
  };
}

/** A whole number from 1 to `most`. */
export function parseCount(text: string, option: string, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) {
    const limit = most === Number.MAX_SAFE_INTEGER ? "from 1 on" : `from 1 to ${most}`;
    throw new UsageError(`${option} ${text}`, "is no such number", `give a whole number ${limit}`);
  }
  return value;
}

export function parseMaxSteps(text: string | undefined): number {
  return text === undefined ? STEPS_LIMIT : parseCount(text, "--max-steps", Number.MAX_SAFE_INTEGER);
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** "90s" in milliseconds. */
export function parseDuration(text: string, input: string): number {
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text) ?? [];
  const value = Number(digits) * (UNIT_MS[unit as keyof typeof UNIT_MS] ?? 0);
  if (!(value > 0)) throw new UsageError(input, "is no duration", "give a number with ms, s, m or h: 90s, 10m, 1h");
  return value;
}

/** "5%" in millionths. */
export function parseShare(text: string, input: string): number {
  const digits = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text)?.[1];
  const percent = digits === undefined ? -1 : Number(digits);
  if (percent < 0 || percent > 100) throw new UsageError(input, "is no share", "give 0% to 100%, such as 5%");
  return Math.round(percent * 10_000);
}

function parseFixed(raw: RawRunOptions): Partial<RunOptions> {
  const { backend, mode, restore, failover, parallelism } = raw;
  return {
    ...(backend !== undefined && { backend: oneOf(backend, OPTION_VALUES.backend, `--backend ${backend}`) }),
    ...(mode !== undefined && { mode: oneOf(mode, OPTION_VALUES.mode, `--mode ${mode}`) }),
    ...(restore !== undefined && { restore: oneOf(restore, OPTION_VALUES.restore, `--restore ${restore}`) }),
    ...(failover !== undefined && { failover: oneOf(failover, OPTION_VALUES.failover, `--failover ${failover}`) }),
    ...(parallelism !== undefined && fixedParallelisms(parallelism)),
  };
}

function fixedParallelisms(text: string): Pick<RunOptions, "parallelism" | "parallelismAfter"> {
  const parallelisms = parseParallelisms(text);
  if (parallelisms !== null && parallelisms.parallelism <= 1 << 15 && parallelisms.parallelismAfter <= 1 << 15) return parallelisms;
  throw new UsageError(`--parallelism ${text}`, "is no such number", `give a whole number from 1 to ${1 << 15}, or two of them: 4to2`);
}

/** Throws UsageError where a scenario does not run with what is fixed, or that does not go together. */
export function checkFixed(fixed: Partial<RunOptions>, scenarios: readonly Scenario[]): void {
  const { parallelism: from, parallelismAfter } = fixed;
  for (const scenario of scenarios) {
    const { name, parallelisms, modes = ["aligned"], restores = ["full"], failovers = ["job"], backends = STATE_BACKENDS } = scenario;
    requireChoice("--parallelism", fixed.parallelism, name, parallelisms);
    const after = scenario.rescales === true ? parallelisms : [fixed.parallelism ?? 0];
    requireChoice(`--parallelism ${from ?? ""}to`, parallelismAfter, name, after, "");
    requireChoice("--backend", fixed.backend, name, backends);
    requireChoice("--mode", fixed.mode, name, modes);
    requireChoice("--restore", fixed.restore, name, restores);
    requireChoice("--failover", fixed.failover, name, failovers);
  }
  const { backend = "lsm", restore = "full", failover = "job" } = fixed;
  const invalid = invalidCombination({ backend, restore, failover, rescales: from !== parallelismAfter });
  if (invalid === null) return;
  const { reason, wayOut } = invalid;
  throw new UsageError("this combination", reason, `${wayOut.charAt(0).toLowerCase()}${wayOut.slice(1)}`);
}

function requireChoice<T>(option: string, value: T | undefined, scenario: string, choices: readonly T[], gap = " "): void {
  if (value === undefined || choices.includes(value)) return;
  throw doesNotRun(`${option}${gap}${String(value)}`, scenario, choices);
}

function doesNotRun(input: string, scenario: string, choices: readonly unknown[]): UsageError {
  return new UsageError(input, `${scenario} does not run with it`, `choose one of: ${choices.join(", ")}`);
}

/** "json=report.json", "default": none given means the default one on standard output. */
export function parseReporters(specs: readonly string[]): ReporterSpec[] {
  if (specs.length === 0) return [{ name: "default", file: null }];
  const targets = new Set<string | null>();
  return specs.map((spec) => {
    const input = `--reporter ${spec}`;
    const equals = spec.indexOf("=");
    const name = oneOf(equals < 0 ? spec : spec.slice(0, equals), ["default", "json"] as const, input);
    const file = equals < 0 ? null : spec.slice(equals + 1);
    if (file === "") throw new UsageError(input, "names no file", `write ${name}=FILE, or ${name} for standard output`);
    if (targets.has(file)) {
      const where = file === null ? "standard output" : file;
      throw new UsageError(input, `two reporters write to ${where}`, "give each a file of its own: json=report.json");
    }
    targets.add(file);
    return { name, file };
  });
}
