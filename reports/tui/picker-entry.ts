import type { Scenario } from "../../simulator/scenario.ts";
import type { RunRecord } from "../record/run-record.ts";

/** Records of one directory that are looked at, the newest of them: each is read whole. */
export const RECORDS_LIMIT = 300;

/** In the order in which they are shown. */
export const SECTIONS = ["failures", "regressions", "scenarios"] as const;
export type Section = (typeof SECTIONS)[number];

/** Something that can be opened. Its texts may come from outside. */
export interface PickerEntry {
  readonly section: Section;
  /** What tells it from all others: a scenario's name, a record's path. */
  readonly id: string;
  readonly name: string;
  /** One line about it; why it cannot be opened, where it cannot. */
  readonly about: string;
  /** False: a file that is no good. */
  readonly isSound: boolean;
}

export function scenarioEntry({ name, title }: Pick<Scenario, "name" | "title">): PickerEntry {
  return { section: "scenarios", id: name, name, about: title, isSound: true };
}

/** `path`: as the user would write it. */
export function recordEntry(section: Section, path: string, record: RunRecord): PickerEntry {
  const { scenario, seed, expected, findings, plan } = record;
  const found = findings[0] === undefined ? "" : `  ${findings[0].oracle}`;
  const faults = `${plan.length} fault${plan.length === 1 ? "" : "s"}`;
  return { section, id: path, name: scenario.name, about: `seed ${seed}  ${expected}${found}  ${faults}  ${path}`, isSound: true };
}

export function brokenEntry(section: Section, path: string, reason: string): PickerEntry {
  return { section, id: path, name: path, about: reason, isSound: false };
}

/** Those that have every word of the filter in their name or in what is said of them, in whatever case. */
export function matching(entries: readonly PickerEntry[], filter: string): readonly PickerEntry[] {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return entries;
  return entries.filter(({ name, about }) => {
    const text = `${name} ${about}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
