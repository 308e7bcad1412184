import { whatItIs } from "../../document/fault-text.ts";
import type { Journey } from "../../travel/journey.ts";
import { runIndexOf } from "../../travel/run-index.ts";
import { seconds } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import { line, span } from "../../views/line.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

/** The plan: what struck, and what did not. */
export function faultsPanel({ tape }: Journey, { step }: UiState): PanelView {
  const { plan } = tape.result;
  if (plan.length === 0) return panelOf([line(span("no faults are planned", "dim"))]);
  const { faults } = runIndexOf(tape);
  const strikes = plan.map((_fault, index) => faults.find((mark) => mark.index === index) ?? null);
  const lines = plan.map((fault, i) => {
    const struck = strikes[i] ?? null;
    const what = visible(whatItIs(fault));
    if (struck === null) return line(span(`  never fires  ${what}`, "dim"));
    const here = struck.step === step ? ">" : " ";
    const when = `t=${seconds(struck.atUs)}`.padEnd(12);
    return line(`${here} ${when} `, span(what, struck.step <= step ? "warn" : "dim"), `  step ${struck.step}${struck.subject === null ? "" : `, ${visible(struck.subject)}`}`);
  });
  const choices = choicesOf(plan.map((fault, i) => ({ id: fault.id, step: strikes[i]?.step ?? null, fold: null, line: i })));
  return panelOf(lines, { choices, note: `${strikes.filter((struck) => struck !== null).length} of ${plan.length} fired` });
}
