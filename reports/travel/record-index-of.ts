import { indexRecords, type RecordIndex } from "../../simulator/timetravel/record-index.ts";
import type { Journey } from "./journey.ts";

const KEPT: WeakMap<Journey, RecordIndex | null> = new WeakMap();

/**
 * Where the records of a run went: the run is made once more when somebody asks for the first time. Null where records
 * carry no ids, because the run has no oracles.
 */
export function recordIndexOf(journey: Journey): RecordIndex | null {
  let index = KEPT.get(journey);
  if (index === undefined) {
    index = indexRecords(journey.run, journey.tape);
    KEPT.set(journey, index);
  }
  return index;
}
