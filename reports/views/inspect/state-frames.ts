import { carriesIds } from "../../../simulator/oracles/data-oracles-observation.ts";
import type { TimeMachine } from "../../../simulator/timetravel/time-machine.ts";
import type { World } from "../../../simulator/world/world.ts";
import { FrameCache } from "../../travel/frame-cache.ts";
import type { OperatorPlace } from "./operator-names.ts";
import { operatorNamed, presentGraph } from "./operator-names.ts";
import type { OperatorState } from "./operator-state.ts";
import { operatorState } from "./operator-state.ts";
import type { TaskChannels } from "./task-channels.ts";
import { channelsOf } from "./task-channels.ts";

/** What operators that somebody named hold at one step, their channels included. Holds on to nothing of the World. */
export interface StateFrame {
  readonly place: OperatorPlace;
  readonly states: readonly OperatorState[];
  readonly channels: TaskChannels;
  /** Records and values carry the ids that the simulator gives them. */
  readonly carriesIds: boolean;
}

/** With more entries than this, no more frames are kept than are compared: each is large, and takes its time. */
const KEPT_ENTRIES = 1_000;
const LARGE_FRAMES_KEPT = 2;

/** Null: there is no such operator at that step. */
export function stateFrame(world: World, operator: string): StateFrame | null {
  const place = operatorNamed(operator, presentGraph(world));
  if (place === null) return null;
  const { vertex, nodes, subtask } = place;
  const states = nodes.map((node) => operatorState(world, node, vertex.name, vertex.parallelism, subtask));
  return { place, states, channels: channelsOf(world, place), carriesIds: carriesIds(world) };
}

/** Frames of one operator along a run: who goes back and forth by steps does not pay for each of them. */
export class StateFrames {
  readonly operator: string;
  readonly #keptEntries: number;
  readonly #machine: TimeMachine;
  #cache: FrameCache<StateFrame | null>;
  /** Instead of the cache, once a frame was large: the latest last. */
  readonly #large: Map<number, StateFrame | null> = new Map();
  #isLarge = false;

  /** `keptEntries`: beyond which frames count as large. */
  constructor(machine: TimeMachine, operator: string, keptEntries: number = KEPT_ENTRIES) {
    this.operator = operator;
    this.#keptEntries = keptEntries;
    this.#machine = machine;
    this.#cache = new FrameCache(machine, (world) => stateFrame(world, operator));
  }

  at(step: number): StateFrame | null {
    const known = this.#large.get(step);
    if (known !== undefined) return known;
    const frame = this.#isLarge ? stateFrame(this.#machine.seek(step), this.operator) : this.#cache.at(step);
    if (this.#isLarge || entriesIn(frame) > this.#keptEntries) this.#keepLarge(step, frame);
    return frame;
  }

  #keepLarge(step: number, frame: StateFrame | null): void {
    if (!this.#isLarge) this.#cache = new FrameCache(this.#machine, (world) => stateFrame(world, this.operator));
    this.#isLarge = true;
    this.#large.set(step, frame);
    for (const oldest of this.#large.keys()) {
      if (this.#large.size <= LARGE_FRAMES_KEPT) break;
      this.#large.delete(oldest);
    }
  }
}

/** Of the operator that was looked at last. */
const LATEST = new WeakMap<TimeMachine, StateFrames>();

/** What an operator holds at the end of a step. Where the machine stands then depends on what was seen before. */
export function stateFrameAt(machine: TimeMachine, step: number, operator: string): StateFrame | null {
  const latest = LATEST.get(machine);
  const frames = latest?.operator === operator ? latest : new StateFrames(machine, operator);
  LATEST.set(machine, frames);
  return frames.at(step);
}

function entriesIn(frame: StateFrame | null): number {
  let count = 0;
  for (const { subtasks } of frame?.states ?? []) for (const { entries } of subtasks) count += entries.length;
  return count;
}
