import { BARRIER_BUGS } from "./catalogue/barriers.ts";
import { COORDINATOR_BUGS } from "./catalogue/coordinator.ts";
import { FAILOVER_BUGS } from "./catalogue/failover.ts";
import { KEYED_STATE_BUGS } from "./catalogue/keyed-state.ts";
import { IN_FLIGHT_BUGS } from "./catalogue/in-flight.ts";
import { LOCAL_RECOVERY_BUGS } from "./catalogue/local-recovery.ts";
import { RESCALING_BUGS } from "./catalogue/rescaling.ts";
import { SHARED_FILE_BUGS } from "./catalogue/shared-files.ts";
import { SINK_BUGS } from "./catalogue/sinks.ts";
import { STORE_BUGS } from "./catalogue/stores.ts";
import { TIMER_BUGS } from "./catalogue/timers.ts";
import { VERSION_BUGS } from "./catalogue/versions.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Every bug that is planted, most of them after issues of Flink. */
export const CATALOGUE: readonly PlantedBug[] = [
  ...BARRIER_BUGS,
  ...COORDINATOR_BUGS,
  ...SINK_BUGS,
  ...TIMER_BUGS,
  ...STORE_BUGS,
  ...KEYED_STATE_BUGS,
  ...SHARED_FILE_BUGS,
  ...IN_FLIGHT_BUGS,
  ...RESCALING_BUGS,
  ...LOCAL_RECOVERY_BUGS,
  ...FAILOVER_BUGS,
  ...VERSION_BUGS,
];

export function bugNamed(id: string): PlantedBug | null {
  return CATALOGUE.find((bug) => bug.id === id) ?? null;
}
