import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { RunRequest, RunResult, VerdictKind } from "../../simulator/run-result.ts";
import { PROFILES, RESTORE_EVERY } from "../../simulator/run-result.ts";
import { loadScenario, scenarioSource, type LoadedScenario } from "../catalog/load-scenario.ts";
import type { ScenarioSource } from "../catalog/scenario-source.ts";
import { UsageError } from "../files/usage-error.ts";
import { looksLikeToken, oneOf, optionsOfCombination, parseToken } from "../record/token.ts";
import type { RunRecord } from "../record/run-record.ts";
import { requestFor } from "../sweep/run-seed.ts";
import type { Host } from "./host.ts";
import { checkFixed, parseMaxSteps } from "./run-options.ts";
import { toolVersion } from "./version.ts";

/** How the run that is named was made, where its name does not say it. */
export interface RawTargetOptions {
  readonly profile: string;
  readonly maxSteps?: string;
  readonly input?: string;
}

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
  /** The record's file, as the user wrote it; null: a token. */
  readonly record: string | null;
  /** Version of whitewater that made it, or null. */
  readonly tool: string | null;
}

/** The run that a record file, a token or scenario@seed names. */
export async function findTarget(text: string, raw: RawTargetOptions, host: Host): Promise<ReplayTarget> {
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

function recordTarget(record: RunRecord, shown: string, raw: RawTargetOptions, host: Host): ReplayTarget {
  const input = raw.input ?? record.scenario.input;
  const { seed, profile, options, plan, checked, maxSteps } = record;
  return {
    source: scenarioSource(record.scenario.file ?? record.scenario.name, input, host.cwd),
    requests: [{ seed, profile, fixed: options, plan, oracles: true, checked, restoreEvery: wasRestoredEvery(record), maxSteps }],
    expected: { digest: record.digest, verdict: record.expected, from: `record ${shown}`, record: shown, tool: record.tool },
  };
}

/** Its checkpoints are restored again where that found something. */
function wasRestoredEvery({ findings }: RunRecord): boolean {
  return findings.some(({ oracle }) => oracle === RESTORE_EVERY);
}

function tokenTarget(text: string, raw: RawTargetOptions, host: Host): ReplayTarget {
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
    expected: { digest: token.digest, verdict: null, from: "token", record: null, tool: null },
  };
}

/** The scenario; null (and a line that says so) where a record's is gone. */
export async function loadTarget(target: ReplayTarget, host: Host): Promise<LoadedScenario | null> {
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

/** Why what a run gave is not what was expected any more, or null. */
export function staleness(result: RunResult, expected: ReplayExpectation): string | null {
  const version = expected.tool === null || expected.tool === toolVersion() ? "" : ` (made by version ${expected.tool})`;
  const wrongVerdict = expected.verdict !== null && result.verdict !== expected.verdict;
  if (wrongVerdict) return `${expected.from} says ${expected.verdict}, now it is ${result.verdict}${version}`;
  if (result.verdict === "diverged" || result.digest.startsWith(expected.digest)) return null;
  return `${expected.from} says digest ${expected.digest}, now it is ${result.digest}${version}`;
}

/** The same of a run that was made once: whether a second one would be another is not known of it. */
export function stalenessOfOne(result: RunResult, expected: ReplayExpectation): string | null {
  if (expected.verdict !== "diverged") return staleness(result, expected);
  return `${expected.from} says diverged: its runs are not all the same, and this is one of them`;
}
