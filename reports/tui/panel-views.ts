import { unreachable } from "../../engine/base/assert.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import type { Journey } from "../travel/journey.ts";
import { seconds } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import { NO_KEYS } from "../views/events-matches.ts";
import { eventLine, eventsFacts, eventsOf } from "../views/events-view.ts";
import { line, span } from "../views/line.ts";
import { choicesOf } from "./choices.ts";
import type { PanelName } from "./panel-name.ts";
import { panelOf, type PanelView } from "./panel-view.ts";
import type { UiState } from "./ui-state.ts";

/** What a panel's view depends on: two states with the same key have the same view. */
export function panelKey(name: PanelName, { step, filter, chosen, opened, folded }: UiState): string {
  switch (name) {
    case "graph":
      return `${step} ${folded.join(" ")}`;
    case "inspector":
      return `${step} ${chosen.graph ?? ""}`;
    case "checkpoints":
      return `${step} ${opened.checkpoints ?? ""}`;
    case "faults":
      return String(step);
    case "events":
      return `${step} ${filter}`;
    case "verdict":
      return String(step);
    default:
      return unreachable(name, "panelKey");
  }
}

export function viewOfPanel(name: PanelName, journey: Journey, state: UiState): PanelView {
  switch (name) {
    case "events":
      return eventsPanel(journey.tape, state.step);
    case "verdict":
      return verdictPanel(journey.tape, state.step);
    default:
      return panelOf([line(span("nothing to see here yet", "dim"))]);
  }
}

function eventsPanel(tape: RunTape, step: number): PanelView {
  const { points } = eventsFacts(eventsOf(tape, "", NO_KEYS), "", step);
  const lines = points.map((point) => eventLine(point, step));
  const choices = choicesOf(points.map((point, i) => ({ id: String(point.index), step: point.step, fold: null, line: i })));
  return panelOf(lines, { anchor: choices.at(choices.indexAt(step))?.line ?? null, choices, shown: "events" });
}

function verdictPanel({ result, steps }: RunTape, step: number): PanelView {
  const head = line("verdict  ", span(result.verdict, result.verdict === "ok" ? "good" : "bad"));
  const findings = result.findings.map((finding) => {
    const here = Math.min(finding.step, steps) === step;
    return line(here ? "> " : "  ", span(`! ${visible(finding.oracle)}`, "bad"), `  step ${finding.step}, t=${seconds(finding.atUs)}: ${visible(finding.message)}`);
  });
  const choices = choicesOf(result.findings.map((finding, i) => ({ id: String(i), step: Math.min(finding.step, steps), fold: null, line: i + 1 })));
  return panelOf([head, ...findings], { choices });
}
