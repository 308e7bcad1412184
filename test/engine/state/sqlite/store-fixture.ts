import { loadSqlite } from "#whitewater/scenarios/load-sqlite.js";
import type { Disk } from "#whitewater/engine/ports/disk.js";
import type { StoreFile, StoreFilesSnapshot, StoreReader } from "#whitewater/engine/state/ordered-store.js";
import { SqliteStore, type SqliteStoreOptions } from "#whitewater/engine/state/backends/sqlite/sqlite-store.js";
import type { SqliteEngine } from "#whitewater/engine/state/backends/sqlite/sqlite-engine.js";
import { randomStream } from "../random-stream.ts";

export const engine: SqliteEngine = await loadSqlite();
export const DIRECTORY = "/state/subtask-0";
export const FIRST: Uint8Array = new Uint8Array(0);

/** A store with a write buffer so small that most puts end in a transaction. */
export function openStore(disk: Disk, options: Partial<SqliteStoreOptions> = {}): SqliteStore {
  return new SqliteStore({
    engine,
    disk,
    directory: DIRECTORY,
    storeId: "store-1",
    random: randomStream(1),
    writeBufferBytes: 300,
    ...options,
  });
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A value of this length that tells its number. */
export function valueOf(number: number, length = 40): Uint8Array {
  return new Uint8Array(length).fill(number);
}

export function keyOf(number: number): Uint8Array {
  return bytes(`key-${String(number).padStart(6, "0")}`);
}

/** Rows as [hex of the key, hex of the value]. */
export function rowsOf(reader: StoreReader, from: Uint8Array = FIRST, to: Uint8Array | null = null): [string, string][] {
  const rows: [string, string][] = [];
  const iterator = reader.iterate(from, to);
  while (iterator.next()) rows.push([hex(iterator.key), hex(iterator.value)]);
  iterator.close();
  return rows;
}

export function hex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}

export function completed(snapshot: StoreFilesSnapshot, byteBudget = 4096): readonly StoreFile[] {
  while (snapshot.step(byteBudget) > 0);
  const files = snapshot.files();
  snapshot.close();
  return files;
}

/** Where snapshots' files go: gives a name its bytes, and refuses a name twice. */
export class FileShelf {
  readonly files: Map<string, Uint8Array> = new Map();

  keep(files: readonly StoreFile[]): readonly StoreFile[] {
    for (const { name, bytes: content } of files) {
      if (content === null) {
        if (!this.files.has(name)) throw new Error(`${name} was never given with its bytes`);
        continue;
      }
      if (this.files.has(name)) throw new Error(`${name} is given for the second time`);
      this.files.set(name, content);
    }
    return files;
  }

  withBytes(files: readonly StoreFile[]): readonly StoreFile[] {
    return files.map((file) => ({ ...file, bytes: this.files.get(file.name)! }));
  }
}
