import type { Fault } from "../../../simulator/faults/fault.ts";
import { whatItIs } from "../../document/fault-text.ts";
import { switchedOff, wholePlan } from "../../travel/branch.ts";
import type { Journey } from "../../travel/journey.ts";
import { runIndexOf, type FaultMark } from "../../travel/run-index.ts";
import { seconds } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import { line, span, type Line } from "../../views/line.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

/** The plan: what struck, what did not, and what is switched off. */
export function faultsPanel(journey: Journey, { step }: UiState): PanelView {
  const plan = wholePlan(journey);
  if (plan.length === 0) return panelOf([line(span("no faults are planned", "dim"))]);
  const { faults } = runIndexOf(journey.tape);
  const off = switchedOff(journey);
  const strikes = plan.map(({ id }) => faults.find(({ fault }) => fault.id === id) ?? null);
  const lines = plan.map((fault, i) => faultLine(fault, strikes[i] ?? null, off.has(fault.id), step));
  const choices = choicesOf(plan.map(({ id }, i) => ({ id, step: strikes[i]?.step ?? null, fold: null, line: i })));
  const switched = off.size === 0 ? "" : `, ${off.size} off`;
  return panelOf(lines, { choices, note: `${strikes.filter((struck) => struck !== null).length} of ${plan.length} fired${switched}` });
}

function faultLine(fault: Fault, struck: FaultMark | null, isOff: boolean, step: number): Line {
  const name = `${isOff ? "-" : struck?.step === step ? ">" : " "} ${visible(fault.id).padEnd(4)} `;
  const what = visible(whatItIs(fault));
  if (isOff) return line(span(`${name}switched off  ${what}`, "warn"));
  if (struck === null) return line(span(`${name}never fires   ${what}`, "dim"));
  const when = `t=${seconds(struck.atUs)}`.padEnd(12);
  const where = struck.subject === null ? "" : `, ${visible(struck.subject)}`;
  return line(`${name}${when}  `, span(what, struck.step <= step ? "warn" : "plain"), span(`  step ${struck.step}${where}`, "dim"));
}
