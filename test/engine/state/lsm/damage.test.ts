import { describe, expect, it } from "vitest";
import { EIO, ENOSPC } from "#whitewater/engine/ports/disk.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import type { LsmStore } from "#whitewater/engine/state/backends/lsm/lsm-store.js";
import { MemoryDisk } from "../memory-disk.ts";
import { bytes, DIRECTORY, fill, modelRows, rows, settle, text, tiny } from "./store-fixture.ts";

interface Prepared {
  readonly disk: MemoryDisk;
  readonly model: ReadonlyMap<string, string>;
  readonly tables: readonly string[];
}

/** A closed store with tables on several levels. */
function prepared(): Prepared {
  const disk = new MemoryDisk();
  const store = tiny(disk);
  const model = new Map<string, string>();
  fill(store, model, 0, 200);
  settle(store);
  fill(store, model, 200, 60);
  store.flush();
  store.close();
  const tables = Array.from(disk.nodes.keys()).filter((path) => path.endsWith(".table"));
  return { disk, model, tables };
}

/** Reads everything in both ways; a code for an error, "right" for the right rows, "wrong" for others. */
function verdict(disk: MemoryDisk, model: ReadonlyMap<string, string>): string {
  let store: LsmStore | null = null;
  let result = "right";
  try {
    store = tiny(disk);
    for (const [key, value] of model) if (text(store.get(bytes(key))) !== value) result = "wrong";
    if (rows(store).join() !== modelRows(model).join()) result = "wrong";
  } catch (error) {
    if (!(error instanceof StateStorageError)) throw error;
    result = error.code;
    const again = store;
    if (again !== null) expect(() => again.get(bytes("x"))).toThrow(error);
  }
  store?.close();
  expect(disk.openDescriptors).toBe(0);
  return result;
}

describe("damage", () => {
  const { disk, model, tables } = prepared();

  it("is not there in what the tests below start from", () => {
    expect(verdict(disk, model)).toBe("right");
    expect(tables.length).toBeGreaterThan(4);
  });

  it("of any bit of the manifest is corruption", () => {
    const path = `${DIRECTORY}/MANIFEST`;
    const file = disk.file(path);
    for (let i = 0; i < file.size; i++) {
      file.bytes[i]! ^= 1 << (i % 8);
      expect(() => tiny(disk), `byte ${i}`).toThrow(StateStorageError);
      file.bytes[i]! ^= 1 << (i % 8);
    }
    const { size } = file;
    for (let i = 0; i < size; i += 7) {
      file.size = i;
      expect(() => tiny(disk), `cut at ${i}`).toThrow(StateStorageError);
    }
    file.size = size;
  });

  it("of any bit of a table is corruption, once that part is read", () => {
    for (const path of [tables[0]!, tables.at(-1)!]) {
      const file = disk.file(path);
      for (let i = 0; i < file.size; i += 3) {
        file.bytes[i]! ^= 1 << (i % 8);
        expect(verdict(disk, model), `${path} byte ${i}`).toBe("corrupt");
        file.bytes[i]! ^= 1 << (i % 8);
      }
    }
  });

  it("by a table that is too short or too long is corruption, never the end of data", () => {
    for (const path of tables) {
      const file = disk.file(path);
      const { size } = file;
      for (const cut of [0, 1, 55, 56, size >> 1, size - 1]) {
        file.size = cut;
        expect(verdict(disk, model), `${path} cut at ${cut}`).toBe("corrupt");
      }
      file.size = size;
      file.resize(size + 1);
      expect(verdict(disk, model)).toBe("corrupt");
      file.resize(size);
    }
  });

  it("by blocks in the wrong place is corruption, though each is intact", () => {
    const path = tables[0]!;
    const file = disk.file(path);
    const pristine = file.content();
    // The bytes of another table, as a misdirected write leaves them, whole or over the first block.
    for (const other of tables) {
      if (other === path) continue;
      const foreign = disk.file(other).content();
      for (const length of [100, 300, Math.min(pristine.length, foreign.length)]) {
        file.bytes.set(foreign.subarray(0, length));
        expect(verdict(disk, model), `${length} bytes of ${other}`).toBe("corrupt");
        file.bytes.set(pristine);
      }
    }
  });

  it("by swapped or missing files is recognised", () => {
    const [first, second] = [tables[0]!, tables[1]!];
    const swapped = disk.copy();
    swapped.nodes.set(first, disk.file(second));
    swapped.nodes.set(second, disk.file(first));
    expect(verdict(swapped, model)).toBe("corrupt");
    const missing = disk.copy();
    missing.nodes.delete(first);
    expect(verdict(missing, model)).toBe("corrupt");
  });

  it("is found at each read, not only when a table is opened", () => {
    const changing = disk.copy();
    const store = tiny(changing, { blockCacheBytes: 0, openTables: 100 });
    expect(rows(store)).toEqual(modelRows(model));
    for (const path of tables) changing.file(path).bytes[10]! ^= 1;
    expect(() => rows(store)).toThrow("checksum");
    store.close();
  });

  it("cannot come from leftovers: the manifest that replaced them is durable before they go", () => {
    const changing = disk.copy();
    changing.nodes.set(`${DIRECTORY}/900.table`, changing.file(tables[0]!));
    changing.nodes.set(`${DIRECTORY}/snap-901`, null);
    changing.nodes.set(`${DIRECTORY}/snap-901/900.table`, changing.file(tables[0]!));
    const calls: string[] = [];
    changing.judge = (call, path) => {
      if (path.startsWith(DIRECTORY)) calls.push(`${call} ${path.slice(DIRECTORY.length)}`);
      return 0;
    };
    tiny(changing).close();
    expect(calls).toContain("unlink /900.table");
    expect(calls.indexOf("fsyncDirectory ")).toBeGreaterThan(calls.indexOf("open /MANIFEST"));
    expect(calls.indexOf("fsyncDirectory ")).toBeLessThan(calls.indexOf("unlink /900.table"));
    expect(Array.from(changing.nodes.keys()).sort()).toEqual(Array.from(disk.nodes.keys()).sort());
  });

  it("is not seen in reads that come short: the rest is asked for", () => {
    const short = disk.copy();
    for (const limit of [1, 7, 100]) {
      short.readLimit = limit;
      expect(verdict(short, model)).toBe("right");
    }
  });
});

