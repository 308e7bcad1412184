import { unreachable } from "../../engine/base/assert.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type { Fault, FaultKind } from "../../simulator/faults/fault.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { PORT_TRACE } from "../../simulator/trace/kinds.ts";
import { whatItIs, whereItStrikes } from "../document/fault-text.ts";
import { seconds } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import { switchedOff, wholePlan } from "../travel/branch.ts";
import type { Journey } from "../travel/journey.ts";
import { type Line, line, span, type Tone } from "./line.ts";
import type { View } from "./view.ts";

/**
 * "waiting": not by the end of this step. "dud": chaos, or the run, is over, and its trigger never came. "downgraded": it came,
 * and the situation did not allow the fault. "off": switched off in this branch.
 */
export type FaultState = "fired" | "waiting" | "dud" | "downgraded" | "off";

/** A fault of the plan, and what became of it by the end of a step. */
export interface FaultFacts {
  readonly id: string;
  readonly kind: FaultKind;
  /** "process crash worker-2". */
  readonly what: string;
  /** "before rpcSent of sum[1], 4", "at 2.000s". */
  readonly where: string;
  readonly state: FaultState;
  /** Where its trigger comes, before or after this step; null: it never does, or the fault is switched off. */
  readonly step: number | null;
  readonly atUs: TimeUs | null;
  /** Why it was downgraded. */
  readonly reason: string | null;
  /** It fired, or was downgraded, in this very step. */
  readonly changed: boolean;
}

export interface FaultsFacts {
  readonly step: number;
  /** Name of the branch; null where it is none. */
  readonly branch: string | null;
  /** In the order of the plan. */
  readonly faults: readonly FaultFacts[];
}

export function faultsFacts(journey: Journey, step: number): FaultsFacts {
  const off = switchedOff(journey);
  const isOver = step >= journey.tape.steps || isHealed(journey.tape, step);
  const faults = wholePlan(journey).map((fault) => factsOf(fault, off.has(fault.id), journey, step, isOver));
  return { step, branch: journey.branch?.name ?? null, faults };
}

function factsOf(fault: Fault, isOff: boolean, { tape }: Journey, step: number, isOver: boolean): FaultFacts {
  const outcome = tape.result.faults.find(({ id }) => id === fault.id);
  const at = outcome?.step ?? null;
  const where = fault.at.on === "time" ? `at ${seconds(fault.at.atUs)}` : whereItStrikes(fault.at);
  const came = at !== null && at <= step;
  return {
    id: fault.id,
    kind: fault.kind,
    what: whatItIs(fault),
    where,
    state: isOff ? "off" : came ? (outcome?.outcome ?? "dud") : isOver ? "dud" : "waiting",
    step: isOff ? null : at,
    atUs: isOff ? null : (outcome?.atUs ?? null),
    reason: came && !isOff ? (outcome?.reason ?? null) : null,
    changed: !isOff && at === step,
  };
}

const HEALED = new WeakMap<RunTape, number>();

/** Chaos is over: what has not struck never will. */
function isHealed(tape: RunTape, step: number): boolean {
  let point = HEALED.get(tape);
  if (point === undefined) {
    point = 0;
    while (point < tape.points && tape.kindOf(point) !== PORT_TRACE.healed) point += 1;
    HEALED.set(tape, point);
  }
  return point < tape.endOf(step);
}

export function faultsView(journey: Journey, step: number): View {
  const facts = faultsFacts(journey, step);
  return { facts, lines: faultsLines(facts) };
}

const MARKS: Readonly<Record<FaultState, string>> = { fired: "+", waiting: " ", dud: "?", downgraded: "~", off: "-" };
const TONES: Readonly<Record<FaultState, Tone>> = { fired: "warn", waiting: "plain", dud: "dim", downgraded: "dim", off: "dim" };

/** Marks: "*" in this step, "+" fired before, "?" a dud, "~" downgraded, "-" switched off. */
export function faultsLines({ branch, faults }: FaultsFacts): readonly Line[] {
  const head = branch === null ? [] : [line("  ", span(`branch: ${branch}`, "strong"))];
  if (faults.length === 0) return [...head, line("  no faults were planned")];
  const width = Math.min(20, Math.max(...faults.map(({ id }) => visible(id).length)));
  const lines = faults.flatMap((fault) => {
    const mark = fault.changed ? "*" : MARKS[fault.state];
    const words = `${visible(fault.id).padEnd(width)}  ${stateText(fault).padEnd(STATE_COLUMNS)}  ${visible(fault.what)}`;
    const first = line(`${mark} `, span(words, fault.changed ? "changed" : TONES[fault.state]));
    const details = [visible(fault.where), later(fault), fault.reason === null ? "" : visible(fault.reason)].filter((text) => text !== "");
    return [first, line("    ", span(details.join("; "), "dim"))];
  });
  return [...head, ...lines];
}

/** "downgraded 12.345s". */
const STATE_COLUMNS = 18;

function stateText({ state, atUs }: FaultFacts): string {
  switch (state) {
    case "fired":
    case "downgraded":
      return `${state} ${seconds(atUs ?? 0)}`;
    case "waiting":
      return "not yet";
    case "dud":
      return "dud";
    case "off":
      return "switched off";
    default:
      return unreachable(state, "stateText");
  }
}

/** What is still to come, or which step it was. */
function later({ state, step }: FaultFacts): string {
  if (state === "dud") return "its trigger never came";
  if (state === "off") return "";
  if (state === "waiting") return step === null ? "its trigger never comes" : `comes at step ${step}`;
  return `at step ${step ?? 0}`;
}
