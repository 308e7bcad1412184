import { describe, expect, it } from "vitest";
import { SqliteConnection, SqliteFailure } from "#whitewater/engine/state/backends/sqlite/sqlite-connection.js";
import { SQLITE_OPEN_CREATE, SQLITE_OPEN_READWRITE } from "#whitewater/engine/state/backends/sqlite/sqlite-codes.js";
import { VfsVolume } from "#whitewater/engine/state/backends/sqlite/vfs-volume.js";
import { loadSqlite } from "#whitewater/scenarios/load-sqlite.js";
import { DISKS, died, Machine, type MakeDisk } from "./doomed-machine.ts";
import { PlainFiles } from "./plain-sqlite-files.ts";

/**
 * The disk under something that is known to be right: SQLite itself, without our engine. If it loses a committed
 * transaction with synchronous=FULL, the disk breaks its promises; if it never loses any with synchronous=OFF, the
 * disk is kinder than disks are.
 */
type Synchronous = "FULL" | "OFF";

const engine = await loadSqlite();
const DIRECTORY = "/db";
const KEYS = 40;
const TRANSACTIONS = 8;
/** More disk calls than most runs make: some power losses strike when nothing is under way. */
const CALLS = { FULL: 330, OFF: 260 };

/** A connection of the process that runs now; closed without the disk when its process is dead. */
function connect(machine: Machine, synchronous: Synchronous): { connection: SqliteConnection; end: () => void } {
  const volume = new VfsVolume(new PlainFiles(machine.port(), DIRECTORY), machine.random, null);
  const connection = new SqliteConnection(engine, volume, "control", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const end = (): void => {
    volume.dead = true;
    connection.close();
  };
  try {
    connection.execute(`PRAGMA synchronous=${synchronous}; PRAGMA cache_size=6; PRAGMA journal_mode=DELETE;`);
  } catch (error) {
    end();
    throw error;
  }
  return { connection, end };
}

function create(machine: Machine): void {
  const port = machine.port();
  port.makeDirectory(DIRECTORY);
  const { connection, end } = connect(machine, "FULL");
  connection.execute(
    "PRAGMA page_size=1024; CREATE TABLE t(k INTEGER PRIMARY KEY, tx INTEGER, v BLOB); CREATE INDEX by_tx ON t(tx, k);" +
      "CREATE TABLE last(tx INTEGER); INSERT INTO last VALUES(0);",
  );
  end();
  port.fsyncDirectory(DIRECTORY);
  port.fsyncDirectory("/");
}

/** Transactions until the end or the death of the process. Calls `commits` before each commit and after it. */
function work(
  machine: Machine,
  synchronous: Synchronous,
  states: string[],
  committed: (transaction: number) => void,
): void {
  const { random } = machine;
  const rows = new Map<number, string>();
  const { connection, end } = connect(machine, synchronous);
  try {
    for (let transaction = 1; transaction <= TRANSACTIONS; transaction++) {
      let sql = "BEGIN;";
      for (let i = 1 + random.below(25); i > 0; i--) {
        const key = random.below(KEYS);
        const length = random.below(900);
        if (random.below(5) === 0) {
          rows.delete(key);
          sql += `DELETE FROM t WHERE k=${key};`;
        } else {
          rows.set(key, `${key} ${transaction} ${length}`);
          sql += `REPLACE INTO t VALUES(${key},${transaction},zeroblob(${length}));`;
        }
      }
      const sorted = [...rows].sort(([left], [right]) => left - right);
      states[transaction] = sorted.map(([, row]) => row).join("|");
      connection.execute(`${sql}UPDATE last SET tx=${transaction};COMMIT;`);
      committed(transaction);
    }
  } catch (error) {
    end();
    throw error;
  }
  end();
}

function numbers(connection: SqliteConnection, sql: string, columns: number): number[][] {
  const statement = connection.prepare(sql);
  const rows: number[][] = [];
  while (connection.step(statement)) {
    const row: number[] = [];
    for (let i = 0; i < columns; i++) row.push(engine.functions.sqlite3_column_int(statement, i));
    rows.push(row);
  }
  return rows;
}

/** What the database holds, or what is wrong with it. */
function read(machine: Machine, synchronous: Synchronous): { last: number; state: string } | { wrong: string } {
  const { connection, end } = connect(machine, synchronous);
  try {
    const check = connection.prepare("PRAGMA integrity_check");
    connection.step(check);
    const verdict = new TextDecoder().decode(connection.columnBytes(check, 0));
    if (verdict !== "ok") return { wrong: verdict };
    const [[last = -1] = []] = numbers(connection, "SELECT tx FROM last", 1);
    const rows = numbers(connection, "SELECT k, tx, length(v) FROM t ORDER BY k", 3);
    return { last, state: rows.map((row) => row.join(" ")).join("|") };
  } finally {
    end();
  }
}

/** One power loss at a random disk call; some strike a second time while SQLite recovers. Null, or what is wrong. */
function verdictOf(make: MakeDisk, synchronous: Synchronous, seed: number): string | null {
  const machine = new Machine(make, seed);
  create(machine);
  const states = [""];
  let last = 0;
  machine.dieAtCall(1 + machine.random.below(CALLS[synchronous]));
  died(() => work(machine, synchronous, states, (transaction) => (last = transaction)));
  machine.powerLoss();
  try {
    if (machine.random.below(3) === 0) {
      machine.dieAtCall(1 + machine.random.below(20));
      if (died(() => read(machine, synchronous))) machine.powerLoss();
      machine.dieAtCall(Number.MAX_SAFE_INTEGER);
    }
    const found = read(machine, synchronous);
    if ("wrong" in found) return `corrupt: ${found.wrong}`;
    if (found.last < last) return `transaction ${last} was committed, ${found.last} is the last one there`;
    if (found.state !== states[found.last]) return `torn: not the rows of transaction ${found.last}`;
    return null;
  } catch (error) {
    if (error instanceof SqliteFailure) return `corrupt: ${error.message}`;
    throw error;
  }
}

describe.each(DISKS)("a real SQLite database on the simulated disk (%s)", (_name, make) => {
  it("loses and tears nothing committed with synchronous=FULL, over 2,000 power losses", () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= 2000; seed++) {
      const verdict = verdictOf(make, "FULL", seed);
      if (verdict !== null) wrong.push(`seed ${seed}: ${verdict}`);
    }
    expect(wrong).toEqual([]);
    expect(engine.openFiles).toBe(0);
  }, 300_000);

  it("loses or corrupts something within 20 power losses with synchronous=OFF", () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const verdict = verdictOf(make, "OFF", seed);
      if (verdict !== null) wrong.push(verdict);
    }
    expect(wrong.length).toBeGreaterThan(0);
  });

  it("is struck in most runs, at every kind of step", () => {
    const calm = (synchronous: Synchronous): number => {
      const machine = new Machine(make, 1);
      create(machine);
      const { calls } = machine;
      work(machine, synchronous, [""], () => {});
      return machine.calls - calls;
    };
    for (const synchronous of ["FULL", "OFF"] as const) {
      expect(calm(synchronous)).toBeGreaterThan(CALLS[synchronous] / 2);
    }
  });
});