/** Writes, commits, snapshots and compacts; returns what was flushed last. */
function session(disk: MemoryDisk, flushed: (rows: readonly string[]) => void): void {
  const model = new Map<string, string>();
  const store = tiny(disk);
  try {
    for (let round = 0; round < 3; round++) {
      fill(store, model, round * 30, 30);
      store.flush();
      flushed(modelRows(model));
      for (let i = 0; i < 8; i++) if (store.needsMaintenance) store.maintain();
      const snapshot = store.snapshotFiles(round);
      while (snapshot.step(2000) > 0);
      snapshot.close();
      store.confirm(round);
    }
    rows(store);
  } catch (error) {
    expect(() => store.flush()).toThrow(error as Error);
    store.close();
    throw error;
  }
  store.close();
}

describe("a disk that refuses", () => {
  it.each([
    ["EIO", EIO, "io"],
    ["ENOSPC", ENOSPC, "no-space"],
  ])("once, with %s, at any call, is reported, and the last flushed state is found again", (_name, code, expected) => {
    let calls = 0;
    const counting = new MemoryDisk();
    counting.judge = () => {
      calls += 1;
      return 0;
    };
    session(counting, () => undefined);
    let reported = 0;
    for (let failing = 1; failing <= calls; failing++) {
      const disk = new MemoryDisk();
      let call = 0;
      let failedCall = "";
      disk.judge = (name) => {
        call += 1;
        if (call !== failing) return 0;
        failedCall = name;
        return code;
      };
      let before: readonly string[] = [];
      let found: unknown = null;
      try {
        session(disk, (flushed) => {
          before = flushed;
        });
      } catch (error) {
        found = error;
      }
      if (found !== null) {
        expect(found).toBeInstanceOf(StateStorageError);
        expect((found as StateStorageError).code).toBe(expected);
        reported += 1;
      } else expect(failedCall, `call ${failing}`).toMatch(/^(close|unlink|removeDirectory)$/);
      expect(disk.openDescriptors).toBe(0);
      disk.judge = null;
      const store = tiny(disk);
      const after = rows(store);
      if (after.join() !== before.join()) {
        // The error came behind the rename of a commit: what it committed is a later flushed state.
        expect(after.length).toBeGreaterThanOrEqual(before.length);
        expect(failedCall).toMatch(/fsyncDirectory/);
      }
      store.destroy();
    }
    expect(reported).toBeGreaterThan(calls / 2);
  });
});
