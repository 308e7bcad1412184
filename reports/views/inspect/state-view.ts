import type { StreamNode } from "../../../engine/graph/stream-graph.ts";
import { parsePlace } from "../../travel/place.ts";
import type { Journey } from "../../travel/journey.ts";
import type { Line } from "../line.ts";
import { line } from "../line.ts";
import type { View } from "../view.ts";
import { diffState } from "./diff-state.ts";
import { hasSubtask, noSuchOperator, presentGraph } from "./operator-names.ts";
import type { OperatorState } from "./operator-state.ts";
import { currentEntries } from "./operator-state.ts";
import { parseStateArgument } from "./state-argument.ts";
import type { Compared, OperatorFacts } from "./state-facts.ts";
import { operatorFacts } from "./state-facts.ts";
import type { StateFrame } from "./state-frames.ts";
import { stateFrameAt } from "./state-frames.ts";
import { operatorLines } from "./state-lines.ts";
import type { ReferenceComparison } from "./state-reference.ts";
import { compareWithReference } from "./state-reference.ts";
import type { ListWindow } from "./window.ts";

/** What the state of operators is compared with. */
export type Against = { readonly kind: "step"; readonly step: number; readonly before: readonly OperatorState[] } | { readonly kind: "reference" } | null;

/** With more entries than this, differences are not worked out. */
const COMPARED_ENTRIES = 200_000;

export interface StateFacts {
  readonly operators: readonly OperatorFacts[];
}

/** `reference`: how the state of an operator compares with it; asked for only where that is what it is compared with. */
export function stateFacts(frame: StateFrame, against: Against, window: ListWindow, reference: (node: StreamNode) => ReferenceComparison): StateFacts {
  return { operators: frame.states.map((state) => operatorFacts(frame, state, compared(state, against, reference), window)) };
}

function compared(state: OperatorState, against: Against, reference: (node: StreamNode) => ReferenceComparison): Compared | null {
  if (against === null) return null;
  if (against.kind === "reference") {
    const { at, said, changes } = reference(state.node);
    return { with: "reference", step: null, said, isKnown: at !== null, changes, before: null };
  }
  const before = against.before.find(({ node }) => node.uid === state.node.uid) ?? null;
  const was = before === null ? [] : currentEntries(before);
  const now = currentEntries(state);
  const { step } = against;
  if (was.length + now.length > COMPARED_ENTRIES) {
    return { with: "step", step, said: [`${now.length} entries are too many to be compared at every step`], isKnown: false, changes: [], before };
  }
  return { with: "step", step, said: [], isKnown: true, changes: diffState(was, now), before };
}

export function stateLines({ operators }: StateFacts): readonly Line[] {
  return operators.flatMap((facts, index) => (index === 0 ? operatorLines(facts) : [line(""), ...operatorLines(facts)]));
}

/**
 * "sum", "sum[1]", "sum~612", "sum~reference": `argument` of `--show state:…`. Where the machine stands then depends
 * on what was seen before.
 */
export function stateView({ machine, tape }: Journey, step: number, argument: string): View {
  const { operator, against, window } = parseStateArgument(argument);
  const other = against === "reference" ? null : against === null ? step - 1 : parsePlace(against, tape);
  // The other step first: the machine goes forwards for nothing, and backwards for a price.
  const before = other === null || other < 0 ? null : stateFrameAt(machine, other, operator);
  const frame = stateFrameAt(machine, step, operator);
  if (frame === null || !hasSubtask(frame.place)) throw noSuchOperator(operator, presentGraph(machine.seek(step)));
  const compareTo: Against = other === null ? { kind: "reference" } : other < 0 ? null : { kind: "step", step: other, before: before?.states ?? [] };
  const facts = stateFacts(frame, compareTo, window, (node) => compareWithReference(machine.seek(step), node));
  return { facts, lines: stateLines(facts) };
}
