import type { Journey } from "../../travel/journey.ts";
import { comparisonView } from "../../views/comparison-view.ts";
import { failureOf, verdictView } from "../../views/verdict-view.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

/** The failure block, and what was found where; of a branch, first what came out differently. */
export function verdictPanel(journey: Journey, { step }: UiState): PanelView {
  const { tape, branch } = journey;
  const { lines, rows, facts } = verdictView(tape, step, failureOf(journey));
  const compared = branch === undefined ? [] : [...comparisonView(branch.of, journey).lines, []];
  const choices = choicesOf(rows.map(({ line, finding }) => ({ id: String(finding.index), step: finding.step, fold: null, line: compared.length + line })));
  return panelOf([...compared, ...lines], { choices, note: facts.verdict, shown: branch === undefined ? "verdict" : null });
}
