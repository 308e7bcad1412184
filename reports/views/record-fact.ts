import type { Tone } from "./line.ts";

/** One thing that happened to a record. */
export interface RecordFact {
  readonly step: number;
  /** Of the task; null where it concerns none. */
  readonly attempt: number | null;
  readonly where: string;
  readonly what: string;
  readonly tone: Tone;
}

/** The same, in the life of a record. */
export interface LifeFact extends RecordFact {
  readonly atUs: number;
  /** Of the derived record that it happened to; null: the record itself. */
  readonly derived: number | null;
}
