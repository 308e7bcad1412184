import { readLevelsFile, writeLevelsFile, type LevelsFile, type LevelsTable } from "./levels-file.ts";
import type { StoreDisk } from "./store-disk.ts";
import { tableFileName, type Table } from "./table.ts";
import type { Version } from "./version.ts";

export const MANIFEST_NAME = "MANIFEST";
const NEXT_NAME = "MANIFEST.next";

/**
 * The manifest names the tables that make up the store, and is replaced as a whole.
 *
 * The argument for its safety. Let the commits of a directory be numbered. Commit n does, in this order:
 *
 *   1. fsync of every table that commit n names and no earlier commit did;
 *   2. the new manifest is written under another name, and fsynced;
 *   3. fsync of the directory: the names of the new tables and of that file are durable;
 *   4. rename over the manifest;
 *   5. fsync of the directory: the rename is durable.
 *
 * A file that the manifest of commit n - 1 names is removed only after step 5 of commit n, and no file is
 * ever written to again once it is complete: a new file has a new number, greater than all that a manifest
 * gave out. So up to step 4, everything the old manifest names is there and synced, whatever else was written
 * or lost. From step 4 on, the power may keep the rename or lose it. If it keeps it, the new manifest's bytes
 * were synced in step 2 and those of its tables in step 1 (or in an earlier commit), and their names in
 * step 3: the new state is whole. If it loses it, the old state is. After step 5 it cannot be lost. Hence
 * `open` always finds the state of the last finished commit or of the one under way, and since nothing that
 * is read at `open` may ever be torn, every damage is corruption and is reported, never repaired.
 *
 * What a manifest does not name when a store is opened is left over from a crash, and is removed. A process
 * may have died between steps 4 and 5, so step 5 is repeated before: else the old manifest could come back
 * with the next loss of power, and its tables would be gone.
 */
export class Manifest {
  private readonly disk: StoreDisk;
  private readonly directory: string;

  constructor(disk: StoreDisk, directory: string) {
    this.disk = disk;
    this.directory = directory;
  }

  /** What the last commit wrote; null where there never was one. */
  read(): LevelsFile | null {
    const path = `${this.directory}/${MANIFEST_NAME}`;
    const descriptor = this.disk.openIfThere(path);
    if (descriptor === null) return null;
    const bytes = this.disk.read(descriptor, path, 0, this.disk.size(descriptor, path));
    this.disk.closeFile(descriptor, path);
    const file = readLevelsFile(bytes);
    return typeof file === "string" ? this.disk.fail("corrupt", path, file) : file;
  }

  /** Makes a version durable. */
  commit(version: Version, nextNumber: number, compactedTo: readonly Uint8Array[]): void {
    this.syncTables(version);
    const next = `${this.directory}/${NEXT_NAME}`;
    this.writeSynced(next, writeLevelsFile({ nextNumber, compactedTo, levels: version.levels.map(described) }));
    this.disk.fsyncDirectory(this.directory);
    this.disk.rename(next, `${this.directory}/${MANIFEST_NAME}`);
    this.disk.fsyncDirectory(this.directory);
  }

  private syncTables(version: Version): void {
    for (const tables of version.levels) {
      for (const table of tables) {
        if (table.isSynced) continue;
        const descriptor = this.disk.open(table.path, "read");
        this.disk.fsync(descriptor, table.path);
        this.disk.closeFile(descriptor, table.path);
        table.isSynced = true;
      }
    }
  }

  private writeSynced(path: string, bytes: Uint8Array): void {
    const descriptor = this.disk.open(path, "create");
    this.disk.write(descriptor, path, bytes, 0, bytes.length, 0);
    this.disk.fsync(descriptor, path);
    this.disk.closeFile(descriptor, path);
  }
}

function described(tables: readonly Table[]): LevelsTable[] {
  return tables.map((table) => describedTable(table, table.fileName === tableFileName(table.number) ? "" : table.fileName, 0));
}

export function describedTable(table: Table, fileName: string, fileChecksum: number): LevelsTable {
  const { number, storeHash, originNumber, sizeBytes, rows, tombstones, smallest, largest } = table;
  return { number, storeHash, originNumber, sizeBytes, rows, tombstones, smallest, largest, fileName, fileChecksum };
}
