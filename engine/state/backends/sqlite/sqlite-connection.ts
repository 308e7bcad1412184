import { SQLITE_DONE, SQLITE_OK, SQLITE_OPEN_EXRESCODE, SQLITE_ROW } from "./sqlite-codes.ts";
import type { SqliteEngine } from "./sqlite-engine.ts";
import type { Pointer } from "./sqlite-module.ts";
import type { VfsVolume } from "./vfs-volume.ts";

/** SQLite refused; `code` is its extended result code. */
export class SqliteFailure extends Error {
  override readonly name = "SqliteFailure";
  readonly code: number;

  constructor(code: number, doing: string) {
    super(`SQLite answers ${code} to ${doing}`);
    this.code = code;
  }
}

/**
 * One connection to a database in a volume. Every method enters SQLite for that volume; each may throw
 * SqliteFailure, and what a port call threw underneath.
 */
export class SqliteConnection {
  readonly engine: SqliteEngine;
  readonly volume: VfsVolume;
  private pointer: Pointer = 0;
  private readonly statements: Pointer[] = [];

  constructor(engine: SqliteEngine, volume: VfsVolume, name: string, flags: number) {
    this.engine = engine;
    this.volume = volume;
    const { functions } = engine;
    const text = engine.text(name);
    const out = engine.malloc(4);
    const before = engine.enter(volume);
    const code = functions.sqlite3_open_v2(text, out, flags | SQLITE_OPEN_EXRESCODE, 0);
    this.pointer = engine.readPointer(out);
    functions.free(text);
    functions.free(out);
    if (code !== SQLITE_OK) this.release();
    engine.leave(before);
    if (code !== SQLITE_OK) throw new SqliteFailure(code, `opening ${name}`);
  }

  /** Runs statements whose rows nobody wants. */
  execute(sql: string): void {
    const { engine } = this;
    const text = engine.text(sql);
    const before = engine.enter(this.volume);
    const code = engine.functions.sqlite3_exec(this.pointer, text, 0, 0, 0);
    engine.functions.free(text);
    engine.leave(before);
    if (code !== SQLITE_OK) throw new SqliteFailure(code, sql);
  }

  /** A statement that lives as long as the connection. */
  prepare(sql: string): Pointer {
    const { engine } = this;
    const text = engine.text(sql);
    const out = engine.malloc(4);
    const before = engine.enter(this.volume);
    const code = engine.functions.sqlite3_prepare_v2(this.pointer, text, -1, out, 0);
    const statement = engine.readPointer(out);
    engine.functions.free(text);
    engine.functions.free(out);
    engine.leave(before);
    if (code !== SQLITE_OK) throw new SqliteFailure(code, sql);
    this.statements.push(statement);
    return statement;
  }

  /** True at a row, false at the end. */
  step(statement: Pointer): boolean {
    const before = this.engine.enter(this.volume);
    const code = this.engine.functions.sqlite3_step(statement);
    this.engine.leave(before);
    if (code === SQLITE_ROW) return true;
    if (code === SQLITE_DONE) return false;
    throw new SqliteFailure(code, "a step");
  }

  /** Ends a statement's run. What it might have failed with, its steps have said. */
  reset(statement: Pointer): void {
    const before = this.engine.enter(this.volume);
    this.engine.functions.sqlite3_reset(statement);
    this.engine.leave(before);
  }

  /** A column's bytes, copied. */
  columnBytes(statement: Pointer, column: number): Uint8Array {
    const { functions } = this.engine;
    const start = functions.sqlite3_column_blob(statement, column);
    const length = functions.sqlite3_column_bytes(statement, column);
    return this.engine.heap.slice(start, start + length);
  }

  /** Idempotent. May write what SQLite writes when a connection ends; with a dead volume it touches nothing. */
  close(): void {
    if (this.pointer === 0) return;
    const before = this.engine.enter(this.volume);
    this.release();
    this.engine.leave(before);
  }

  private release(): void {
    const { functions } = this.engine;
    for (const statement of this.statements) functions.sqlite3_finalize(statement);
    this.statements.length = 0;
    functions.sqlite3_close_v2(this.pointer);
    this.pointer = 0;
  }
}
