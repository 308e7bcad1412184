import { afterEach, describe, expect, it } from "vitest";
import { EIO, ENOSPC } from "#whitewater/engine/ports/disk.js";
import { ProcessDied } from "#whitewater/engine/ports/process-ports.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import type { SqliteStore } from "#whitewater/engine/state/backends/sqlite/sqlite-store.js";
import { MemoryDisk, type DiskHook } from "./memory-disk.ts";
import { completed, DIRECTORY, engine, keyOf, openStore, rowsOf, valueOf } from "./store-fixture.ts";

const ROWS = 24;
const SMALL = { writeBufferBytes: 2000, cacheBytes: 8192 };

/** What a store reads must be what was written last. */
function expectRows(rows: [string, string][], round: number): void {
  const first = round.toString(16).padStart(2, "0");
  expect([rows.length, rows.filter(([, value]) => !value.startsWith(first))]).toEqual([ROWS, []]);
}

function fill(store: SqliteStore, round: number): void {
  for (let i = 0; i < ROWS; i++) store.put(keyOf(i), valueOf(round, 250));
}

/** Every kind of call that a store makes of its disk; tells how many rounds are flushed. */
function workload(disk: MemoryDisk, flushed: (round: number, certain: boolean) => void): void {
  const store = openStore(disk, SMALL);
  fill(store, 1);
  const view = store.view();
  const snapshot = store.snapshotFiles(1);
  fill(store, 2);
  flushed(2, false);
  store.flush();
  flushed(2, true);
  snapshot.step(5000);
  fill(store, 3);
  expectRows(rowsOf(view), 1);
  expectRows(rowsOf(store), 3);
  view.close();
  completed(snapshot);
  store.confirm(1);
  flushed(3, false);
  store.flush();
  flushed(3, true);
  for (let i = 0; i < ROWS; i += 17) expect(store.get(keyOf(i))![0]).toBe(3);
  store.close();
}

function callsOf(run: (disk: MemoryDisk) => void): { call: string; path: string }[] {
  const disk = new MemoryDisk();
  const calls: { call: string; path: string }[] = [];
  disk.hook = (call, path) => {
    calls.push({ call, path });
    return null;
  };
  run(disk);
  return calls;
}

/** Strikes at the nth call and leaves the others alone. */
function nth(n: number, strike: DiskHook): DiskHook {
  let count = 0;
  return (call, path) => {
    count += 1;
    return count === n ? strike(call, path) : null;
  };
}

function caught(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
}

afterEach(() => expect(engine.openFiles).toBe(0));

describe("a process that dies in a disk call", () => {
  const calls = callsOf((disk) => workload(disk, () => {}));

  it("unwinds from each of them, before and after its effect, touches the disk no more, and leaves the last flushed state whole", () => {
    expect(calls.length).toBeGreaterThan(80);
    for (let n = 1; n <= calls.length; n++) {
      for (const after of [false, true]) {
        const disk = new MemoryDisk();
        let dead = false;
        let callsOfTheDead = 0;
        let possible = [0];
        disk.hook = nth(n, () => {
          dead = true;
          throw new ProcessDied("struck");
        });
        const strike = disk.hook;
        disk.hook = (call, path) => {
          if (dead) callsOfTheDead += 1;
          return strike(call, path);
        };
        if (after) struckAfter(disk, n, () => (dead = true));
        const error = caught(() =>
          workload(disk, (round, certain) => {
            possible = certain ? [round] : [...possible, round];
          }),
        );
        expect(error).toBeInstanceOf(ProcessDied);
        engine.abandon(disk);
        expect([callsOfTheDead, engine.openFiles]).toEqual([0, 0]);
        disk.hook = () => null;
        const next = openStore(disk, { ...SMALL, storeId: "next" });
        const rows = rowsOf(next);
        const found = rows.length === 0 ? 0 : Number.parseInt(rows[0]![1].slice(0, 2), 16);
        expect(possible).toContain(found);
        if (found > 0) expectRows(rows, found);
        next.destroy();
      }
    }
  });
});

/** The nth call takes effect, and the process dies then. */
function struckAfter(disk: MemoryDisk, n: number, died: () => void): void {
  let count = 0;
  disk.hook = () => null;
  const methods = ["open", "read", "write", "truncate", "size", "fsync", "close", "makeDirectory", "fsyncDirectory"];
  for (const name of [...methods, "rename", "unlink", "removeDirectory", "list"]) {
    const real = (disk as unknown as Record<string, (...values: unknown[]) => unknown>)[name]!.bind(disk);
    Object.assign(disk, {
      [name]: (...values: unknown[]): unknown => {
        count += 1;
        const result = real(...values);
        if (count === n) {
          died();
          throw new ProcessDied("struck after");
        }
        return result;
      },
    });
  }
}

