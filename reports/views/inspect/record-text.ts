import type { Tagged } from "../../../simulator/oracles/graph-rewriting-ids.ts";
import { valueText } from "../value-text.ts";

/** A record as it flows, and the id that the simulator lets it carry. */
export interface ShownRecord {
  /** Null where records carry none. */
  readonly id: number | null;
  readonly value: string;
}

/** `carriesIds`: what flows are records with their ids (see graph-rewriting). The user's value comes without. */
export function shownRecord(record: unknown, carriesIds: boolean): ShownRecord {
  if (!carriesIds || typeof record !== "object" || record === null) return { id: null, value: valueText(record) };
  const { id, value } = record as Tagged;
  // What a window or a process function made has a number below zero in a run that nobody judges.
  return { id, value: valueText(value) };
}
