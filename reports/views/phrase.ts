import { counted, grouped } from "../text/format.ts";

/** What a trace point is put into words from. Names have gone through `visible`. */
export interface PhrasePoint {
  readonly subject: string;
  readonly x: number;
  readonly y: number;
  /** What y names, where it is the number of a name: the kind of a message, the key of a register. */
  readonly named: string | null;
}

/** One line, what matters most first. */
export type Phrase = (point: PhrasePoint) => string;

const KIB = 1024;

/** "812 bytes", "12.5 KiB". */
export function bytesText(bytes: number): string {
  if (bytes < 10 * KIB) return counted(bytes, "byte");
  return bytes < 10 * KIB * KIB ? `${(bytes / KIB).toFixed(1)} KiB` : `${grouped(bytes / KIB / KIB)} MiB`;
}

/** " of checkpoint 4", or nothing where a point belongs to none. */
export function ofCheckpoint(checkpointId: number): string {
  return checkpointId < 0 ? "" : ` of checkpoint ${checkpointId}`;
}

/** "checkpoint 4", or where a job begins without one. */
export function fromCheckpoint(checkpointId: number): string {
  return checkpointId < 0 ? "the beginning" : `checkpoint ${checkpointId}`;
}

/** By value: the words of a table of numbers. */
export function wordsOf(numbers: Readonly<Record<string, number>>, words: Readonly<Record<string, string>> = {}): (value: number) => string {
  const byNumber = new Map(Object.entries(numbers).map(([name, value]) => [value, words[name] ?? name]));
  return (value) => byNumber.get(value) ?? `number ${value}`;
}
