import type { StateLibraries } from "../engine/state/backends/state-libraries.ts";
import { NO_LIBRARIES, needsSqlite } from "../engine/state/backends/state-libraries.ts";
import { loadSqlite } from "./load-sqlite.ts";

/**
 * Loads what the state backends need, once for a thread, before anything runs there: to be handed to the
 * Simulator. With a backend, only what that one needs (loading SQLite takes some 50 ms).
 */
export async function loadStateLibraries(backend?: string): Promise<StateLibraries> {
  if (backend !== undefined && !needsSqlite(backend)) return NO_LIBRARIES;
  return { sqlite: await loadSqlite() };
}
