import { invariant } from "../../engine/base/assert.ts";
import type { World } from "../world/world.ts";
import type { Deviation } from "./paused-run.ts";
import { PausedRun } from "./paused-run.ts";
import type { RepeatableRun } from "./repeatable-run.ts";
import type { RunTape } from "./run-tape.ts";

/** Paused runs that wait along the way. A run of 100,000 steps is at most 4,200 from the next one. */
const PAUSED_RUNS = 24;

/** A place where a paused run belongs. */
interface Waypoint {
  readonly step: number;
  /** Null: it was used, and is to be put there anew. */
  paused: PausedRun | null;
}

/**
 * Moves through a run in both directions. A World cannot be copied, nor taken back: to go to an earlier step, a fresh
 * one is stepped there. So that this takes no longer than a blink, paused Worlds wait along the run; the next one
 * before the wanted step goes on from where it is, and another is put in its place when there is time (`prepare`).
 *
 * Every World is compared with the tape on its way: what was looked at was the run, or `deviation` says since when
 * it was not.
 */
export class TimeMachine {
  readonly tape: RunTape;
  readonly #run: RepeatableRun;
  readonly #waypoints: readonly Waypoint[];
  #present: PausedRun;
  /** On its way to a waypoint. */
  #preparing: { readonly paused: PausedRun; readonly waypoint: Waypoint } | null = null;
  #deviation: Deviation | null = null;

  constructor(run: RepeatableRun, tape: RunTape) {
    this.#run = run;
    this.tape = tape;
    this.#waypoints = waypointsOf(tape);
    this.#present = new PausedRun(run, tape);
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
    if (step !== this.#present.step) this.#depart(step);
    this.#present.moveTo(step);
    this.#deviation ??= this.#present.deviation;
    return this.#present.world;
  }

  /** Whatever is nearest, at that step or before it, becomes the present. */
  #depart(step: number): void {
    let nearest: Waypoint | null = null;
    for (const waypoint of this.#waypoints) if (waypoint.paused !== null && waypoint.step <= step) nearest = waypoint;
    const isAhead = this.#present.step <= step;
    if (isAhead && (nearest === null || nearest.step <= this.#present.step)) return;
    this.#present.release();
    this.#present = nearest?.paused ?? new PausedRun(this.#run, this.tape);
    if (nearest !== null) nearest.paused = null;
  }

  /**
   * Work for when nobody waits: takes at most so many steps towards a waypoint that stands empty, those just before
   * the present first. False where there is nothing to do.
   */
  prepare(steps: number): boolean {
    const waypoint = this.#preparing?.waypoint ?? this.#emptyWaypoint();
    if (waypoint === null) return false;
    const paused = this.#preparing?.paused ?? new PausedRun(this.#run, this.tape);
    paused.moveTo(Math.min(waypoint.step, paused.step + steps));
    this.#deviation ??= paused.deviation;
    if (paused.step < waypoint.step && paused.deviation === null) {
      this.#preparing = { paused, waypoint };
    } else {
      waypoint.paused = paused;
      this.#preparing = null;
    }
    return true;
  }

  #emptyWaypoint(): Waypoint | null {
    const empty = this.#waypoints.filter(({ paused }) => paused === null);
    return empty.findLast(({ step }) => step <= this.step) ?? empty[0] ?? null;
  }

  /** Gives up all Worlds. */
  release(): void {
    this.#present.release();
    this.#preparing?.paused.release();
    this.#preparing = null;
    for (const waypoint of this.#waypoints) {
      waypoint.paused?.release();
      waypoint.paused = null;
    }
  }
}

/** Spread so that there are as many trace points between any two: steps differ in what they cost. */
function waypointsOf(tape: RunTape): readonly Waypoint[] {
  const steps = new Set<number>();
  for (let i = 1; i < PAUSED_RUNS; i += 1) {
    steps.add(tape.stepOf(Math.floor((tape.points * i) / PAUSED_RUNS)));
  }
  steps.delete(0);
  return [...steps].map((step) => ({ step, paused: null }));
}