describe("a disk that refuses", () => {
  it.each([
    [EIO, "io"],
    [ENOSPC, "no-space"],
  ])("with %d ends the store with a typed error, at each call in turn, and never with wrong rows", (result, code) => {
    const calls = callsOf((disk) => workload(disk, () => {}));
    let survived = 0;
    for (let n = 1; n <= calls.length; n++) {
      const disk = new MemoryDisk();
      disk.hook = nth(n, () => result);
      const error = caught(() => workload(disk, () => {}));
      if (error === null) survived += 1;
      else {
        expect(error).toBeInstanceOf(StateStorageError);
        expect(error).toMatchObject({ code, path: expect.stringMatching(/^\//) });
      }
      engine.abandon(disk);
    }
    // Closing a file and removing an old one may fail without harm.
    expect(survived).toBeLessThan(10);
  });

  it("leaves nothing to do but to close and destroy", () => {
    const disk = new MemoryDisk();
    const store = openStore(disk, SMALL);
    fill(store, 1);
    const view = store.view();
    const iterator = store.iterate(keyOf(0), null);
    disk.hook = () => EIO;
    const first = caught(() => fill(store, 2));
    expect(first).toMatchObject({ code: "io", path: `${DIRECTORY}/kv.sqlite` });
    const further = [
      () => store.get(keyOf(1)),
      () => store.put(keyOf(1), valueOf(1)),
      () => store.view(),
      () => store.flush(),
      () => store.snapshotFiles(1),
      () => view.get(keyOf(1)),
      () => iterator.next(),
    ];
    expect(further.map(caught)).toEqual(further.map(() => first));
    disk.hook = () => null;
    store.close();
    store.close();
    store.destroy();
    expect([disk.openDescriptors, disk.files.size]).toEqual([0, 0]);
  });

  it("gives fewer bytes than asked for, and they are never taken for the end", () => {
    for (const count of [1, 1000, 4095]) {
      const disk = new MemoryDisk();
      disk.hook = (call) => (call === "read" || call === "write" ? count : null);
      workload(disk, () => {});
      const reopened = openStore(disk, { ...SMALL, storeId: "next" });
      expectRows(rowsOf(reopened), 3);
      reopened.destroy();
    }
  });
});

describe("damage on the disk", () => {
  type Damage = (file: Uint8Array, page: number) => void;
  const old = new Map<number, Uint8Array>();
  const damages: readonly [string, Damage][] = [
    ["a flipped bit", (file, page) => void (file[page * 4096 + 4095 - page]! ^= 4)],
    ["a torn page", (file, page) => void file.fill(0, page * 4096 + 512, page * 4096 + 1024)],
    ["a page in another's place", (file, page) => void file.copyWithin(page * 4096, ((page + 1) % 3) * 4096, ((page + 1) % 3) * 4096 + 4096)],
    ["an older version of the page", (file, page) => void file.set(old.get(page)!, page * 4096)],
  ];

  it.each(damages)("%s is never data, in whichever page", (_name, damage) => {
    let pages = 1;
    for (let page = 0; page < pages; page++) {
      const disk = new MemoryDisk();
      const store = openStore(disk, SMALL);
      const path = `${DIRECTORY}/kv.sqlite`;
      fill(store, 1);
      store.view().close();
      const before = disk.peek(path)!.slice();
      fill(store, 2);
      store.view().close();
      pages = before.length / 4096;
      old.set(page, before.subarray(page * 4096, page * 4096 + 4096));
      const file = disk.files.get(path)!.bytes;
      const good = file.slice(page * 4096, page * 4096 + 4096);
      damage(file, page);
      const differs = !Buffer.from(good).equals(file.subarray(page * 4096, page * 4096 + 4096));
      const inspected = caught(() => expectRows(rowsOf(store.inspect({ read: (name) => disk.peek(name) })), 2));
      const view = store.view();
      const error = caught(() => expectRows(rowsOf(view), 2));
      const corrupt = expect.objectContaining({ code: "corrupt", path });
      if (differs) expect([inspected, error]).toEqual([corrupt, corrupt]);
      else expect([inspected, error]).toEqual([null, null]);
      if (differs) expect(caught(() => store.get(keyOf(1)))).toEqual(corrupt);
      store.close();
    }
    expect(pages).toBeGreaterThan(2);
  });

  it("in what was flushed is recognised when it is opened", () => {
    const disk = new MemoryDisk();
    const store = openStore(disk, SMALL);
    fill(store, 1);
    store.flush();
    store.close();
    for (const name of ["FLUSHED", "flush-1.pack"]) {
      const path = `${DIRECTORY}/${name}`;
      const { bytes, size } = disk.files.get(path)!;
      for (let at = 0; at < size; at += name === "FLUSHED" ? 1 : 777) {
        bytes[at]! ^= 16;
        expect(caught(() => openStore(disk, SMALL))).toMatchObject({ code: "corrupt" });
        bytes[at]! ^= 16;
      }
    }
    expect(disk.openDescriptors).toBe(0);
    const reopened = openStore(disk, SMALL);
    expectRows(rowsOf(reopened), 1);
    reopened.destroy();
  });
});
