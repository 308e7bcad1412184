import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
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

/** Facts of the last steps that were looked at: whoever steps through a run needs each twice. */
const KEPT_STEPS = 64;
const KEPT = new WeakMap<RunTape, Map<number, GraphFacts>>();

/** At the end of a step; leaves the machine there. */
export function graphViewAt(journey: Journey, step: number, folded: readonly string[] = []): GraphView {
  const before = step === 0 ? null : graphFactsAt(journey, step - 1);
  const now = graphFactsAt(journey, step);
  journey.machine.seek(step);
  return graphView(now, before, folded);
}

function graphFactsAt({ tape, machine }: Journey, step: number): GraphFacts {
  const kept = KEPT.get(tape) ?? new Map<number, GraphFacts>();
  KEPT.set(tape, kept);
  const known = kept.get(step);
  if (known !== undefined) return known;
  const facts = graphFactsOf(machine.seek(step));
  kept.set(step, facts);
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT_STEPS) break;
    kept.delete(oldest);
  }
  return facts;
}
