import type { Journey } from "../../travel/journey.ts";
import { visible } from "../../text/visible.ts";
import { inspectables } from "../../views/inspect/inspectables.ts";
import { line, span } from "../../views/line.ts";
import { show } from "../../views/show.ts";
import { choicesOf } from "../choices.ts";
import { panelOf, type PanelView } from "../panel-view.ts";
import { recordPanel } from "./record-panel.ts";
import type { UiState } from "../ui-state.ts";

/** Entries of a list that are shown; a filter finds the others. */
const ENTRIES = 200;

const RECORD = "record:";

/** What is inspected, or everything that can be. */
export function inspectorPanel(journey: Journey, state: UiState): PanelView {
  const shown = inspectedView(state);
  if (shown === null) return inspectableList(journey, state);
  if (shown.startsWith(RECORD)) return recordPanel(journey, state.step, shown.slice(RECORD.length));
  const { lines } = show(shown, journey, state.step);
  return panelOf(lines, { note: visible(shown.replace(`,limit=${ENTRIES}`, "")), shown });
}

/** "state:sum[1]~reference,key=ORD": what `--show` is asked for; null where nothing is inspected. */
export function inspectedView({ opened, chosen, against, entryFilter }: UiState): string | null {
  // A subtask that does not count any more is named with its attempt.
  const inspector = opened.inspector ?? (chosen.graph === null ? null : `state:${chosen.graph.replace(/#\d+$/, "")}`);
  if (inspector === null) return null;
  const [kind] = inspector.split(":", 1);
  if (kind === undefined || !["state", "host", "blobs", "log"].includes(kind)) return inspector;
  const compared = against === null || kind !== "state" ? "" : `~${against}`;
  const options = [...(entryFilter === "" ? [] : [`key=${entryFilter}`]), `limit=${ENTRIES}`].join(",");
  return inspector === kind ? `${kind}:${options}` : `${inspector}${compared},${options}`;
}

function inspectableList({ machine }: Journey, { step }: UiState): PanelView {
  const found = inspectables(machine.seek(step));
  const lines = found.map(({ kind, name, detail }) => line(kind === "subtask" ? "    " : "  ", visible(name).padEnd(18), span(`  ${kind}  ${visible(detail)}`, "dim")));
  const choices = choicesOf(found.map(({ show: id }, i) => ({ id, step: null, fold: null, line: i })));
  return panelOf(lines, { choices, note: "choose with j k, enter looks into it" });
}
