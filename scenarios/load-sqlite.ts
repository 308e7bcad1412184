import type { SqliteFunctions, SqliteModule } from "../engine/state/backends/sqlite/sqlite-module.ts";
import { SqliteEngine } from "../engine/state/backends/sqlite/sqlite-engine.ts";

/** What of the package is used; its own types describe another layer of it. */
interface LoadedModule {
  readonly wasm: {
    readonly memory: SqliteModule["memory"];
    readonly exports: object;
    installFunction(signature: string, called: (...values: never[]) => unknown): number;
  };
}

type InitModule = (options: object) => Promise<LoadedModule>;

const silent = (): void => {};

let loading: Promise<SqliteEngine> | null = null;

/** The SQLite of this thread. Takes about 50 ms the first time and 16 MiB from then on; one serves all Worlds. */
export function loadSqlite(): Promise<SqliteEngine> {
  loading ??= load();
  return loading;
}

async function load(): Promise<SqliteEngine> {
  const { default: initModule } = (await import("@sqlite.org/sqlite-wasm")) as unknown as { default: InitModule };
  // The package takes its loggers from here, once, and removes it.
  Object.assign(globalThis, { sqlite3ApiConfig: { debug: silent, log: silent, warn: silent, error: silent } });
  const { wasm } = await initModule({ print: silent, printErr: silent });
  const module: SqliteModule = {
    memory: wasm.memory,
    functions: wasm.exports as SqliteFunctions,
    installFunction: (signature, called) => wasm.installFunction(signature, called),
  };
  return new SqliteEngine(module);
}
