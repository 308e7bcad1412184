import type { StoreIterator } from "../../ordered-store.ts";
import { SQLITE_DONE, SQLITE_OK, SQLITE_ROW } from "./sqlite-codes.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import { SqliteFailure } from "./sqlite-connection.ts";
import type { SqliteEngine } from "./sqlite-engine.ts";
import type { Pointer } from "./sqlite-module.ts";

const GET = "SELECT v FROM kv WHERE k=?1";
const FROM = "SELECT k,v FROM kv WHERE k>=?1 ORDER BY k";
const FROM_TO = "SELECT k,v FROM kv WHERE k>=?1 AND k<?2 ORDER BY k";
const AFTER = "SELECT k,v FROM kv WHERE k>?1 ORDER BY k";
const AFTER_TO = "SELECT k,v FROM kv WHERE k>?1 AND k<?2 ORDER BY k";
const FIRST_KEY_BYTES = 256;
/** SQLITE_STATIC: the bytes stay where they are until the statement is bound again. */
const STAYS = 0;

/** Reads the table of a connection with prepared statements that are kept. */
export class RowReader {
  readonly connection: SqliteConnection;
  private readonly engine: SqliteEngine;
  private readonly getStatement: Pointer;
  /** Statements that no iterator uses at the moment, by their text. */
  private readonly idle: Map<string, Pointer[]> = new Map();
  private keyRoom: Pointer;
  private keyRoomBytes: number = FIRST_KEY_BYTES;

  constructor(connection: SqliteConnection) {
    this.connection = connection;
    this.engine = connection.engine;
    this.getStatement = connection.prepare(GET);
    this.keyRoom = this.engine.malloc(FIRST_KEY_BYTES);
  }

  get(key: Uint8Array): Uint8Array | null {
    const { engine, connection, getStatement } = this;
    const { functions } = engine;
    const { length } = key;
    if (length > this.keyRoomBytes) this.growKeyRoom(length);
    engine.heap.set(key, this.keyRoom);
    const before = engine.enter(connection.volume);
    functions.sqlite3_bind_blob(getStatement, 1, this.keyRoom, length, STAYS);
    const code = functions.sqlite3_step(getStatement);
    let value: Uint8Array | null = null;
    if (code === SQLITE_ROW) value = connection.columnBytes(getStatement, 0);
    functions.sqlite3_reset(getStatement);
    engine.leave(before);
    if (code !== SQLITE_ROW && code !== SQLITE_DONE) throw new SqliteFailure(code, "get");
    return value;
  }

  /** Rows from a key on (`after`: behind it), up to `to`. */
  iterate(from: Uint8Array, after: boolean, to: Uint8Array | null): RowCursor {
    const sql = to === null ? (after ? AFTER : FROM) : after ? AFTER_TO : FROM_TO;
    const statement = this.idle.get(sql)?.pop() ?? this.connection.prepare(sql);
    return new RowCursor(this, sql, statement, from, to);
  }

  /** For a cursor that is done. */
  giveBack(sql: string, statement: Pointer): void {
    const list = this.idle.get(sql);
    if (list === undefined) this.idle.set(sql, [statement]);
    else list.push(statement);
  }

  /** Frees what it took of the module's memory, and closes the connection. */
  close(): void {
    if (this.keyRoom !== 0) this.engine.functions.free(this.keyRoom);
    this.keyRoom = 0;
    this.connection.close();
  }

  private growKeyRoom(length: number): void {
    this.engine.functions.free(this.keyRoom);
    this.keyRoomBytes = length * 2;
    this.keyRoom = this.engine.malloc(this.keyRoomBytes);
  }
}

/** A statement's rows, one after the other. The row at hand is a copy, and stays until the next. */
export class RowCursor implements StoreIterator {
  key: Uint8Array = new Uint8Array(0);
  value: Uint8Array = new Uint8Array(0);
  private readonly reader: RowReader;
  private readonly sql: string;
  private readonly statement: Pointer;
  /** Where the bounds lie in the module's memory; 0 once closed. */
  private bounds: Pointer;

  constructor(reader: RowReader, sql: string, statement: Pointer, from: Uint8Array, to: Uint8Array | null) {
    this.reader = reader;
    this.sql = sql;
    this.statement = statement;
    const { engine } = reader.connection;
    const toLength = to === null ? 0 : to.length;
    this.bounds = engine.malloc(from.length + toLength + 1);
    engine.heap.set(from, this.bounds);
    if (to !== null) engine.heap.set(to, this.bounds + from.length);
    engine.functions.sqlite3_bind_blob(statement, 1, this.bounds, from.length, STAYS);
    if (to !== null) engine.functions.sqlite3_bind_blob(statement, 2, this.bounds + from.length, toLength, STAYS);
  }

  next(): boolean {
    if (this.bounds === 0) return false;
    const { connection } = this.reader;
    const { engine } = connection;
    const before = engine.enter(connection.volume);
    const code = engine.functions.sqlite3_step(this.statement);
    if (code === SQLITE_ROW) {
      this.key = connection.columnBytes(this.statement, 0);
      this.value = connection.columnBytes(this.statement, 1);
    }
    engine.leave(before);
    if (code === SQLITE_ROW) return true;
    if (code !== SQLITE_DONE) throw new SqliteFailure(code, "the next row");
    this.close();
    return false;
  }

  close(): void {
    if (this.bounds === 0) return;
    const { connection } = this.reader;
    connection.reset(this.statement);
    connection.engine.functions.free(this.bounds);
    this.bounds = 0;
    this.reader.giveBack(this.sql, this.statement);
  }
}

/** The write side of a connection: one statement each for writing and deleting a row. */
export class RowWriter {
  private readonly connection: SqliteConnection;
  private readonly putStatement: Pointer;
  private readonly deleteStatement: Pointer;

  constructor(connection: SqliteConnection) {
    this.connection = connection;
    this.putStatement = connection.prepare("REPLACE INTO kv VALUES(?1,?2)");
    this.deleteStatement = connection.prepare("DELETE FROM kv WHERE k=?1");
  }

  /** Key and value lie in the module's memory. Within an `enter` of the caller; returns a code. */
  put(key: Pointer, keyLength: number, value: Pointer, valueLength: number): number {
    const { functions } = this.connection.engine;
    const { putStatement } = this;
    functions.sqlite3_bind_blob(putStatement, 1, key, keyLength, STAYS);
    functions.sqlite3_bind_blob(putStatement, 2, value, valueLength, STAYS);
    functions.sqlite3_step(putStatement);
    return functions.sqlite3_reset(putStatement);
  }

  delete(key: Pointer, keyLength: number): number {
    const { functions } = this.connection.engine;
    functions.sqlite3_bind_blob(this.deleteStatement, 1, key, keyLength, STAYS);
    functions.sqlite3_step(this.deleteStatement);
    const code = functions.sqlite3_reset(this.deleteStatement);
    return code === SQLITE_DONE ? SQLITE_OK : code;
  }
}
