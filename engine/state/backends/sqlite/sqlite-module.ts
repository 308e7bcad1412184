/**
 * What of the WebAssembly build of SQLite the engine uses: the C functions as WebAssembly exports them
 * (pointers and ints as numbers, no conversion), its memory, and a way to give it pointers to functions.
 * `scenarios/load-sqlite.ts` makes one out of the package.
 */
export interface SqliteModule {
  readonly memory: { readonly buffer: ArrayBufferLike };
  readonly functions: SqliteFunctions;
  /** Makes a JavaScript function callable; `signature` as "i(pipj)": i int, p pointer, j int64 (a bigint), v nothing. */
  installFunction(signature: string, called: (...values: never[]) => unknown): number;
}

/** A pointer into the module's memory; 0 is NULL. */
export type Pointer = number;

export interface SqliteFunctions {
  malloc(sizeBytes: number): Pointer;
  free(pointer: Pointer): void;
  sqlite3_vfs_register(vfs: Pointer, asDefault: number): number;
  /** With (0, 0): the generator is seeded anew when it is next drawn from. */
  sqlite3_randomness(count: number, target: Pointer): void;
  sqlite3_open_v2(name: Pointer, connection: Pointer, flags: number, vfs: Pointer): number;
  sqlite3_close_v2(connection: Pointer): number;
  sqlite3_exec(connection: Pointer, sql: Pointer, callback: Pointer, argument: Pointer, error: Pointer): number;
  sqlite3_prepare_v2(connection: Pointer, sql: Pointer, length: number, statement: Pointer, tail: Pointer): number;
  sqlite3_bind_blob(statement: Pointer, index: number, blob: Pointer, length: number, destructor: Pointer): number;
  sqlite3_step(statement: Pointer): number;
  sqlite3_reset(statement: Pointer): number;
  sqlite3_finalize(statement: Pointer): number;
  sqlite3_column_blob(statement: Pointer, column: number): Pointer;
  sqlite3_column_bytes(statement: Pointer, column: number): number;
  sqlite3_column_int(statement: Pointer, column: number): number;
}
