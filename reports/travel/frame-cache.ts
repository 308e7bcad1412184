import type { TimeMachine } from "../../simulator/timetravel/time-machine.ts";
import type { World } from "../../simulator/world/world.ts";

/** Steps that are looked at together when somebody goes back by one: those before it are likely to be wanted next. */
const STEPS_BACK = 32;
/** Frames kept; the one that was used longest ago goes first. */
const FRAMES_KEPT = 512;

/**
 * What was seen of a run at the steps that somebody came by, so that going back over them costs nothing. Each step
 * back that has not been seen would take a World of its own; instead one World walks up to it, and all that it
 * passes on its way is kept.
 */
export class FrameCache<T> {
  readonly #machine: TimeMachine;
  readonly #look: (world: World, step: number) => T;
  readonly #frames: Map<number, T> = new Map();
  #last = 0;

  /** `look` gives plain data: the World has moved on when that is used. */
  constructor(machine: TimeMachine, look: (world: World, step: number) => T) {
    this.#machine = machine;
    this.#look = look;
  }

  at(step: number): T {
    const isBack = step < this.#last && step >= this.#last - STEPS_BACK;
    this.#last = step;
    const known = this.#frames.get(step);
    if (known !== undefined) {
      this.#keep(step, known);
      return known;
    }
    if (isBack) this.#machine.walk(Math.max(0, step - STEPS_BACK + 1), step, (at, world) => this.#keep(at, this.#look(world, at)));
    else this.#keep(step, this.#look(this.#machine.seek(step), step));
    return this.#frames.get(step) as T;
  }

  #keep(step: number, frame: T): void {
    this.#frames.delete(step);
    this.#frames.set(step, frame);
    if (this.#frames.size <= FRAMES_KEPT) return;
    for (const oldest of this.#frames.keys()) {
      this.#frames.delete(oldest);
      break;
    }
  }
}
