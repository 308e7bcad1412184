import { planBranch, restoreBranch, toggled } from "../travel/branch.ts";
import { compare } from "../travel/comparison.ts";
import { checkpointStateAt } from "../travel/checkpoint-span.ts";
import type { Journey } from "../travel/journey.ts";
import { runIndexOf } from "../travel/run-index.ts";
import { UsageError } from "../files/usage-error.ts";
import { grouped } from "../text/format.ts";
import { Explorer } from "./explorer.ts";
import type { UiStore } from "./ui-store.ts";

/** A frame has time to say what is being done before it is done. */
const FRAME_MS = 60;
/** Branches that are kept: each has Worlds that wait along its run. */
const BRANCHES_KEPT = 4;

interface Visited {
  readonly explorer: Explorer;
  /** Where somebody was when they left it. */
  step: number;
}

/** The runs that branched off from the one that was opened, and the ways between them. */
export class UiBranches {
  /** The last one that was gone to stands last. */
  #branches: Visited[] = [];
  readonly #trunks = new Map<Journey, Visited>();

  /** The chosen checkpoint, or else the last one that is complete, restored in a fresh cluster. */
  restore(store: UiStore): void {
    const { state, explorer } = store;
    const { chosen, opened, step } = state;
    const named = opened.checkpoints ?? chosen.checkpoints;
    const complete = runIndexOf(explorer.journey.tape).checkpoints.findLast((one) => checkpointStateAt(one, step) === "complete");
    const id = named === null ? complete?.checkpointId : Number(named);
    if (id === undefined) throw new UsageError("restore", `no checkpoint is complete at step ${grouped(step)}`, "go to where one is (c)");
    this.#begin(store, `restores checkpoint ${id} in a fresh cluster …`, () => restoreBranch(explorer.journey, id, step));
  }

  /** The chosen fault off, or on again; everything else as it was. */
  toggle(store: UiStore): void {
    const { state, explorer } = store;
    const fault = state.chosen.faults;
    if (fault === null) throw new UsageError("toggle", "no fault is chosen", "choose one in panel 4 with j and k");
    const { journey } = explorer;
    const off = toggled(journey, fault);
    if (off.size === 0) {
      this.#toTrunk(store);
      return;
    }
    const known = this.#branches.find(({ explorer: one }) => isWithout(one.journey, journey.branch?.of ?? journey, off));
    if (known === undefined) this.#begin(store, "runs again without what is switched off …", () => planBranch(journey, off));
    else this.#enter(store, known);
  }

  /** From a branch to the run that it came from; from there to the last branch again. */
  back(store: UiStore): void {
    const { journey } = store.explorer;
    if (journey.branch !== undefined) {
      this.#toTrunk(store);
      return;
    }
    const last = this.#branches.at(-1);
    if (last === undefined) throw new UsageError("back", "nothing has branched off from this run", "r restores a checkpoint, t toggles a fault");
    this.#enter(store, last);
  }

  /** To the first difference, with what else is different beside it. */
  compare(store: UiStore): void {
    const { journey } = store.explorer;
    if (journey.branch === undefined) throw new UsageError("compare", "this run is no branch", "r restores a checkpoint, t toggles a fault");
    const { first } = compare(journey.branch.of, journey);
    store.dispatch({ type: "focus", panel: "verdict" });
    if (first !== null) store.dispatch({ type: "jump", step: first.branch.step });
    const where = first === null ? "no event in common to compare" : `the first difference is at step ${grouped(first.branch.step)}`;
    store.dispatch({ type: "say", text: `${where}; b goes back to the original`, tone: "plain" });
  }

  release(): void {
    for (const { explorer } of this.#branches) explorer.journey.machine.release();
    this.#branches = [];
  }

  #begin(store: UiStore, what: string, run: () => Journey): void {
    store.dispatch({ type: "say", text: what, tone: "plain" });
    setTimeout(() => {
      try {
        const journey = run();
        const explorer = new Explorer({ journey, stale: store.explorer.stale, branch: journey.branch?.name ?? null, reproduce: null });
        this.#enter(store, { explorer, step: firstStepOf(journey) });
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        store.dispatch({ type: "say", text: error.message, tone: "bad" });
      }
    }, FRAME_MS);
  }

  #enter(store: UiStore, visited: Visited): void {
    this.#leave(store);
    this.#branches = [...this.#branches.filter((one) => one !== visited), visited];
    store.changeRun(visited.explorer, visited.step);
    store.dispatch({ type: "say", text: `${verdictText(visited.explorer.journey)}; b goes back, B compares`, tone: "plain" });
    while (this.#branches.length > BRANCHES_KEPT) this.#branches.shift()?.explorer.journey.machine.release();
  }

  /** To what the branch came from: the run itself, or another branch. */
  #toTrunk(store: UiStore): void {
    const of = store.explorer.journey.branch?.of;
    const trunk = of === undefined ? undefined : (this.#trunks.get(of) ?? this.#branches.find(({ explorer }) => explorer.journey === of));
    if (trunk === undefined) throw new UsageError("back", "the run that this branch came from is not kept any more", "quit, and open it again");
    this.#leave(store);
    store.changeRun(trunk.explorer, trunk.step);
    store.dispatch({ type: "say", text: `${trunk.explorer.branch ?? "the original"}: ${trunk.explorer.journey.tape.result.verdict}; b goes to the branch again`, tone: "plain" });
  }

  /** Remembers where somebody was. */
  #leave({ explorer, state }: UiStore): void {
    const branch = this.#branches.find((one) => one.explorer === explorer);
    if (branch !== undefined) branch.step = state.step;
    else this.#trunks.set(explorer.journey, { explorer, step: state.step });
  }
}

function isWithout({ branch }: Journey, of: Journey, off: ReadonlySet<string>): boolean {
  if (branch?.of !== of || branch.change.kind !== "plan") return false;
  return branch.change.off.length === off.size && branch.change.off.every(({ id }) => off.has(id));
}

/** Where a branch is most worth looking at: where it parts from the run, or where it begins. */
function firstStepOf(journey: Journey): number {
  const { branch } = journey;
  return branch === undefined ? 0 : (compare(branch.of, journey).first?.branch.step ?? 0);
}

function verdictText({ branch, tape }: Journey): string {
  const was = branch?.of.tape.result.verdict;
  const is = tape.result.verdict;
  return `${branch?.name ?? "branch"}: ${was === undefined || was === is ? is : `${is}, the original: ${was}`}`;
}
