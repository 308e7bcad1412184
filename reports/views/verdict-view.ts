import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { failureReport } from "../cli/failures.ts";
import { failureBlock } from "../document/failure-block.ts";
import type { FailureReport } from "../document/report-document.ts";
import { isFailing } from "../sweep/run-seed.ts";
import { counted, grouped, seconds } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { Journey } from "../travel/journey.ts";
import { runIndexOf } from "../travel/run-index.ts";
import { type Line, line, span, type Tone } from "./line.ts";
import type { View } from "./view.ts";

/** Where a finding lies for whoever stands at a step. */
export type FindingPlace = "before" | "here" | "ahead";

export interface PlacedFinding {
  /** Number in the result. */
  readonly index: number;
  readonly oracle: string;
  readonly message: string;
  /** At whose end its oracle saw it. */
  readonly step: number;
  readonly atUs: number;
  readonly place: FindingPlace;
}

export interface VerdictFacts {
  readonly verdict: string;
  /** Null: the run did not fail. */
  readonly failure: FailureReport | null;
  /** In the order of their steps. */
  readonly findings: readonly PlacedFinding[];
  readonly digest: string;
  readonly steps: number;
  readonly virtualTimeUs: number;
  readonly restarts: number;
  readonly checkpointsCompleted: number;
  readonly faultsFired: number;
  readonly faultsPlanned: number;
}

export interface VerdictView extends View {
  readonly facts: VerdictFacts;
  /** By finding: its line. */
  readonly rows: readonly { readonly line: number; readonly finding: PlacedFinding }[];
}

/**
 * What is to be said of a failing run, as a sweep says it; null for one that did not fail. No command makes a branch
 * again by itself.
 */
export function failureOf({ tape, request, scenario, origin, machine, branch }: Journey): FailureReport | null {
  const { result } = tape;
  if (!isFailing(result.verdict)) return null;
  const { profile, fixed, maxSteps } = request;
  const source = origin?.source ?? { kind: "library" as const, name: scenario.name, input: null };
  const isTakenAgain = machine.deviation !== null;
  const run = { result, checked: request.checked, runs: isTakenAgain ? 2 : 1, agreeing: 1 };
  const report = failureReport(run, { tool: "", source, profile, fixed, maxSteps }, origin?.record ?? null);
  return branch === undefined ? report : { ...report, reproduce: [], record: null };
}

export function verdictFacts(tape: RunTape, step: number, failure: FailureReport | null): VerdictFacts {
  const { result } = tape;
  const { faults, findings } = runIndexOf(tape);
  return {
    verdict: result.verdict,
    failure,
    findings: findings.map(({ step: at, atUs, index, finding: { oracle, message } }) => ({ index, oracle, message, step: at, atUs, place: placeOf(at, step) })),
    digest: result.digest,
    steps: result.steps,
    virtualTimeUs: result.virtualTimeUs,
    restarts: result.restarts,
    checkpointsCompleted: result.checkpointsCompleted,
    faultsFired: faults.length,
    faultsPlanned: result.plan.length,
  };
}

/** The failure block, and each finding with where it lies. */
export function verdictView(tape: RunTape, step: number, failure: FailureReport | null): VerdictView {
  const facts = verdictFacts(tape, step, failure);
  const lines: Line[] = failure === null ? [...quietLines(facts)] : blockLines(failure);
  const rows: { readonly line: number; readonly finding: PlacedFinding }[] = [];
  if (facts.findings.length > 0) lines.push([], line(span(`${counted(facts.findings.length, "finding")}, each where its oracle saw it:`, "strong")));
  for (const finding of facts.findings) {
    rows.push({ line: lines.length, finding });
    lines.push(findingLine(finding));
  }
  return { facts, lines, rows };
}

function placeOf(at: number, step: number): FindingPlace {
  if (at === step) return "here";
  return at < step ? "before" : "ahead";
}

function blockLines(failure: FailureReport): Line[] {
  const block = failureBlock(failure);
  const lines = block.map((text, index) => line(span(text, index === 0 ? "bad" : index === block.length - 1 ? "strong" : "plain")));
  return failure.reproduce.length > 0 ? lines : [...lines.slice(0, -1), line(span("a branch of another run: only a record of it makes it again", "dim"))];
}

function quietLines({ verdict, digest, steps, virtualTimeUs, restarts, checkpointsCompleted, faultsFired, faultsPlanned }: VerdictFacts): readonly Line[] {
  return [
    line("verdict  ", span(verdict, verdict === "ok" ? "good" : "warn")),
    line(`${counted(steps, "step")}, ${seconds(virtualTimeUs)}, ${counted(checkpointsCompleted, "checkpoint")} completed, ${counted(restarts, "restart")}`),
    line(`${faultsFired} of ${counted(faultsPlanned, "fault")} fired; digest ${digest}`),
  ];
}

const MARKS: Readonly<Record<FindingPlace, { readonly mark: string; readonly words: string; readonly tone: Tone }>> = {
  before: { mark: " ", words: "before", tone: "plain" },
  here: { mark: ">", words: "here", tone: "changed" },
  ahead: { mark: " ", words: "still to come", tone: "dim" },
};

/** "> ! step 612, t=1.700s (here)  exactly-once state: sum[1] …". */
function findingLine({ oracle, message, step, atUs, place }: PlacedFinding): Line {
  const { mark, words, tone } = MARKS[place];
  const where = `step ${grouped(step)}, t=${seconds(atUs)} (${words})`;
  return line(`${mark} `, span("! ", "bad"), span(where, tone), span(`  ${visible(oracle)}: ${visible(message)}`, place === "ahead" ? "dim" : "bad"));
}
