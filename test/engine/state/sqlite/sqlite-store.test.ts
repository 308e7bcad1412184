import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoreFile, StoreFilesSnapshot, StoreIterator, StoreView } from "#whitewater/engine/state/ordered-store.js";
import type { SqliteStore } from "#whitewater/engine/state/backends/sqlite/sqlite-store.js";
import { MemoryDisk } from "./memory-disk.ts";
import { bytes, completed, engine, FileShelf, hex, keyOf, openStore, rowsOf, valueOf } from "./store-fixture.ts";

type Row = [string, string];

/** What the store must hold: rows by the hex of their keys, which sorts as the bytes do. */
class Model {
  rows: Map<string, string> = new Map();

  sorted(from = "", to: string | null = null): Row[] {
    const keys = [...this.rows.keys()].filter((key) => key >= from && (to === null || key < to)).sort();
    return keys.map((key) => [key, this.rows.get(key)!]);
  }
}

type Action =
  | { readonly kind: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: "delete" | "get"; readonly key: Uint8Array }
  | { readonly kind: "iterate"; readonly from: Uint8Array; readonly to: Uint8Array | null; readonly take: number }
  | { readonly kind: "snapshot"; readonly steps: number }
  | { readonly kind: "view" | "closeView" | "iteratorStep" | "flush" | "reopen" | "confirm" | "abort" | "restore" | "inspect" };

const key = fc.uint8Array({ maxLength: 3 });
const value = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.integer({ min: 0, max: 255 }).chain((fill) => fc.nat(9000).map((length) => new Uint8Array(length).fill(fill))),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("put" as const), key, value }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("delete" as const, "get" as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("iterate" as const),
      from: key,
      to: fc.option(key),
      take: fc.nat(20),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("snapshot" as const), steps: fc.nat(4) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(["view", "closeView", "iteratorStep", "flush", "reopen", "confirm", "abort", "restore", "inspect"] as const),
      ),
    }),
  },
);

interface OpenIterator {
  readonly iterator: StoreIterator;
  readonly expected: Row[];
}

interface Snapshot {
  readonly id: number;
  readonly snapshot: StoreFilesSnapshot;
  readonly rows: Map<string, string>;
  files: readonly StoreFile[] | null;
}

/** A store and its model, driven together. */
class LockStep {
  readonly disk: MemoryDisk = new MemoryDisk();
  readonly shelf: FileShelf = new FileShelf();
  readonly model: Model = new Model();
  flushed: Map<string, string> = new Map();
  views: { view: StoreView; rows: Row[] }[] = [];
  iterators: OpenIterator[] = [];
  snapshots: Snapshot[] = [];
  confirmed: Snapshot | null = null;
  attempt = 1;
  checkpoint = 0;
  store: SqliteStore;

  constructor() {
    this.store = this.#open();
  }

