import type { Journey } from "../travel/journey.ts";
import { grouped, seconds } from "../text/format.ts";
import { visible, visibleJson } from "../text/visible.ts";
import { textOf } from "./line.ts";
import type { View } from "./view.ts";

/** A view, and what it is of. */
export interface ShownView {
  readonly journey: Journey;
  readonly step: number;
  /** "graph", "state:sum", … */
  readonly shown: string;
  /** Why the run is not the one that was asked for, or null. */
  readonly stale: string | null;
  readonly view: View;
}

/** As text: one line that says where it is, and the view. */
export function viewText({ journey: { tape }, step, stale, view }: ShownView): string {
  const { scenario, combination, seed, steps } = tape.result;
  const head = `${visible(`${scenario}/${combination}`)}  seed ${seed}  step ${grouped(step)} of ${grouped(steps)}, t=${seconds(tape.timeUsOf(step))}`;
  const banner = stale === null ? [] : [`stale: ${visible(stale)}`];
  return `${[head, ...banner, "", ...view.lines.map(textOf)].join("\n")}\n`;
}

/** As data: the facts. */
export function viewJson({ journey: { tape }, step, shown, stale, view }: ShownView): string {
  const { scenario, combination, seed, digest } = tape.result;
  const run = { scenario, combination, seed, digest };
  const document = { run, step, atUs: tape.timeUsOf(step), shown, stale, facts: view.facts };
  return `${visibleJson(JSON.stringify(document, null, 2))}\n`;
}
