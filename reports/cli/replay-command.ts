import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { RunRequest, RunResult, VerdictKind } from "../../simulator/run-result.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { loadScenario, scenarioSource, type LoadedScenario } from "../catalog/load-scenario.ts";
import type { ScenarioSource } from "../catalog/scenario-source.ts";
import { UsageError } from "../files/usage-error.ts";
import { looksLikeToken, oneOf, optionsOfCombination, parseToken } from "../record/token.ts";
import type { RecordContext, RunRecord } from "../record/run-record.ts";
import { judgePair, requestFor, runOnce, type FailedRun, type Simulate } from "../sweep/run-seed.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import type { RawReplayOptions } from "./replay-options.ts";
import { printReplay } from "./replay-report.ts";
import { PROFILES, RESTORE_EVERY } from "../../simulator/run-result.ts";
import { checkFixed, parseMaxSteps } from "./run-options.ts";
import { toolVersion } from "./version.ts";

/** What a replay is to run, and what it is to give. */
export interface ReplayTarget {
  readonly source: ScenarioSource;
  /** How the run may have been asked for; the first that gives the expected digest is it. */
  readonly requests: readonly RunRequest[];
  readonly expected: ReplayExpectation | null;
}

export interface ReplayExpectation {
  /** The digest, or its first digits. */
  readonly digest: string;
  /** null: not known. */
  readonly verdict: VerdictKind | null;
  /** "record .whitewater/x.json", "token". */
  readonly from: string;
  /** Version of whitewater that made it, or null. */
  readonly tool: string | null;
}

export interface Replayed {
  readonly run: FailedRun;
  readonly expected: ReplayExpectation | null;
  /** Why the expectation does not apply any more, or null. */
  readonly stale: string | null;
  readonly context: RecordContext;
}

/** `whitewater replay`. */
export async function replayCommand(text: string, raw: RawReplayOptions, host: Host): Promise<ExitCode> {
  const target = await findTarget(text, raw, host);
  const loaded = await loadTarget(target, host);
  if (loaded === null) return EXIT.stale;
  const replayed = replay(target, loaded, await host.simulate());
  printReplay(replayed, { json: raw.json === true, color: raw.color }, host);
  if (replayed.run.result.verdict === "diverged") return EXIT.notDeterministic;
  return replayed.stale === null ? exitCodeOfVerdict(replayed.run.result.verdict) : EXIT.stale;
}

async function findTarget(text: string, raw: RawReplayOptions, host: Host): Promise<ReplayTarget> {
  const path = resolve(host.cwd, text);
  const isFile = existsSync(path) && statSync(path).isFile();
  if (!isFile && looksLikeToken(text)) return tokenTarget(text, raw, host);
  if (isFile || text.endsWith(".json")) {
    const { readRecord } = await import("../record/read-record.ts");
    return recordTarget(readRecord(path, text), text, raw, host);
  }
  throw new UsageError(
    text,
    "is neither a record file nor a token",
    "give .whitewater/….json, ww1:scenario/combination@seed#digest or scenario@seed",
  );
}

function recordTarget(record: RunRecord, shown: string, raw: RawReplayOptions, host: Host): ReplayTarget {
  const input = raw.input ?? record.scenario.input;
  const { seed, profile, options, plan, checked, maxSteps } = record;
  return {
    source: scenarioSource(record.scenario.file ?? record.scenario.name, input, host.cwd),
    requests: [{ seed, profile, fixed: options, plan, oracles: true, checked, restoreEvery: wasRestoredEvery(record), maxSteps }],
    expected: { digest: record.digest, verdict: record.expected, from: `record ${shown}`, tool: record.tool },
  };
}

/** Its checkpoints are restored again where that found something. */
function wasRestoredEvery({ findings }: RunRecord): boolean {
  return findings.some(({ oracle }) => oracle === RESTORE_EVERY);
}

function tokenTarget(text: string, raw: RawReplayOptions, host: Host): ReplayTarget {
  const token = parseToken(text);
  const profile = oneOf(raw.profile, PROFILES, `--profile ${raw.profile}`);
  const settings = { profile, fixed: {}, maxSteps: parseMaxSteps(raw.maxSteps), selfCheckMillionths: 0, restoreEveryMillionths: 1_000_000 };
  const source = scenarioSource(token.scenario, raw.input ?? null, host.cwd);
  const drawn = requestFor(String(token.seed), settings, false);
  if (token.kind === "short") return { source, requests: [drawn], expected: null };
  const fixed = optionsOfCombination(token.combination, `token ${JSON.stringify(text)}`);
  const requests = [drawn, { ...drawn, fixed }];
  return {
    source,
    requests: [...requests, ...requests.map((request) => ({ ...request, checked: true }))],
    expected: { digest: token.digest, verdict: null, from: "token", tool: null },
  };
}

/** The scenario; null (and a line that says so) where a record's is gone. */
async function loadTarget(target: ReplayTarget, host: Host): Promise<LoadedScenario | null> {
  try {
    const loaded = await loadScenario(target.source);
    for (const request of target.requests) checkFixed(request.fixed, [loaded.scenario]);
    return loaded;
  } catch (error) {
    const isRecord = target.expected !== null && target.expected.verdict !== null;
    if (!isRecord || !(error instanceof UsageError)) throw error;
    host.stderr.write(`whitewater: ${target.expected.from}: is stale, it no longer applies (${error.message})\n`);
    return null;
  }
}

function replay(target: ReplayTarget, loaded: LoadedScenario, simulate: Simulate): Replayed {
  const { expected } = target;
  const tried: { readonly request: RunRequest; readonly result: RunResult }[] = [];
  for (const request of target.requests) {
    tried.push({ request, result: runOnce(loaded.scenario, request, simulate) });
    if (expected === null || tried.at(-1)?.result.digest.startsWith(expected.digest) === true) break;
  }
  const last = tried.at(-1);
  const matches = expected === null || last?.result.digest.startsWith(expected.digest) === true;
  // Where nothing gives the digest, what the seed draws today is shown.
  const { request, result } = (matches ? last : tried[0]) as (typeof tried)[number];
  const run = judgePair(result, runOnce(loaded.scenario, request, simulate), request.checked);
  return {
    run,
    expected,
    stale: expected === null ? null : staleness(run.result, expected),
    context: {
      tool: toolVersion(),
      source: loaded.source,
      profile: request.profile,
      fixed: request.fixed,
      maxSteps: request.maxSteps,
    },
  };
}

function staleness(result: RunResult, expected: ReplayExpectation): string | null {
  const version = expected.tool === null || expected.tool === toolVersion() ? "" : ` (made by version ${expected.tool})`;
  const wrongVerdict = expected.verdict !== null && result.verdict !== expected.verdict;
  if (wrongVerdict) return `${expected.from} says ${expected.verdict}, now it is ${result.verdict}${version}`;
  if (result.verdict === "diverged" || result.digest.startsWith(expected.digest)) return null;
  return `${expected.from} says digest ${expected.digest}, now it is ${result.digest}${version}`;
}

function exitCodeOfVerdict(verdict: VerdictKind): ExitCode {
  switch (verdict) {
    case "ok":
    case "expected-failure":
      return EXIT.ok;
    case "violation":
    case "crashed":
    case "invalid-plan":
      return EXIT.violation;
    case "stuck":
      return EXIT.stuck;
    case "diverged":
      return EXIT.notDeterministic;
    default:
      return unreachable(verdict, "exitCodeOfVerdict");
  }
}
