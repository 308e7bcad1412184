import type { TimeMachine } from "../../simulator/timetravel/time-machine.ts";
import { FrameCache } from "../travel/frame-cache.ts";
import type { Journey } from "../travel/journey.ts";
import { diffGraphs, type GraphChanges, NOTHING_CHANGED } from "./graph-diff.ts";
import type { GraphFacts } from "./graph-facts.ts";
import { graphText, type GraphRow } from "./graph-lines.ts";
import { graphFactsOf } from "./graph-world.ts";
import type { View } from "./view.ts";

export interface GraphView extends View {
  readonly facts: GraphFacts & { readonly changes: GraphChanges };
  /** Lines that somebody may choose, from top to bottom. */
  readonly rows: readonly GraphRow[];
  /** The first of these lines where something changed, itself or in the channels below it; null: nothing did. */
  readonly changedLine: number | null;
}

/** `before`: the facts of the step before, or null where there is none. */
export function graphView(now: GraphFacts, before: GraphFacts | null, folded: readonly string[] = []): GraphView {
  const changes = before === null ? NOTHING_CHANGED : diffGraphs(before, now);
  const text = graphText(now, changes, new Set(folded));
  return { facts: { ...now, changes }, ...text, changedLine: changedLineOf(now, changes, text.rows) };
}

function changedLineOf({ operators }: GraphFacts, changes: GraphChanges, rows: readonly GraphRow[]): number | null {
  const changed = new Set(changes.subtasks);
  for (const { subtasks } of operators) {
    for (const { key, inputs } of subtasks) if (inputs.some((input) => changes.channels.includes(input.key))) changed.add(key);
  }
  const folded = operators.filter(({ id, subtasks }) => !rows.some((row) => row.operator === id && row.id !== id) && subtasks.some(({ key }) => changed.has(key)));
  for (const { id } of folded) changed.add(id);
  return rows.find(({ id }) => changed.has(id))?.line ?? null;
}

const FRAMES = new WeakMap<TimeMachine, FrameCache<GraphFacts>>();

/** At the end of a step, compared with the one before. Where the machine stands then depends on what was seen before. */
export function graphViewAt({ machine }: Journey, step: number, folded: readonly string[] = []): GraphView {
  const frames = FRAMES.get(machine) ?? new FrameCache(machine, graphFactsOf);
  FRAMES.set(machine, frames);
  const before = step === 0 ? null : frames.at(step - 1);
  return graphView(frames.at(step), before, folded);
}
