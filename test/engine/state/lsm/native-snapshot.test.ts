import { describe, expect, it } from "vitest";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import type { LsmStore } from "#whitewater/engine/state/backends/lsm/lsm-store.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import { MemoryDisk } from "../memory-disk.ts";
import { bytes, DIRECTORY, fill, modelRows, rows, settle, tiny } from "./store-fixture.ts";

function taken(store: LsmStore, checkpointId: number): readonly StoreFile[] {
  const snapshot = store.snapshotFiles(checkpointId);
  while (snapshot.step(500) > 0);
  const files = snapshot.files();
  snapshot.close();
  return files;
}

/** What a blob store would hold: files by name, refusing other bytes under a known one. */
class Remote {
  readonly files: Map<string, StoreFile> = new Map();

  add(files: readonly StoreFile[]): void {
    for (const file of files) {
      if (file.bytes === null) expect(this.files.has(file.name)).toBe(true);
      else {
        expect(this.files.has(file.name)).toBe(false);
        this.files.set(file.name, file);
      }
    }
  }

  all(files: readonly StoreFile[]): readonly StoreFile[] {
    return files.map((file) => this.files.get(file.name)!);
  }
}

const sent = (files: readonly StoreFile[]): number => files.reduce((sum, file) => sum + (file.bytes?.length ?? 0), 0);

describe("a native snapshot", () => {
  it("restores to the rows of its moment, in another store, after changes and compactions meanwhile", () => {
    const store = tiny(new MemoryDisk());
    const model = new Map<string, string>();
    fill(store, model, 0, 600);
    const expected = modelRows(model);
    const snapshot = store.snapshotFiles(1);
    for (let i = 0; snapshot.step(300) > 0; i++) {
      fill(store, model, 600 + i * 5, 5);
      store.delete(bytes(`k${i}`));
      if (store.needsMaintenance) store.maintain();
    }
    settle(store);
    const files = snapshot.files();
    snapshot.close();
    for (const file of files) {
      expect(file.sizeBytes).toBe(file.bytes!.length);
      expect(file.checksum).toBe(crc32(file.bytes!));
    }
    const restored = tiny(new MemoryDisk(), { storeId: "s2" });
    restored.restoreFiles(files);
    expect(rows(restored)).toEqual(expected);
    restored.flush();
    settle(restored);
    expect(rows(restored)).toEqual(expected);
    restored.close();
    store.close();
  });

  it("sends again only what the last confirmed one does not have", () => {
    const store = tiny(new MemoryDisk(), { memtableBytes: 20_000 });
    const remote = new Remote();
    const model = new Map<string, string>();
    fill(store, model, 0, 1000);
    store.flush();
    settle(store);
    const first = taken(store, 1);
    remote.add(first);
    store.put(bytes("one"), bytes("more"));
    const unconfirmed = taken(store, 2);
    remote.add(unconfirmed);
    expect(sent(unconfirmed)).toBeGreaterThan(sent(first));
    store.confirm(1);
    store.abort(2);
    store.put(bytes("one"), bytes("less"));
    const third = taken(store, 3);
    remote.add(third);
    expect(sent(third)).toBeLessThan(sent(first) / 4);
    const fourth = taken(store, 4);
    expect(fourth.filter(({ bytes: content }) => content === null).map(({ name }) => name)).not.toContain(
      third.find(({ bytes: content, name }) => content !== null && name.endsWith(".table"))!.name,
    );
    const restored = tiny(new MemoryDisk(), { storeId: "s2" });
    restored.restoreFiles(remote.all(third));
    expect(rows(restored)).toEqual(rows(store));
    restored.close();
    store.close();
  });

  it("uses no name twice: not after an abort, nor in a store opened again", () => {
    const disk = new MemoryDisk();
    const remote = new Remote();
    let store = tiny(disk);
    const model = new Map<string, string>();
    for (let id = 1; id < 20; id++) {
      fill(store, model, id * 50, 50);
      remote.add(taken(store, id));
      if (id % 3 === 0) store.confirm(id);
      else store.abort(id);
      if (id % 5 === 0) {
        store.close();
        store = tiny(disk);
      }
    }
    store.close();
  });

  it("leaves no links behind, closed by itself or by the store, given up or complete", () => {
    const disk = new MemoryDisk();
    const store = tiny(disk);
    fill(store, new Map(), 0, 300);
    const links = (): string[] => Array.from(disk.nodes.keys()).filter((path) => path.includes("/snap-"));
    taken(store, 1);
    const givenUp = store.snapshotFiles(2);
    givenUp.step(1);
    expect(links()).not.toEqual([]);
    givenUp.close();
    givenUp.close();
    settle(store);
    expect(links()).toEqual([]);
    store.snapshotFiles(3);
    store.close();
    expect(links()).toEqual([]);
    expect(disk.openDescriptors).toBe(0);
  });

  it("of an empty store is one file, which restores to an empty store", () => {
    const store = tiny(new MemoryDisk());
    const files = taken(store, 1);
    expect(files).toHaveLength(1);
    const restored = tiny(new MemoryDisk());
    restored.restoreFiles(files);
    expect(rows(restored)).toEqual([]);
  });

  it("is refused with a file damaged, missing, or swapped for another", () => {
    const store = tiny(new MemoryDisk());
    fill(store, new Map(), 0, 400);
    const files = taken(store, 1);
    const restoring = (changed: readonly StoreFile[]): (() => void) => {
      return () => tiny(new MemoryDisk()).restoreFiles(changed);
    };
    for (let i = 0; i < files.length; i++) {
      const file = files[i]!;
      const flipped = file.bytes!.slice();
      flipped[flipped.length >> 1]! ^= 4;
      const other = files[(i + 1) % files.length]!;
      const swapped = { ...other, name: file.name };
      expect(restoring(files.with(i, { ...file, bytes: flipped }))).toThrow("checksum");
      expect(restoring(files.with(i, { ...file, bytes: file.bytes!.subarray(1) }))).toThrow("bytes, not");
      expect(restoring(files.with(i, swapped))).toThrow(/not the table|magic/);
      if (i > 0) expect(restoring(files.toSpliced(i, 1))).toThrow("missing");
    }
  });

  it("reads no damaged table", () => {
    const disk = new MemoryDisk();
    const store = tiny(disk);
    fill(store, new Map(), 0, 400);
    const snapshot = store.snapshotFiles(1);
    const link = Array.from(disk.nodes.keys()).find((path) => path.startsWith(`${DIRECTORY}/snap-`) && path.endsWith(".table"))!;
    disk.file(link).bytes[40]! ^= 1;
    expect(() => {
      while (snapshot.step(1000) > 0);
    }).toThrow("checksum");
    expect(() => store.get(bytes("k"))).toThrow("checksum");
    store.destroy();
    expect(disk.openDescriptors).toBe(0);
  });
});
