import { plainPaint, type Paint } from "../text/paint.ts";
import { seconds, shellQuoted } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { FailureReport } from "./report-document.ts";

/** Findings shown of one run. */
const SHOWN_FINDINGS = 5;
/** Faults shown of one run. */
const SHOWN_FAULTS = 30;

/** A failing run for people: what, where, which faults, and at the end the lines that show it again: as text, and on the screen where there is a record of it. */
export function failureBlock(failure: FailureReport, paint: Paint = plainPaint): string[] {
  const finding = failure.findings[0];
  const event = finding === undefined ? "" : `    event ${finding.step}, t=${seconds(finding.atUs)}`;
  const what = finding === undefined ? failure.verdict : visible(finding.oracle);
  const verdict = failure.verdict === "violation" ? "" : ` (${failure.verdict})`;
  const lines = [
    `${paint("red", "FAIL")}  ${paint("bold", visible(`${failure.scenario}/${failure.combination}`))}  ` +
      `${what}${verdict}    seed ${visible(failure.seed)}${event}`,
  ];
  for (const { oracle, message } of failure.findings.slice(0, SHOWN_FINDINGS)) {
    lines.push(oracle === finding?.oracle ? `  ${visible(message)}` : `  ${visible(oracle)}: ${visible(message)}`);
  }
  const more = failure.findings.length - SHOWN_FINDINGS;
  if (more > 0) lines.push(`  … and ${more} more findings of this run`);
  lines.push(...faultLines(failure, paint), `  ${confirmation(failure)}`);
  lines.push(`${paint("bold", "reproduce:")}  npx whitewater ${failure.reproduce.map(shellSafe).join(" ")}`);
  if (failure.record !== null) lines.push(`explore:    npx whitewater ui ${shellSafe(failure.record)}`);
  return lines;
}

function shellSafe(argument: string): string {
  return visible(shellQuoted(argument));
}

function faultLines(failure: FailureReport, paint: Paint): string[] {
  if (failure.faultsPlanned === 0) return ["  no faults were planned"];
  const shown = failure.faults.slice(0, SHOWN_FAULTS);
  const width = Math.min(48, Math.max(0, ...shown.map((fault) => fault.what.length)));
  const lines = shown.map((fault) => {
    const when = `t=${seconds(fault.atUs)}`.padEnd(10);
    return `    ${when}  ${paint("yellow", visible(fault.what).padEnd(width))}  ${visible(fault.where)}`.trimEnd();
  });
  const head = `  faults that fired (${failure.faults.length} of ${failure.faultsPlanned} planned):`;
  const more = failure.faults.length - shown.length;
  return more > 0 ? [head, ...lines, `    … and ${more} more`] : [head, ...lines];
}

function confirmation(failure: FailureReport): string {
  const restored = failure.restoredFrom === null ? "never restored" : `restored from checkpoint ${failure.restoredFrom}`;
  return (
    `${restored}      determinism: ${failure.agreeing} of ${failure.runs} runs, ` +
    `digest ${failure.digest.slice(0, 8)}`
  );
}