  #open(): SqliteStore {
    return openStore(this.disk, { storeId: `store-${this.attempt}` });
  }

  run(step: Action): void {
    const { store, model } = this;
    switch (step.kind) {
      case "put":
        {
          const [given, content] = [step.key.slice(), step.value.slice()];
          store.put(given, content);
          // The caller's bytes are the caller's.
          given.fill(255);
          content.fill(255);
        }
        model.rows.set(hex(step.key), hex(step.value));
        return;
      case "delete":
        store.delete(step.key);
        model.rows.delete(hex(step.key));
        return;
      case "get": {
        const got = store.get(step.key);
        expect(got === null ? undefined : hex(got)).toBe(model.rows.get(hex(step.key)));
        return;
      }
      case "iterate":
        return this.#iterate(step.from, step.to, step.take);
      case "iteratorStep": {
        const open = this.iterators[0];
        if (open !== undefined && !expectNext(open)) this.iterators.shift();
        return;
      }
      case "view":
        this.views.push({ view: store.view(), rows: model.sorted() });
        return;
      case "closeView":
        this.views.shift()?.view.close();
        return;
      case "inspect": {
        const { calls } = this.disk;
        expect(rowsOf(store.inspect({ read: (path) => this.disk.peek(path) }))).toEqual(model.sorted());
        expect(this.disk.calls).toBe(calls);
        return;
      }
      default:
        return this.#runRarer(step);
    }
  }

  #runRarer(step: Action): void {
    const { store, model } = this;
    if (step.kind === "flush") {
      store.flush();
      this.flushed = new Map(model.rows);
    } else if (step.kind === "reopen") {
      this.#check();
      store.close();
      this.#begin(this.flushed);
    } else if (step.kind === "snapshot") {
      this.checkpoint += 1;
      const snapshot = store.snapshotFiles(this.checkpoint);
      for (let i = 0; i < step.steps; i++) snapshot.step(1);
      this.snapshots.push({ id: this.checkpoint, snapshot, rows: new Map(model.rows), files: null });
    } else if (step.kind === "confirm") {
      const first = this.snapshots.shift();
      if (first === undefined) return;
      this.#complete(first);
      store.confirm(first.id);
      this.confirmed = first;
    } else if (step.kind === "abort") {
      const first = this.snapshots.shift();
      if (first === undefined) return;
      first.snapshot.close();
      store.abort(first.id);
    } else if (step.kind === "restore" && this.confirmed?.files !== null && this.confirmed !== null) {
      store.destroy();
      this.#begin(new Map());
      this.store.restoreFiles(this.shelf.withBytes(this.confirmed.files!));
      model.rows = new Map(this.confirmed.rows);
      this.flushed = new Map();
    }
  }

  #begin(rows: Map<string, string>): void {
    this.model.rows = new Map(rows);
    this.views = [];
    this.iterators = [];
    this.snapshots = [];
    this.attempt += 1;
    this.store = this.#open();
  }

  #iterate(from: Uint8Array, to: Uint8Array | null, take: number): void {
    const expected = this.model.sorted(hex(from), to === null ? null : hex(to));
    const open = { iterator: this.store.iterate(from, to), expected };
    for (let i = 0; i < take; i++) if (!expectNext(open)) return;
    this.iterators.push(open);
  }

  /** Snapshots are completed at the latest moment, after everything else that changed. */
  #complete(one: Snapshot): void {
    one.files = this.shelf.keep(completed(one.snapshot));
    const other = openStore(new MemoryDisk(), { storeId: "restored" });
    other.restoreFiles(this.shelf.withBytes(one.files));
    expect(rowsOf(other)).toEqual([...one.rows].sort(([left], [right]) => (left < right ? -1 : 1)));
    other.close();
  }

  #check(): void {
    expect(rowsOf(this.store)).toEqual(this.model.sorted());
    for (const { view, rows } of this.views) expect(rowsOf(view)).toEqual(rows);
    for (const open of this.iterators) while (expectNext(open));
  }

  end(): void {
    this.#check();
    for (const one of this.snapshots) this.#complete(one);
    this.store.destroy();
    expect([...this.disk.files.keys()]).toEqual([]);
    expect(this.disk.openDescriptors).toBe(0);
    expect(engine.openFiles).toBe(0);
  }
}

function expectNext({ iterator, expected }: OpenIterator): boolean {
  const row = expected.shift();
  expect(iterator.next()).toBe(row !== undefined);
  if (row !== undefined) expect([hex(iterator.key), hex(iterator.value)]).toEqual(row);
  return row !== undefined;
}

