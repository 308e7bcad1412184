import { describe, expect, it } from "vitest";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import { ProcessDied } from "#whitewater/engine/ports/process-ports.js";
import type { SqliteStore } from "#whitewater/engine/state/backends/sqlite/sqlite-store.js";
import { SqliteConnection } from "#whitewater/engine/state/backends/sqlite/sqlite-connection.js";
import { VfsVolume, type VfsFile } from "#whitewater/engine/state/backends/sqlite/vfs-volume.js";
import { loadSqlite } from "#whitewater/scenarios/load-sqlite.js";
import { randomStream } from "../random-stream.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { completed, engine, hex, keyOf, openStore, valueOf } from "./store-fixture.ts";

/** One World's work with its store, in steps that can be interleaved with others'; folds all it does and sees. */
class StoreWorld {
  readonly disk: MemoryDisk = new MemoryDisk();
  readonly store: SqliteStore;
  digest = 0;
  #drawn = 0;
  readonly #draws;
  #step = 0;

  constructor(seed: number) {
    const random = randomStream(seed);
    this.#draws = randomStream(seed + 1000);
    this.disk.hook = (call, path) => {
      this.#fold(new TextEncoder().encode(`${call} ${path}`));
      return null;
    };
    const stream = {
      below: (bound: number): number => {
        this.#drawn += 1;
        const drawn = random.below(bound);
        this.#fold(Uint8Array.of(drawn));
        return drawn;
      },
    };
    this.store = openStore(this.disk, { storeId: `world-${seed}`, random: stream, cacheBytes: 16_384 });
  }

  get drawn(): number {
    return this.#drawn;
  }

