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
}

/** `before`: the facts of the step before, or null where there is none. */
export function graphView(now: GraphFacts, before: GraphFacts | null, folded: readonly string[] = []): GraphView {
  const changes = before === null ? NOTHING_CHANGED : diffGraphs(before, now);
  return { facts: { ...now, changes }, ...graphText(now, changes, new Set(folded)) };
}

const FRAMES = new WeakMap<TimeMachine, FrameCache<GraphFacts>>();

/** At the end of a step, compared with the one before. Where the machine stands then depends on what was seen before. */
export function graphViewAt({ machine }: Journey, step: number, folded: readonly string[] = []): GraphView {
  const frames = FRAMES.get(machine) ?? new FrameCache(machine, graphFactsOf);
  FRAMES.set(machine, frames);
  const before = step === 0 ? null : frames.at(step - 1);
  return graphView(frames.at(step), before, folded);
}
