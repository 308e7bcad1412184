import { seconds, table } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { Comparison, Excerpt } from "../travel/comparison.ts";
import { compare } from "../travel/comparison.ts";
import type { Journey } from "../travel/journey.ts";
import { type Line, line, span } from "./line.ts";
import { pointText } from "./point-text.ts";
import type { View } from "./view.ts";

/** A branch beside the run that it branched off from. */
export function comparisonView(original: Journey, branch: Journey): View {
  const facts = compare(original, branch);
  return { facts, lines: comparisonLines(facts) };
}

/** Marks: "-" of the original alone, "+" of the branch alone. */
export function comparisonLines(facts: Comparison): readonly Line[] {
  const { branch, ends, findings, unjudged } = facts;
  return [
    line("  the run, and the branch ", span(branch, "strong")),
    ...beginningLines(facts),
    line(""),
    line(ends.length === 0 ? "  they end alike" : "  what came out differently (run, branch)"),
    ...table(ends.map((end) => [end.what, end.original, end.branch]), 3).map((text) => line("~ ", text)),
    ...findings.onlyOriginal.map(({ oracle, message }) => line("- ", span(`${visible(oracle)}: ${visible(message)}`, "good"))),
    ...findings.onlyBranch.map(({ oracle, message }) => line("+ ", span(`${visible(oracle)}: ${visible(message)}`, "bad"))),
    ...unjudged.map(({ oracle, reason }) => line("! ", span(`the branch is not judged by: ${oracle} (${reason})`, "warn"))),
  ];
}

function beginningLines({ beginsFrom, first }: Comparison): readonly Line[] {
  if (beginsFrom !== null) {
    return [line(`  the branch begins from checkpoint ${beginsFrom.checkpointId}, which completed at step ${beginsFrom.step}`)];
  }
  if (first === null) return [line("  they are the same in all that is to be seen")];
  return [
    line(`  they part at ${seconds(first.atUs)}: step ${first.original.step} of the run, step ${first.branch.step} of the branch`),
    ...first.original.before.map((point) => line("  ", span(pointText(point), "dim"))),
    ...sideLines("- ", first.original),
    ...sideLines("+ ", first.branch),
  ];
}

function sideLines(mark: string, { point, after }: Excerpt): readonly Line[] {
  if (point === null) return [line(mark, span("the run is over", "changed"))];
  return [line(mark, span(pointText(point), "changed")), ...after.map((one) => line(mark, pointText(one)))];
}
