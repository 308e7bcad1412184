import type { Comparison, Excerpt } from "../../travel/comparison.ts";
import { counted, grouped, seconds } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import { line, span, type Line } from "../../views/line.ts";
import { pointText } from "../../views/point-text.ts";

/** A branch held against the run that it came from. */
export function comparisonLines({ branch, beginsFrom, first, ends, findings, unjudged }: Comparison): readonly Line[] {
  const lines: Line[] = [line(span(`branch ${visible(branch)}`, "strong"), " against the original")];
  if (beginsFrom !== null) lines.push(line(`  begins in a fresh cluster from checkpoint ${beginsFrom.checkpointId}, which completed at step ${grouped(beginsFrom.step)}`));
  else if (first === null) lines.push(line(span("  no event is different", "good")));
  else lines.push(line(`  the first difference is at t=${seconds(first.atUs)}`), ...excerptLines("original", first.original), ...excerptLines("branch  ", first.branch));
  for (const { what, original, branch: other } of ends) lines.push(line(span(`~ ${what}`, "changed"), `: ${other}, the original: ${original}`));
  for (const { oracle } of findings.onlyOriginal) lines.push(line(span(`- only in the original: ${visible(oracle)}`, "good")));
  for (const { oracle, message } of findings.onlyBranch) lines.push(line(span(`+ only in the branch: ${visible(oracle)}`, "bad"), `: ${visible(message)}`));
  if (unjudged.length > 0) lines.push(line(span(`? ${counted(unjudged.length, "oracle")} cannot judge it: ${unjudged.map(({ oracle }) => oracle).join(", ")}`, "warn")));
  return [...lines, []];
}

function excerptLines(name: string, { step, point }: Excerpt): readonly Line[] {
  const what = point === null ? `it has ended, with step ${grouped(step)}` : pointText(point).trim();
  return [line(`  ${name} `, span(what, point === null ? "dim" : "changed"))];
}
