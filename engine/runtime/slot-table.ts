import type { FailoverRegion } from "../graph/failover-regions.ts";
import type { SlotAssignment } from "./messages.ts";
import type { WorkerRegistry } from "./worker-registry.ts";

/** Which slot each subtask runs in. Subtask i of every vertex shares slot i, whatever its region. */
export class SlotTable {
  readonly #registry: WorkerRegistry;
  /** By subtask; where nothing of that index runs at the moment, where it last ran. */
  #slots: readonly SlotAssignment[] = [];

  constructor(registry: WorkerRegistry) {
    this.#registry = registry;
  }

  /**
   * Slots for these regions, or null while there are too few. `isWholeJob`: nothing else runs or will come back
   * by itself, so all of them are dealt out anew; else slots whose worker is still there stay as they are.
   */
  assign(regions: readonly FailoverRegion[], isWholeJob: boolean): readonly SlotAssignment[] | null {
    const slots = isWholeJob ? [] : this.#slots.slice();
    const isKept = (slot: SlotAssignment | undefined): boolean => slot !== undefined && this.#registry.isRegistered(slot);
    const free = this.#registry.freeSlots(slots.filter(isKept));
    let taken = 0;
    for (const subtask of subtasksOf(regions)) {
      if (isKept(slots[subtask])) continue;
      const slot = free[taken];
      if (slot === undefined) return null;
      slots[subtask] = slot;
      taken += 1;
    }
    this.#slots = slots;
    return slots;
  }
}

/** Each once, in ascending order. */
function subtasksOf(regions: readonly FailoverRegion[]): readonly number[] {
  const indexes = new Set(regions.flatMap(({ subtasks }) => subtasks.map(({ subtask }) => subtask)));
  return [...indexes].sort((left, right) => left - right);
}