describe("a SQLite store", () => {
  it("is a sorted map that is frozen, flushed, snapshotted and restored as it was", () => {
    const property = fc.property(fc.array(action, { maxLength: 120, size: "max" }), (actions) => {
      const lockStep = new LockStep();
      for (const each of actions) lockStep.run(each);
      lockStep.end();
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("holds values of many pages and keys longer than a page", () => {
    const store = openStore(new MemoryDisk());
    const long = new Uint8Array(10_000).fill(7);
    store.put(long, valueOf(1, 16 << 20));
    store.put(bytes("a"), valueOf(2));
    const view = store.view();
    store.put(long, valueOf(3, 3));
    // Compared natively: the assertion would walk through 16 million numbers.
    expect(Buffer.from(view.get(long)!).equals(valueOf(1, 16 << 20))).toBe(true);
    expect(store.get(long)).toEqual(valueOf(3, 3));
    store.close();
  });

  it("gives values that stay as they are", () => {
    const store = openStore(new MemoryDisk(), { writeBufferBytes: 1 << 20 });
    store.put(keyOf(1), valueOf(1));
    const buffered = store.get(keyOf(1));
    store.view().close();
    const stored = store.get(keyOf(1));
    for (let i = 0; i < 100; i++) store.put(keyOf(i), valueOf(9));
    store.view().close();
    expect([buffered, stored]).toEqual([valueOf(1), valueOf(1)]);
    store.close();
  });

  it("keeps images of overwritten pages as long as a view needs them", () => {
    const store = openStore(new MemoryDisk());
    for (let i = 0; i < 500; i++) store.put(keyOf(i), valueOf(1));
    const views = [1, 2, 3].map((round) => {
      const view = store.view();
      for (let i = 0; i < 500; i += 50) store.put(keyOf(i), valueOf(round + 1));
      return view;
    });
    const seen = (view: StoreView): number => view.get(keyOf(50))![0]!;
    store.view().close();
    expect(views.map(seen)).toEqual([1, 2, 3]);
    views[1]!.close();
    expect([seen(views[0]!), seen(views[2]!)]).toEqual([1, 3]);
    views[2]!.close();
    expect(seen(views[0]!)).toBe(1);
    views[0]!.close();
    expect(rowsOf(store)).toHaveLength(500);
    store.close();
  });
});

describe("snapshots of a SQLite store", () => {
  it("take bytes in proportion to the change, whatever the state's size, over a hundred checkpoints", () => {
    const store = openStore(new MemoryDisk(), { writeBufferBytes: 1 << 20 });
    const shelf = new FileShelf();
    for (let i = 0; i < 20_000; i++) store.put(keyOf(i), valueOf(1, 100));
    const full = shelf.keep(completed(store.snapshotFiles(1), 1 << 20));
    store.confirm(1);
    const fullBytes = full.reduce((sum, { bytes: content }) => sum + content!.length, 0);
    let written = 0;
    let files: readonly StoreFile[] = full;
    for (let id = 2; id <= 101; id++) {
      for (let i = 0; i < 10; i++) store.put(keyOf(((id * 7919 + i * 104_729) % 20_000)), valueOf(id, 100));
      files = shelf.keep(completed(store.snapshotFiles(id), 1 << 20));
      store.confirm(id);
      for (const { bytes: content } of files) written += content?.length ?? 0;
      expect(files.length).toBeLessThan(14);
    }
    // Ten rows on ten pages change each time; the packs that are merged multiply that by less than five.
    expect(written / 100).toBeLessThan(5 * 11 * 4096);
    expect(written / 100).toBeLessThan(fullBytes / 10);
    const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(total).toBeLessThan(2.1 * fullBytes);
    const restored = openStore(new MemoryDisk(), { storeId: "restored" });
    restored.restoreFiles(shelf.withBytes(files));
    expect(rowsOf(restored)).toEqual(rowsOf(store));
    store.close();
    restored.close();
  });

  it("rely on the last confirmed one alone: an aborted one's pages are written again", () => {
    const store = openStore(new MemoryDisk());
    const shelf = new FileShelf();
    const take = (id: number): number => {
      const files = shelf.keep(completed(store.snapshotFiles(id)));
      return files.filter(({ bytes: content }) => content === null).length;
    };
    for (let i = 0; i < 500; i++) store.put(keyOf(i), valueOf(1));
    expect(take(1)).toBe(0);
    expect(take(2)).toBe(0);
    store.abort(1);
    store.abort(2);
    expect(take(3)).toBe(0);
    store.confirm(3);
    store.confirm(99);
    store.put(keyOf(1), valueOf(2));
    expect(take(4)).toBe(1);
    store.abort(4);
    const files = completed(store.snapshotFiles(5));
    expect(files.map(({ bytes: content }) => content === null)).toEqual([true, false]);
    expect(files[0]!.name).toBe("store-1-3.pack");
    store.close();
  });

  it("refuse files that are damaged, misnamed or missing", () => {
    const store = openStore(new MemoryDisk());
    for (let i = 0; i < 500; i++) store.put(keyOf(i), valueOf(1));
    const shelf = new FileShelf();
    shelf.keep(completed(store.snapshotFiles(1)));
    store.confirm(1);
    store.put(keyOf(1), valueOf(2));
    const files = shelf.withBytes(shelf.keep(completed(store.snapshotFiles(2))));
    const damaged = files.map((file) => ({ ...file, bytes: file.bytes!.slice() }));
    damaged[0]!.bytes[5000]! ^= 1;
    for (const wrong of [damaged, files.slice(1)]) {
      const other = openStore(new MemoryDisk(), { storeId: "restored" });
      expect(() => other.restoreFiles(wrong)).toThrow(expect.objectContaining({ code: "corrupt" }));
      expect(() => other.get(keyOf(1))).toThrow(expect.objectContaining({ code: "corrupt" }));
      other.destroy();
    }
    store.close();
  });
});
