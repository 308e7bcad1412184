import { unreachable } from "../../engine/base/assert.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import type { Fault, FaultPlan } from "../../simulator/faults/fault.ts";
import { keepCheckpoint } from "../../simulator/timetravel/kept-checkpoint.ts";
import type { RepeatableRun } from "../../simulator/timetravel/repeatable-run.ts";
import { reseededRun } from "../../simulator/timetravel/reseeded-run.ts";
import type { Unjudged } from "../../simulator/timetravel/restored-run.ts";
import { restoredRun } from "../../simulator/timetravel/restored-run.ts";
import { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { TimeMachine } from "../../simulator/timetravel/time-machine.ts";
import { UsageError } from "../files/usage-error.ts";
import { grouped } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import { checkpointStateAt } from "./checkpoint-span.ts";
import { journeyOf, type Journey } from "./journey.ts";
import { runIndexOf } from "./run-index.ts";

/** Ids in the name of a branch; of more there is only the number. */
const NAMED_FAULTS = 3;

/** In what a branch is another run than the one that it branched off from. */
export type BranchChange =
  /** The same but for these faults, which are switched off. */
  | { readonly kind: "plan"; readonly off: FaultPlan }
  /** A fresh cluster that begins from a checkpoint. `step`: where that completed. */
  | { readonly kind: "restore"; readonly checkpointId: CheckpointId; readonly step: number }
  /** Other randomness from the end of a step on. */
  | { readonly kind: "reseed"; readonly step: number; readonly seed: string };

/** Where a branch comes from. */
export interface BranchOrigin {
  readonly of: Journey;
  readonly change: BranchChange;
  /** For people: "without f2". */
  readonly name: string;
  /** The oracles that have no say in its verdict. */
  readonly unjudged: readonly Unjudged[];
}

/** All faults of a run, those that are switched off in this branch too, in the order of the plan that they are from. */
export function wholePlan({ branch, tape }: Journey): FaultPlan {
  return branch?.change.kind === "plan" ? branch.of.tape.result.plan : tape.result.plan;
}

/** Ids of the faults that are switched off. */
export function switchedOff({ branch }: Journey): ReadonlySet<string> {
  return new Set(branch?.change.kind === "plan" ? branch.change.off.map(({ id }) => id) : []);
}

/** What is switched off once this fault is toggled. Throws UsageError where the plan has no such fault. */
export function toggled(journey: Journey, id: string): ReadonlySet<string> {
  if (!wholePlan(journey).some((fault) => fault.id === id)) {
    throw new UsageError(`the fault ${visible(id)}`, "is not in the plan of this run", "choose one that is");
  }
  const off = new Set(switchedOff(journey));
  if (!off.delete(id)) off.add(id);
  return off;
}

/** The run again, without these faults of its plan, and with all others. */
export function planBranch(journey: Journey, off: ReadonlySet<string>): Journey {
  const kind = journey.branch?.change.kind ?? "plan";
  if (kind !== "plan") {
    throw new UsageError(`the branch ${journey.branch?.name ?? ""}`, "has no plan of its own", "switch faults in the run that it branched off from");
  }
  const of = journey.branch?.of ?? journey;
  const { plan } = of.tape.result;
  const unknown = [...off].find((id) => !plan.some((fault) => fault.id === id));
  if (unknown !== undefined) throw new UsageError(`the fault ${visible(unknown)}`, "is not in the plan of this run", "choose one that is");
  const isOff = ({ id }: Fault): boolean => off.has(id);
  const again = journeyOf(of.simulator, { ...of.request, plan: plan.filter((fault) => !isOff(fault)) });
  return { ...again, ...sourceOf(of), branch: originOf(of, { kind: "plan", off: plan.filter(isOff) }, []) };
}

/** A fresh cluster that begins from a checkpoint which completed by the end of a step. */
export function restoreBranch(journey: Journey, checkpointId: CheckpointId, step: number): Journey {
  const kept = keepCheckpoint(journey.run, checkpointId, step);
  if (kept === null) throw unrestorable(journey, checkpointId, step);
  const run = restoredRun(journey.simulator, journey.request, kept);
  return branchOf(journey, run, { kind: "restore", checkpointId, step: kept.step }, run.unjudged);
}

/** The same run to the end of a step, and from there with the randomness of another seed (a decimal u64). */
export function reseedBranch(journey: Journey, step: number, seed: string): Journey {
  const run = reseededRun(journey.run, step, seed);
  return branchOf(journey, run, { kind: "reseed", step, seed }, journey.branch?.unjudged ?? []);
}

function branchOf(of: Journey, run: RepeatableRun, change: BranchChange, unjudged: readonly Unjudged[]): Journey {
  const { scenario, simulator, request } = of;
  const tape = RunTape.of(run);
  return { scenario, simulator, request, run, tape, machine: new TimeMachine(run, tape), ...sourceOf(of), branch: originOf(of, change, unjudged) };
}

/** The scenario is the same; a record of the run is none of the branch. */
function sourceOf({ origin }: Journey): Pick<Journey, "origin"> {
  return origin === undefined ? {} : { origin: { ...origin, record: null } };
}

function originOf(of: Journey, change: BranchChange, unjudged: readonly Unjudged[]): BranchOrigin {
  const own = nameOf(change, of.tape.result.plan.length);
  return { of, change, name: of.branch === undefined ? own : `${own}, ${of.branch.name}`, unjudged };
}

function nameOf(change: BranchChange, planned: number): string {
  switch (change.kind) {
    case "plan":
      return planName(change.off, planned);
    case "restore":
      return `from checkpoint ${change.checkpointId}`;
    case "reseed":
      return `from step ${change.step} with seed ${visible(change.seed)}`;
    default:
      return unreachable(change, "nameOf");
  }
}

function planName(off: FaultPlan, planned: number): string {
  if (off.length === 0) return "with all faults";
  if (off.length === planned) return "without faults";
  const ids = off.slice(0, NAMED_FAULTS).map(({ id }) => visible(id));
  const more = off.length - ids.length;
  return more > 0 ? `without ${ids.join(", ")} and ${grouped(more)} more` : `without ${ids.join(", ")}`;
}

function unrestorable({ tape }: Journey, checkpointId: CheckpointId, step: number): UsageError {
  const span = runIndexOf(tape).checkpoints.find((one) => one.checkpointId === checkpointId);
  const state = span === undefined ? null : checkpointStateAt(span, step);
  const input = `checkpoint ${checkpointId}`;
  const choose = "choose a checkpoint that completed before";
  if (state === null) return new UsageError(input, `does not exist at step ${step}`, choose);
  if (state !== "complete" && state !== "subsumed") return new UsageError(input, `is ${state} at step ${step}`, choose);
  const reason = span?.isSavepoint === true ? "is a savepoint, from which no cluster starts by itself" : "is of a later version of the job";
  return new UsageError(input, reason, "choose a checkpoint of the job as it was submitted first");
}