  step(): void {
    const { store } = this;
    const draw = this.#draws.below(100);
    for (let i = 0; i < 5; i++) store.put(keyOf(this.#draws.below(300)), valueOf(draw, 120));
    if (draw < 30) this.#fold(store.get(keyOf(draw)) ?? new Uint8Array(1));
    if (draw > 80) {
      const view = store.view();
      const rows = view.iterate(keyOf(draw), null);
      for (let i = 0; i < 10 && rows.next(); i++) this.#fold(rows.value);
      view.close();
    }
    this.#step += 1;
    if (draw > 95) {
      for (const { name, checksum } of completed(store.snapshotFiles(this.#step))) {
        this.#fold(new TextEncoder().encode(`${name} ${checksum}`));
      }
      store.confirm(this.#step);
    }
    if (draw === 50) store.flush();
  }

  #fold(bytes: Uint8Array): void {
    this.digest = crc32(bytes, 0, bytes.length, this.digest);
  }
}

const STEPS = 150;

function digestAlone(seed: number): number {
  const world = new StoreWorld(seed);
  for (let i = 0; i < STEPS; i++) world.step();
  world.store.destroy();
  expect(world.drawn).toBeGreaterThan(0);
  return world.digest;
}

describe("one SQLite for many Worlds", () => {
  it("is loaded once", async () => {
    expect(await loadSqlite()).toBe(engine);
  });

  it("gives each the same run whether others are interleaved, inspected or abandoned, or not", () => {
    const alone = [1, 2, 3].map(digestAlone);
    expect(new Set(alone).size).toBe(3);
    const worlds = [1, 2, 3].map((seed) => new StoreWorld(seed));
    const order = randomStream(9);
    const left = worlds.map(() => STEPS);
    while (left.some((count) => count > 0)) {
      const turn = order.below(5);
      if (turn < 3 && left[turn]! > 0) {
        left[turn]! -= 1;
        worlds[turn]!.step();
      } else if (turn === 3) {
        const { store, disk } = worlds[order.below(3)]!;
        store.inspect({ read: (path) => disk.peek(path) }).get(keyOf(1));
      } else {
        const lost = new StoreWorld(order.below(1000));
        for (let i = order.below(20); i > 0; i--) lost.step();
        lost.store.view();
        lost.store.iterate(keyOf(1), null).next();
        engine.abandon(lost.disk);
      }
    }
    for (const { store } of worlds) store.destroy();
    expect(worlds.map(({ digest }) => digest)).toEqual(alone);
    expect([1, 2, 3].map(digestAlone)).toEqual(alone);
    expect(engine.openFiles).toBe(0);
  });

  it("lets one be inspected from within a disk call of another, and both go on as they would have", () => {
    const alone = [1, 2].map(digestAlone);
    const [first, second] = [new StoreWorld(1), new StoreWorld(2)];
    const { hook } = first.disk;
    let looks = 0;
    first.disk.hook = (call, path) => {
      looks += 1;
      if (looks % 7 === 0) second.store.inspect({ read: (name) => second.disk.peek(name) }).get(keyOf(looks % 300));
      return hook(call, path);
    };
    for (let i = 0; i < STEPS; i++) {
      first.step();
      second.step();
    }
    for (const { store } of [first, second]) store.destroy();
    expect([first.digest, second.digest]).toEqual(alone);
  });

  it("serves SQLite's own random numbers from the stream of the World that asks", () => {
    const draw = (seed: number): SqliteConnection => {
      const memory: VfsFile = {
        capabilities: 0,
        bufferFor: (length) => new Uint8Array(length),
        read: () => 522,
        write: () => 10,
        truncate: () => 10,
        sync: () => 0,
        size: () => 0,
        close: () => 0,
      };
      const files = { open: () => memory, remove: () => 0, exists: () => 0 };
      return new SqliteConnection(engine, new VfsVolume(files, randomStream(seed), null), "random", 6);
    };
    const randomBlob = (connection: SqliteConnection): string => {
      const statement = connection.prepare("SELECT randomblob(16)");
      connection.step(statement);
      const blob = hex(connection.columnBytes(statement, 0));
      connection.reset(statement);
      return blob;
    };
    const [first, second] = [draw(1), draw(2)];
    const interleaved = [randomBlob(first), randomBlob(second), randomBlob(first), randomBlob(second)];
    const again = draw(1);
    expect([randomBlob(again), randomBlob(again)]).toEqual([interleaved[0], interleaved[2]]);
    expect(new Set(interleaved).size).toBe(4);
    for (const connection of [first, second, again]) connection.close();
  });

  it("takes no more memory after 2,000 crashed and reopened databases", () => {
    const crash = (seed: number): void => {
      const disk = new MemoryDisk();
      const store = openStore(disk, { writeBufferBytes: 2000 });
      let calls = 0;
      disk.hook = () => {
        calls += 1;
        if (calls > seed % 23) throw new ProcessDied("struck");
        return null;
      };
      try {
        for (let i = 0; i < 60; i++) store.put(keyOf(i), valueOf(seed, 100));
        store.view().get(keyOf(1));
        store.iterate(keyOf(0), null).next();
        store.flush();
      } catch (error) {
        expect(error).toBeInstanceOf(ProcessDied);
      }
      engine.abandon(disk);
    };
    for (let seed = 0; seed < 100; seed++) crash(seed);
    const { memoryBytes } = engine;
    for (let seed = 100; seed < 2100; seed++) crash(seed);
    expect(engine.memoryBytes).toBe(memoryBytes);
    expect(engine.openFiles).toBe(0);
  });
});

describe("an inspection", () => {
  it("sees database and buffer, calls no disk, and leaves the store as it was", () => {
    const disk = new MemoryDisk();
    const store = openStore(disk, { writeBufferBytes: 1 << 20 });
    const look = () => store.inspect({ read: (path) => disk.peek(path) });
    expect(look().get(keyOf(1))).toBeNull();
    store.put(keyOf(1), valueOf(1));
    expect(look().get(keyOf(1))).toEqual(valueOf(1));
    store.view().close();
    store.put(keyOf(2), valueOf(2));
    store.delete(keyOf(1));
    store.put(keyOf(3), valueOf(3));
    disk.hook = (call) => {
      throw new Error(`${call} while a store is inspected`);
    };
    const reader = look();
    const iterator = reader.iterate(keyOf(0), keyOf(3));
    expect(iterator.next() && iterator.key).toEqual(keyOf(2));
    expect(iterator.next()).toBe(false);
    expect([reader.get(keyOf(1)), reader.get(keyOf(3))]).toEqual([null, valueOf(3)]);
    disk.hook = () => null;
    expect(store.get(keyOf(2))).toEqual(valueOf(2));
    store.destroy();
    expect(engine.openFiles).toBe(0);
  });
});
