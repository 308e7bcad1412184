import { placeOfCheckpoint } from "../../travel/checkpoint-span.ts";
import type { Journey } from "../../travel/journey.ts";
import { runIndexOf } from "../../travel/run-index.ts";
import type { CheckpointsFacts } from "../../views/checkpoints-facts.ts";
import { checkpointsView } from "../../views/checkpoints-view.ts";
import { textOf, type Line } from "../../views/line.ts";
import { choicesOf, type Choice } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

/** The checkpoints that were triggered by the step, or one of them with its subtasks and files. */
export function checkpointsPanel(journey: Journey, { step, opened }: UiState): PanelView {
  const id = opened.checkpoints;
  if (id !== null) {
    const { lines } = checkpointsView(journey, step, id);
    return panelOf(lines, { note: `checkpoint ${id}`, shown: `checkpoints:${id}` });
  }
  const { facts, lines } = checkpointsView(journey, step, "");
  const spans = runIndexOf(journey.tape).checkpoints;
  const ids = (facts as CheckpointsFacts).checkpoints.map(({ checkpointId }) => checkpointId);
  const choices = choicesIn(lines, ids, (one) => {
    const span = spans.find(({ checkpointId }) => checkpointId === one);
    return span === undefined ? null : placeOfCheckpoint(span);
  });
  return panelOf(lines, { anchor: Math.max(0, lines.length - 1), choices: choicesOf(choices), note: `${ids.length} of ${spans.length}`, shown: "checkpoints" });
}

/** Each stands on a line of its own, with its number in the third column; some have a note below it. */
function choicesIn(lines: readonly Line[], ids: readonly number[], stepOf: (id: number) => number | null): readonly Choice[] {
  const choices: Choice[] = [];
  lines.forEach((line, number) => {
    const id = ids[choices.length];
    if (id === undefined || !textOf(line).slice(2).startsWith(`${id} `)) return;
    choices.push({ id: String(id), step: stepOf(id), fold: null, line: number });
  });
  return choices;
}
