import type { Journey } from "../../travel/journey.ts";
import { recordView } from "../../views/record-view.ts";
import type { RecordLife } from "../../views/record-life.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";

/** The life of a record; each thing that happened to it leads to its step. */
export function recordPanel(journey: Journey, step: number, name: string): PanelView {
  const { facts, lines } = recordView(journey, step, name);
  const happened = (facts as RecordLife).facts;
  // Above them stand a head and an empty line, below them an empty line and what came of it.
  const first = lines.length - 2 - happened.length;
  const choices = choicesOf(happened.map((fact, i) => ({ id: String(i), step: fact.step, fold: null, line: first + i })));
  const passed = happened.findLastIndex((fact) => fact.step <= step);
  return panelOf(lines, { anchor: passed < 0 ? null : first + passed, choices, note: `record:${name}`, shown: `record:${name}` });
}
