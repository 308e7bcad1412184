import { counted, grouped, longDuration, table } from "../text/format.ts";
import { plainPaint, type Paint } from "../text/paint.ts";
import { visible } from "../text/visible.ts";
import { failureBlock } from "./failure-block.ts";
import { matrixGrid } from "./matrix-grid.ts";
import type { CrashReport, FailureReport, ReportDocument, ReportHead } from "./report-document.ts";
import type { Totals } from "../sweep/tally.ts";

/** Failures shown as a block; the others are counted, and listed in the JSON report. */
const SHOWN_FAILURES = 3;

/** Where a range ends here, time ends it. */
const LAST_SEED = String((1n << 64n) - 1n);

/** The first lines of a report: what is going to run. */
export function renderHead(head: ReportHead, paint: Paint = plainPaint): string {
  const { first, last, commit } = head.seeds;
  const endless = last === LAST_SEED ? `seeds from ${first} on` : `seeds ${first}-${last}`;
  const seeds = first === last ? `seed ${first}` : endless;
  const from = commit === null ? "" : ` (from commit ${commit.slice(0, 12)})`;
  const fixed = Object.entries(head.fixed).map(([name, value]) => `  ${name} ${String(value)}`);
  return `${paint("bold", `whitewater ${head.tool}`)}  profile ${head.profile}${fixed.join("")}  ${seeds}${from}\n`;
}

/** The rest of a report, for people. The last thing it says is how to see a failure again. */
export function renderBody(document: ReportDocument, paint: Paint = plainPaint): string {
  const lines = ["", ...totalsTable(document), ...(document.matrix === null ? [] : matrixGrid(document.matrix)), ...faultsTable(document), ...sometimesList(document)];
  for (const crashes of document.crashes) lines.push("", ...crashLines(crashes, document));
  lines.push("", ...checkLines(document), ...endLines(document));
  for (const reason of document.impure) lines.push(`${paint("red", "not deterministic:")} ${visible(reason)}`);
  for (const reason of document.vacuous) lines.push(`${paint("yellow", "vacuous:")} ${visible(reason)}`);
  if (document.failureCount === 0) {
    if (document.impure.length + document.vacuous.length === 0 && document.end !== "interrupted") {
      lines.push(paint("green", "ok: nothing found"));
    }
    return `${lines.join("\n")}\n`;
  }
  lines.push(...failureSummary(document));
  for (const failure of shownFailures(document)) lines.push("", ...failureBlock(failure, paint));
  return `${lines.join("\n")}\n`;
}

/** Head and body, as a file holds them. */
export function renderText(document: ReportDocument): string {
  return renderHead(document) + renderBody(document);
}

function totalsTable(document: ReportDocument): string[] {
  const rows = [
    ["scenario", "combination", "runs", "ok", "failed", "expected", "steps", "trace points", "virtual time", "faults"],
  ];
  for (const scenario of document.scenarios) {
    // The grid says more than rows by backend, mode and strategy would.
    const groups = document.matrix === null ? scenario.groups : [];
    for (const group of groups) rows.push(totalsRow(scenario.name, group.combination, group.totals));
    if (groups.length === 0) rows.push(totalsRow(scenario.name, "-", scenario.totals));
  }
  if (rows.length > 2) rows.push(totalsRow("total", "", document.totals));
  return table(rows, 2);
}

function totalsRow(name: string, combination: string, totals: Totals): string[] {
  const { ok, "expected-failure": expected } = totals.verdicts;
  const { fired, dud, downgraded } = totals.faults;
  return [
    visible(name),
    visible(combination),
    grouped(totals.runs),
    grouped(ok),
    grouped(totals.runs - ok - expected),
    grouped(expected),
    grouped(totals.steps),
    grouped(totals.tracePoints),
    longDuration(totals.virtualTimeUs),
    `${grouped(fired)}/${grouped(fired + dud + downgraded)}`,
  ];
}

