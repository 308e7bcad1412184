import { checkpointStateAt, decisionOf, placeOfCheckpoint, type CheckpointSpan, type CheckpointState } from "../../travel/checkpoint-span.ts";
import type { Journey } from "../../travel/journey.ts";
import { runIndexOf } from "../../travel/run-index.ts";
import { counted, seconds } from "../../text/format.ts";
import { line, span, type Line, type Tone } from "../../views/line.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import type { UiState } from "../ui-state.ts";

const TONES: Readonly<Record<CheckpointState, Tone>> = { running: "changed", complete: "good", aborted: "bad", abandoned: "bad", subsumed: "dim" };

/** Every checkpoint of the run, as it is at the step; those to come are dim. */
export function checkpointsPanel({ tape }: Journey, { step }: UiState): PanelView {
  const { checkpoints } = runIndexOf(tape);
  const lines = checkpoints.map((one) => checkpointLine(one, step, (at) => seconds(tape.timeUsOf(at))));
  const choices = choicesOf(checkpoints.map((one, i) => ({ id: String(one.checkpointId), step: placeOfCheckpoint(one), fold: null, line: i })));
  const begun = checkpoints.findLastIndex(({ triggerStep }) => triggerStep <= step);
  const note = begun < 0 ? "" : `${begun + 1} of ${checkpoints.length} begun`;
  return panelOf(lines, { anchor: begun < 0 ? null : begun, choices, note });
}

function checkpointLine(one: CheckpointSpan, step: number, timeOf: (step: number) => string): Line {
  const state = checkpointStateAt(one, step);
  const head = `${placeOfCheckpoint(one) === step ? ">" : " "} ${String(one.checkpointId).padStart(4)}  `;
  if (state === null) return line(span(`${head}to come at step ${one.triggerStep}, t=${timeOf(one.triggerStep)}`, "dim"));
  const acks = one.acks.filter((ack) => ack.step <= step).length;
  const decided = decisionOf(one);
  const end = decided === null || decided > step ? "" : `, decided t=${timeOf(decided)}`;
  const mark = state === "aborted" || state === "abandoned" ? "! " : "";
  const reason = state === "aborted" && one.abortReason !== null ? ` (${one.abortReason})` : "";
  return line(head, span(`${mark}${state}${reason}`.padEnd(10), TONES[state]), `  ${counted(acks, "ack")}, begun t=${timeOf(one.triggerStep)}${end}`);
}
