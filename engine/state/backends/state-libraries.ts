import type { SqliteEngine } from "./sqlite/sqlite-engine.ts";

/** What backends need from outside, made once for a thread before any job runs there. */
export interface StateLibraries {
  /** SQLite with this project's file system; null where nobody loaded it. */
  readonly sqlite: SqliteEngine | null;
}

export const NO_LIBRARIES: StateLibraries = { sqlite: null };

/** True for backends that need SQLite. */
export function needsSqlite(backend: string): boolean {
  return backend === "sqlite" || backend === "changelog:sqlite";
}
