import { compare } from "../../travel/comparison.ts";
import type { Journey } from "../../travel/journey.ts";
import { runIndexOf } from "../../travel/run-index.ts";
import { seconds } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import { line, span } from "../../views/line.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import { comparisonLines } from "./comparison-lines.ts";
import type { UiState } from "../ui-state.ts";

/** What was found, and where. */
export function verdictPanel(journey: Journey, { step }: UiState): PanelView {
  const { tape, branch } = journey;
  const { result } = tape;
  const head = line("verdict  ", span(result.verdict, result.verdict === "ok" ? "good" : "bad"));
  const { findings } = runIndexOf(tape);
  const lines = findings.map(({ finding, step: at, atUs }) =>
    line(at === step ? "> " : "  ", span(`! ${visible(finding.oracle)}`, "bad"), `  step ${at}, t=${seconds(atUs)}: ${visible(finding.message)}`),
  );
  const compared = branch === undefined ? [] : comparisonLines(compare(branch.of, journey));
  const above = compared.length + 1;
  const choices = choicesOf(findings.map(({ index, step: at }, i) => ({ id: String(index), step: at, fold: null, line: above + i })));
  return panelOf([...compared, head, ...lines], { choices, note: result.verdict });
}
