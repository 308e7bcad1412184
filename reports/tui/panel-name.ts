/** In the order of their digits: the first is 1. */
export const PANELS = ["graph", "inspector", "checkpoints", "faults", "events", "verdict"] as const;

export type PanelName = (typeof PANELS)[number];

/** What is above a panel. */
export const PANEL_TITLES: Readonly<Record<PanelName, string>> = {
  graph: "Graph",
  inspector: "Inspector",
  checkpoints: "Checkpoints",
  faults: "Faults",
  events: "Events",
  verdict: "Verdict",
};

/** The same of each panel. */
export function byPanel<T>(value: T): Readonly<Record<PanelName, T>> {
  return { graph: value, inspector: value, checkpoints: value, faults: value, events: value, verdict: value };
}
