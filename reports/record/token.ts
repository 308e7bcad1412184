import { UsageError } from "../files/usage-error.ts";
import { CHECKPOINT_MODES, FAILOVER_SCOPES, RESTORE_STRATEGIES } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import type { RunOptions } from "../../simulator/scenario.ts";
import { parseSeed } from "../sweep/seed.ts";

/** A run in one word. */
export type RunToken =
  | { readonly kind: "short"; readonly scenario: string; readonly seed: bigint }
  | {
      readonly kind: "full";
      readonly scenario: string;
      readonly combination: string;
      readonly seed: bigint;
      /** The first digits of the digest. */
      readonly digest: string;
    };

const FULL = /^ww1:(.+)\/([^/@]+\/[^/@]+\/[^/@]+\/[^/@]+\/[^/@]+)@([0-9]+)#([0-9a-f]{8,16})$/;
const FORMS = "give a record file (.whitewater/flights-9f3ac1d2.json), a token (ww1:…) or scenario@seed (flights@7)";

/** Names a run and what it gave: `ww1:flights/heap/aligned/full/4to4/job@7#9f3ac1d2`. */
export function formatToken(scenario: string, combination: string, seed: string, digest: string): string {
  return `ww1:${scenario}/${combination}@${seed}#${digest.slice(0, 8)}`;
}

/** True for what is meant as a token, well-formed or not. */
export function looksLikeToken(text: string): boolean {
  return /^ww\d+:/.test(text) || (text.includes("@") && !text.endsWith(".json"));
}

/** Reads either form; throws UsageError that says what a token looks like. */
export function parseToken(text: string): RunToken {
  const input = `token ${JSON.stringify(text)}`;
  const version = /^ww(\d+):/.exec(text)?.[1];
  if (version !== undefined && version !== "1") {
    throw new UsageError(input, "was made by a later version", "install that version of whitewater");
  }
  if (version === undefined) {
    const at = text.lastIndexOf("@");
    if (at <= 0 || at === text.length - 1) throw new UsageError(input, "is no token", FORMS);
    return { kind: "short", scenario: text.slice(0, at), seed: parseSeed(text.slice(at + 1), input) };
  }
  const [, scenario, combination, seed, digest] = FULL.exec(text) ?? [];
  if (scenario === undefined || combination === undefined || seed === undefined || digest === undefined) {
    throw new UsageError(input, "is cut off or mistyped", "paste it whole (ww1:scenario/combination@seed#digest)");
  }
  return { kind: "full", scenario, combination, seed: parseSeed(seed, input), digest };
}

export const OPTION_VALUES: {
  readonly backend: readonly RunOptions["backend"][];
  readonly mode: readonly RunOptions["mode"][];
  readonly restore: readonly RunOptions["restore"][];
  readonly failover: readonly RunOptions["failover"][];
} = { backend: STATE_BACKENDS, mode: CHECKPOINT_MODES, restore: RESTORE_STRATEGIES, failover: FAILOVER_SCOPES };

/** The value if it is one of those an option takes; throws UsageError that lists them. */
export function oneOf<T extends string>(value: string, values: readonly T[], input: string): T {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new UsageError(input, "there is no such value", `choose one of: ${values.join(", ")}`);
  return found;
}

/** The options that a combination ("heap/aligned/full/4to4/job") fixes. */
export function optionsOfCombination(combination: string, input: string): Partial<RunOptions> {
  const [backend = "", mode = "", restore = "", parallelism = "", failover = ""] = combination.split("/");
  const parallelisms = parseParallelisms(parallelism);
  if (parallelisms === null) {
    throw new UsageError(input, `${JSON.stringify(parallelism)} is no parallelism`, "paste the token whole");
  }
  return {
    backend: oneOf(backend, OPTION_VALUES.backend, `${input}, backend ${JSON.stringify(backend)}`),
    mode: oneOf(mode, OPTION_VALUES.mode, `${input}, mode ${JSON.stringify(mode)}`),
    restore: oneOf(restore, OPTION_VALUES.restore, `${input}, restore ${JSON.stringify(restore)}`),
    ...parallelisms,
    failover: oneOf(failover, OPTION_VALUES.failover, `${input}, failover ${JSON.stringify(failover)}`),
  };
}

/** "4" or "4to2": before and after a restore; null for anything else. */
export function parseParallelisms(text: string): Pick<RunOptions, "parallelism" | "parallelismAfter"> | null {
  const [, before, after = before] = /^([1-9]\d{0,4})(?:to([1-9]\d{0,4}))?$/.exec(text) ?? [];
  return before === undefined ? null : { parallelism: Number(before), parallelismAfter: Number(after) };
}
