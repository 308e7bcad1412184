import { BARRIER_BUGS } from "./catalogue/barriers.ts";
import { COORDINATOR_BUGS } from "./catalogue/coordinator.ts";
import { SINK_BUGS } from "./catalogue/sinks.ts";
import { TIMER_BUGS } from "./catalogue/timers.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Every bug that is planted, most of them after issues of Flink. */
export const CATALOGUE: readonly PlantedBug[] = [...BARRIER_BUGS, ...COORDINATOR_BUGS, ...SINK_BUGS, ...TIMER_BUGS];

export function bugNamed(id: string): PlantedBug | null {
  return CATALOGUE.find((bug) => bug.id === id) ?? null;
}
