import type { FailoverRegion } from "../graph/failover-regions.ts";
import type { RestoreStrategyName } from "../graph/job-modes.ts";
import type { SlotAssignment } from "./messages.ts";
import type { WorkerRegistry } from "./worker-registry.ts";

/** Which slot each subtask runs in. Subtask i of every vertex shares slot i, whatever its region. */
export class SlotTable {
  readonly #registry: WorkerRegistry;
  /** What a host holds of a subtask is of use where a restore looks for it; where none does, subtasks go anywhere. */
  readonly #isSticky: boolean;
  /** By subtask; where nothing of that index runs at the moment, where it last ran. */
  #slots: readonly SlotAssignment[] = [];

  constructor(registry: WorkerRegistry, restore: RestoreStrategyName) {
    this.#registry = registry;
    this.#isSticky = restore !== "full";
  }

  /**
   * Slots for these regions, or null while there are too few. `isWholeJob`: nothing else runs or will come back
   * by itself, so all of them are dealt out anew; else slots whose worker is still there stay as they are. Where it
   * matters, a subtask that gets a slot gets it of the worker that it was with before, else of one that says it has
   * its copies, as far as these have room.
   */
  assign(regions: readonly FailoverRegion[], isWholeJob: boolean): readonly SlotAssignment[] | null {
    const slots = isWholeJob ? [] : this.#slots.slice();
    const isKept = (slot: SlotAssignment | undefined): boolean => slot !== undefined && this.#registry.isRegistered(slot);
    const free = [...this.#registry.freeSlots(slots.filter(isKept))];
    let waiting = subtasksOf(regions).filter((subtask) => !isKept(slots[subtask]));
    const take = (accepts: (subtask: number, slot: SlotAssignment) => boolean): void => {
      waiting = waiting.filter((subtask) => {
        const found = free.findIndex((slot) => accepts(subtask, slot));
        if (found >= 0) slots[subtask] = free.splice(found, 1)[0] as SlotAssignment;
        return found < 0;
      });
    };
    if (this.#isSticky) {
      take((subtask, { worker }) => worker === this.#slots[subtask]?.worker);
      take((subtask, { worker }) => this.#registry.holds(worker, subtask));
    }
    take(() => true);
    if (waiting.length > 0) return null;
    this.#slots = slots;
    return slots;
  }
}

/** Each once, in ascending order. */
function subtasksOf(regions: readonly FailoverRegion[]): readonly number[] {
  const indexes = new Set(regions.flatMap(({ subtasks }) => subtasks.map(({ subtask }) => subtask)));
  return [...indexes].sort((left, right) => left - right);
}
