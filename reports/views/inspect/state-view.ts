import type { RunTape } from "../../../simulator/timetravel/run-tape.ts";
import type { TimeMachine } from "../../../simulator/timetravel/time-machine.ts";
import type { World } from "../../../simulator/world/world.ts";
import { parsePlace } from "../../travel/place.ts";
import type { Journey } from "../../travel/journey.ts";
import type { Line } from "../line.ts";
import { line } from "../line.ts";
import type { View } from "../view.ts";
import { diffState } from "./diff-state.ts";
import type { OperatorPlace } from "./operator-names.ts";
import { findOperator, operatorNamed, presentGraph } from "./operator-names.ts";
import type { OperatorState } from "./operator-state.ts";
import { currentEntries, operatorState } from "./operator-state.ts";
import { parseStateArgument } from "./state-argument.ts";
import type { Compared, OperatorFacts } from "./state-facts.ts";
import { operatorFacts } from "./state-facts.ts";
import { operatorLines } from "./state-lines.ts";
import { compareWithReference } from "./state-reference.ts";
import type { ListWindow } from "./window.ts";

/** What the state of operators is compared with. */
export type Against = { readonly kind: "step"; readonly step: number; readonly before: readonly OperatorState[] } | { readonly kind: "reference" } | null;

/** With more entries than this, differences are not worked out. */
const COMPARED_ENTRIES = 200_000;

export interface StateFacts {
  readonly operators: readonly OperatorFacts[];
}

/** The state of every operator of a place, as it is in this World. */
export function statesAt(world: World, { vertex, nodes, subtask }: OperatorPlace): readonly OperatorState[] {
  return nodes.map((node) => operatorState(world, node, vertex.name, vertex.parallelism, subtask));
}

/** `states`: of this World (`statesAt`). */
export function stateFacts(world: World, place: OperatorPlace, states: readonly OperatorState[], against: Against, window: ListWindow): StateFacts {
  return { operators: states.map((state) => operatorFacts(world, place, state, compared(world, state, against), window)) };
}

function compared(world: World, state: OperatorState, against: Against): Compared | null {
  if (against === null) return null;
  if (against.kind === "reference") {
    const { at, said, changes } = compareWithReference(world, state.node);
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

/** "sum", "sum[1]", "sum~612", "sum~reference": `argument` of `--show state:…`. */
export function stateView({ machine, tape }: Journey, step: number, argument: string): View {
  const { operator, against, window } = parseStateArgument(argument);
  const other = against === "reference" ? null : against === null ? step - 1 : parsePlace(against, tape);
  // The other step first: the machine goes forwards for nothing, and backwards for a price.
  const before = other === null || other < 0 ? null : knownStates(machine, other, operator);
  const world = machine.seek(step);
  const place = findOperator(operator, presentGraph(world));
  const states = statesAt(world, place);
  remember(machine.tape, step, operator, states);
  const compareTo: Against = other === null ? { kind: "reference" } : before === null ? null : { kind: "step", step: other, before };
  const facts = stateFacts(world, place, states, compareTo, window);
  return { facts, lines: stateLines(facts) };
}

/** States that were looked at last: who goes on step by step has seen the step before. */
const STATES_REMEMBERED = 8;
const remembered = new WeakMap<RunTape, Map<string, readonly OperatorState[]>>();

function knownStates(machine: TimeMachine, step: number, operator: string): readonly OperatorState[] {
  const known = remembered.get(machine.tape)?.get(`${step}:${operator}`);
  if (known !== undefined) return known;
  const world = machine.seek(step);
  const place = operatorNamed(operator, presentGraph(world));
  const states = place === null ? [] : statesAt(world, place);
  remember(machine.tape, step, operator, states);
  return states;
}

function remember(tape: RunTape, step: number, operator: string, states: readonly OperatorState[]): void {
  const known = remembered.get(tape) ?? new Map<string, readonly OperatorState[]>();
  remembered.set(tape, known);
  known.delete(`${step}:${operator}`);
  known.set(`${step}:${operator}`, states);
  for (const key of known.keys()) {
    if (known.size <= STATES_REMEMBERED) break;
    known.delete(key);
  }
}
