import { invariant } from "../../engine/base/assert.ts";
import type { World } from "../world/world.ts";
import type { Deviation } from "./paused-run.ts";
import { PausedRun } from "./paused-run.ts";
import type { RepeatableRun } from "./repeatable-run.ts";
import type { RunTape } from "./run-tape.ts";

/** Worlds that wait along a run, at most: where they are spread evenly, a seek costs a 48th of the run or less. */
const PAUSED_RUNS = 48;
/** A gap in front of the present counts so many times: whoever looks around goes back a little more often than far. */
const NEAR_WEIGHT = 4;

/** Where a World is to be put: into the middle of the longest way without one. */
interface Building {
  readonly paused: PausedRun;
  readonly step: number;
}

/**
 * Moves through a run in both directions. A World cannot be copied, nor taken back: to go to an earlier step, a fresh
 * one is stepped there. So that this takes no longer than a blink, many paused Worlds wait along the run, wherever
 * they came to a halt. The nearest one before the wanted step goes on from there; the one that was looked at stays
 * behind and waits in turn. So Worlds wander towards the end, a little with each seek, and once in a while, when
 * there is time (`prepare`), a fresh one takes the place of one that stands close to another.
 *
 * Every World is compared with the tape on its way: what was looked at was the run, or `deviation` says since when
 * it was not.
 */
export class TimeMachine {
  readonly tape: RunTape;
  readonly #run: RepeatableRun;
  /** In the order of their steps, the present one among them; no two at the same step. */
  #paused: PausedRun[];
  #present: PausedRun;
  #building: Building | null = null;
  #deviation: Deviation | null = null;

  constructor(run: RepeatableRun, tape: RunTape) {
    this.#run = run;
    this.tape = tape;
    this.#present = new PausedRun(run, tape);
    this.#paused = [this.#present];
  }

  /** The step at whose end the present World stands. */
  get step(): number {
    return this.#present.step;
  }

  /** As it is at the end of `step`. To be looked at only, until the machine moves again. */
  get world(): World {
    return this.#present.world;
  }

  /** Where a World that was taken again left the tape; null: nowhere. */
  get deviation(): Deviation | null {
    return this.#deviation;
  }

  /** To the end of a step, 0 … the last one. */
  seek(step: number): World {
    invariant(step >= 0 && step <= this.tape.steps, "a step of the run");
    if (step === this.#present.step) return this.#present.world;
    const nearest = this.#paused.findLast((paused) => paused.step <= step);
    if (nearest === undefined) {
      this.#present = new PausedRun(this.#run, this.tape);
      this.#makeRoom();
    } else {
      this.#present = nearest;
    }
    this.#moveTo(this.#present, step);
    this.#settle(this.#present);
    return this.#present.world;
  }

  /** To the end of each of these steps, one after the other; `visit` may look at the World there. */
  walk(from: number, to: number, visit: (step: number, world: World) => void): void {
    for (let step = from; step <= to; step += 1) visit(step, this.seek(step));
  }

  /**
   * Work for when nobody waits: takes at most so many steps towards where a World is missing most. False where there
   * is nothing to do.
   */
  prepare(steps: number): boolean {
    const building = this.#building ?? this.#nextBuilding();
    if (building === null) return false;
    const { paused, step } = building;
    this.#moveTo(paused, Math.min(step, paused.step + steps));
    this.#building = building;
    if (paused.step === step || paused.deviation !== null) {
      this.#building = null;
      this.#settle(paused);
    }
    return true;
  }

  #moveTo(paused: PausedRun, step: number): void {
    paused.moveTo(step);
    this.#deviation ??= paused.deviation;
  }

  /** Puts a World in its place among those that wait; where one stands there already, that one is not needed. */
  #settle(moved: PausedRun): void {
    const twin = this.#paused.find((one) => one !== moved && one.step === moved.step);
    if (twin !== undefined && twin === this.#present) {
      moved.release();
      this.#paused = this.#paused.filter((one) => one !== moved);
      return;
    }
    twin?.release();
    this.#paused = this.#paused.filter((one) => one !== moved && one !== twin);
    const at = this.#paused.findIndex((one) => one.step > moved.step);
    this.#paused.splice(at < 0 ? this.#paused.length : at, 0, moved);
  }

  /** The middle of the longest gap, where it is long enough to be worth a World; long in trace points, which is what it costs. */
  #nextBuilding(): Building | null {
    const worth = (this.tape.points * 2) / PAUSED_RUNS;
    let longest = { weight: 0, step: 0 };
    let before = 0;
    for (const end of [...this.#paused.map(({ step }) => step), this.tape.steps]) {
      const length = this.#cost(before, end);
      const weight = length * (end === this.#present.step ? NEAR_WEIGHT : 1);
      const middle = this.tape.stepOf(Math.floor((this.tape.endOf(before) + this.tape.endOf(end) - 1) / 2));
      if (length > worth && weight > longest.weight && middle > before && middle < end) longest = { weight, step: middle };
      before = end;
    }
    if (longest.weight === 0) return null;
    this.#makeRoom();
    return { paused: new PausedRun(this.#run, this.tape), step: longest.step };
  }

  /** One World less, where there are as many as may be: the one that stands closest behind another. */
  #makeRoom(): void {
    if (this.#paused.length + (this.#building === null ? 0 : 1) < PAUSED_RUNS) return;
    let closest: PausedRun | null = null;
    let least = Infinity;
    this.#paused.forEach((paused, index) => {
      const gap = this.#cost(this.#paused[index - 1]?.step ?? 0, paused.step);
      if (paused === this.#present || gap >= least) return;
      least = gap;
      closest = paused;
    });
    const gone = closest as PausedRun | null;
    gone?.release();
    this.#paused = this.#paused.filter((one) => one !== gone);
  }

  /** Trace points between the ends of two steps. */
  #cost(from: number, to: number): number {
    return this.tape.endOf(to) - this.tape.endOf(from);
  }

  /** Gives up all Worlds. */
  release(): void {
    for (const paused of this.#paused) paused.release();
    this.#building?.paused.release();
    this.#building = null;
    this.#paused = [];
  }
}
