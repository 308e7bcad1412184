import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readRecord } from "../record/read-record.ts";
import { fileErrorReason, UsageError } from "../files/usage-error.ts";
import { brokenEntry, recordEntry, RECORDS_LIMIT, type PickerEntry, type Section } from "./picker-entry.ts";


/**
 * The records of a directory, newest first; files that are none, with the reason. `shown`: the directory as the user
 * would write it. A directory that is not there has none; one that cannot be read is an entry that says so.
 */
export function recordEntries(section: Section, directory: string, shown: string): readonly PickerEntry[] {
  try {
    return newestFirst(directory).map((name) => entryOf(section, join(directory, name), join(shown, name)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? [] : [brokenEntry(section, shown, `cannot be read (${fileErrorReason(error)})`)];
  }
}

function newestFirst(directory: string): readonly string[] {
  const files: { readonly name: string; readonly changedMs: number }[] = [];
  for (const entry of readdirSync(directory)) {
    if (!entry.endsWith(".json")) continue;
    const stats = statSync(join(directory, entry), { throwIfNoEntry: false });
    if (stats?.isFile() === true) files.push({ name: entry, changedMs: stats.mtimeMs });
  }
  files.sort((a, b) => b.changedMs - a.changedMs || (a.name < b.name ? -1 : 1));
  return files.slice(0, RECORDS_LIMIT).map(({ name }) => name);
}

function entryOf(section: Section, path: string, shown: string): PickerEntry {
  try {
    return recordEntry(section, shown, readRecord(path, shown));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return brokenEntry(section, shown, error.message.slice(`record ${shown}: `.length));
  }
}
