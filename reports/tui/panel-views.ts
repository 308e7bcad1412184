import { unreachable } from "../../engine/base/assert.ts";
import type { Journey } from "../travel/journey.ts";
import type { PanelName } from "./panel-name.ts";
import type { PanelView } from "./panel-view.ts";
import { checkpointsPanel } from "./panels/checkpoints-panel.ts";
import { eventsPanel } from "./panels/events-panel.ts";
import { inspectedView, inspectorPanel } from "./panels/inspector-panel.ts";
import { graphPanel } from "./panels/graph-panel.ts";
import { faultsPanel } from "./panels/faults-panel.ts";
import { verdictPanel } from "./panels/verdict-panel.ts";
import type { UiState } from "./ui-state.ts";

/** What a panel's view depends on: two states with the same key have the same view. */
export function panelKey(name: PanelName, state: UiState): string {
  const { step, filter, opened, folded } = state;
  switch (name) {
    case "graph":
      return `${step} ${folded.join(" ")}`;
    case "inspector":
      return `${step} ${inspectedView(state) ?? ""}`;
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
    case "graph":
      return graphPanel(journey, state);
    case "inspector":
      return inspectorPanel(journey, state);
    case "checkpoints":
      return checkpointsPanel(journey, state);
    case "faults":
      return faultsPanel(journey, state);
    case "events":
      return eventsPanel(journey, state);
    case "verdict":
      return verdictPanel(journey, state);
    default:
      return unreachable(name, "viewOfPanel");
  }
}
