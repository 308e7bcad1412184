import type { Journey } from "../../travel/journey.ts";
import { faultsFacts, faultsLines } from "../../views/faults-view.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

/** Lines of a fault. */
const LINES_EACH = 2;

/** The plan: what struck, what did not, and what is switched off. */
export function faultsPanel(journey: Journey, { step }: UiState): PanelView {
  const facts = faultsFacts(journey, step);
  const { faults } = facts;
  const lines = faultsLines(facts);
  const first = lines.length - LINES_EACH * faults.length;
  const choices = choicesOf(faults.map(({ id, step: at }, i) => ({ id, step: at, fold: null, line: first + LINES_EACH * i })));
  const here = faults.findIndex(({ changed }) => changed);
  const note = faults.length === 0 ? "" : `${faults.filter(({ state }) => state === "fired").length} of ${faults.length} fired`;
  return panelOf(lines, { anchor: here < 0 ? null : first + LINES_EACH * here, choices, note, shown: "faults" });
}
