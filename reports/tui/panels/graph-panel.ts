import type { Journey } from "../../travel/journey.ts";
import { graphViewAt } from "../../views/graph-view.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

/** The job as it is laid out, with what the step changed in sight. What is chosen is a subtask, or an operator, which folds. */
export function graphPanel(journey: Journey, { step, folded }: UiState): PanelView {
  const { lines, rows, facts, changedLine } = graphViewAt(journey, step, folded);
  const choices = choicesOf(rows.map(({ line, id, operator }) => ({ id, line, step: null, fold: operator })));
  const { job } = facts;
  const leader = job.leaders[0]?.process ?? "nobody";
  return panelOf(lines, { anchor: changedLine, choices, note: job.phase === null ? "nobody leads" : `${job.phase}, ${leader} leads`, shown: "graph" });
}
