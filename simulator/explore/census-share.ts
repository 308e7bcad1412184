import type { Census } from "./census.ts";

/**
 * Where a Simulator finds censuses that others took, and leaves its own for them. A census depends on the scenario
 * and its key alone, so it makes no difference who took it, or whether it comes from here at all. Keys begin with
 * the name of the scenario, which is one scenario to all who share.
 */
export interface CensusShare {
  find(key: string): Census | null;
  offer(key: string, census: Census): void;
}