function faultsTable(document: ReportDocument): string[] {
  const kinds = Object.entries(document.faults);
  if (kinds.length === 0) return [];
  const rows = [["fault", "fired", "dud", "downgraded"]];
  for (const [kind, counts] of kinds) {
    rows.push([visible(kind), grouped(counts.fired), grouped(counts.dud), grouped(counts.downgraded)]);
  }
  return ["", ...table(rows, 1)];
}

function sometimesList(document: ReportDocument): string[] {
  const paths = Object.entries(document.sometimes);
  if (paths.length === 0) return [];
  return ["", ...table([["sometimes", "times"], ...paths.map(([name, times]) => [visible(name), grouped(times)])], 1)];
}

/** The run without faults comes before those with crashes: a sweep that stopped early has not tried all of them. */
function crashLines(report: CrashReport, document: ReportDocument): string[] {
  const { scenario, combination, seed, points, crashes, crashesRun, pairsRun, records, recordsWhole } = report;
  const all = crashesRun === crashes ? "each" : `${grouped(crashesRun)} of them, evenly spread,`;
  const wanted = 1 + crashesRun + pairsRun;
  const runs = document.scenarios.find(({ name }) => name === scenario)?.totals.runs ?? 0;
  const isWhole = runs === wanted;
  const lines = [
    `${visible(scenario)}, ${visible(combination)}, seed ${seed}: ${counted(points, "crash point")}; with each process that lives there ` +
      `${grouped(crashes)} crashes, ${all} ${isWhole ? "" : "to be "}tried; ${counted(pairsRun, "pair")} with a second crash during the recovery`,
  ];
  if (!isWhole) lines.push(`  (not all of it was: ${grouped(runs)} of ${counted(wanted, "run")})`);
  if (records < recordsWhole) lines.push(`  (its input is reduced to ${grouped(records)} of ${counted(recordsWhole, "record")}, so that a run is short)`);
  return lines;
}

function checkLines(document: ReportDocument): string[] {
  const { runs, selfChecked, verdicts } = document.totals;
  const result = verdicts.diverged === 0 ? "all agreed" : `${counted(verdicts.diverged, "run")} differed`;
  return [`self-check: ${grouped(selfChecked)} of ${counted(runs, "run")} repeated twice, ${result}`];
}

function endLines(document: ReportDocument): string[] {
  switch (document.end) {
    case "complete":
      return [];
    case "bail":
      return [`stopped after ${counted(document.failureCount, "failing run")} (--bail)`];
    case "time":
      return ["stopped when its time was over (--time)"];
    case "interrupted":
      return ["interrupted: this is what was found so far"];
  }
}

function failureSummary(document: ReportDocument): string[] {
  const counts = Object.entries(document.totals.verdicts)
    .filter(([verdict, count]) => count > 0 && verdict !== "ok" && verdict !== "expected-failure")
    .map(([verdict, count]) => `${grouped(count)} ${verdict}`);
  const shown = shownFailures(document).length;
  const rest = document.failureCount - shown;
  const hint = rest === 0 ? "" : `; ${grouped(shown)} shown, one of each kind first`;
  return [`${counted(document.failureCount, "failing run")} (${counts.join(", ")})${hint}`];
}

/** One of each kind first, then others, in the order found. */
function shownFailures(document: ReportDocument): FailureReport[] {
  const kinds = new Set<string>();
  const firsts: FailureReport[] = [];
  const others: FailureReport[] = [];
  for (const failure of document.failures) {
    const kind = `${failure.scenario} ${failure.verdict} ${failure.findings[0]?.oracle ?? ""}`;
    (kinds.has(kind) ? others : firsts).push(failure);
    kinds.add(kind);
  }
  return firsts.length >= SHOWN_FAILURES ? firsts.slice(0, SHOWN_FAILURES) : [...firsts, ...others].slice(0, SHOWN_FAILURES);
}
