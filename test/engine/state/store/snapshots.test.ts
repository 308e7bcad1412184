import { describe, expect, it } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import { StateSchemaError, StateStorageError } from "#whitewater/engine/state/state-errors.js";
import { listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import { optionalOf } from "#whitewater/engine/state/serializers/optional-serializer.js";
import { int32Serializer, longSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { keyGroupOf, keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { MemoryStore, StoreWatch } from "./memory-store.js";
import { MAX_PARALLELISM, NO_FILES, WHOLE_RANGE, backend, contents, filesOf, snapshotOf } from "./store-backends.js";

/** Writes a few of everything for the keys from `first` on, as far as they are in the range. */
function fill(state: KeyedBackend, first: number, count: number): void {
  const value = state.bind(valueState<number>("v")).state;
  const list = state.bind(listState<number>("l")).state;
  const map = state.bind(mapState<string, number>("m")).state;
  for (let key = first; key < first + count; key++) {
    const keyGroup = keyGroupOf(key, MAX_PARALLELISM);
    if (keyGroup < state.range.start || keyGroup > state.range.end) continue;
    state.setCurrentKey(key);
    value.update(key);
    list.addAll([key, 1, 2]);
    map.put("b", key);
    map.put("a", key);
    state.timers().register(0, "", key);
  }
}

describe("snapshots in steps", () => {
  it("take as many rows and timers a step as the budget says, and 0 only at the end", () => {
    const state = backend();
    fill(state, 0, 10);
    const writer = state.snapshot();
    let steps = 1;
    while (writer.step(1) > 0) steps++;
    // Per key: a value, three elements, two entries, a timer.
    expect(steps).toBe(10 * 7 + 1);
    expect(writer.step(1)).toBe(0);
    expect(writer.bytes()).toEqual(snapshotOf(state, 1000));
    expect(() => writer.bytes()).toThrow("once");
    expect(() => state.snapshot().step(0)).toThrow("at least one entry");
  });

  it("hold nothing of the store once they are done, cancelled or failed and cancelled", () => {
    const watch = new StoreWatch();
    const state = backend(WHOLE_RANGE, 1, { store: new MemoryStore(watch) });
    fill(state, 0, 5);
    const [done, cancelled, untouched, failed] = [state.snapshot(), state.snapshot(), state.snapshot(), state.snapshot()];
    const native = state.incremental.snapshot(1);
    native.step(1);
    expect(watch.open).toBe(5);
    while (done.step(100) > 0);
    cancelled.step(1);
    cancelled.cancel();
    cancelled.cancel();
    untouched.cancel();
    expect(() => cancelled.step(1)).toThrow("cancelled");
    native.cancel();
    native.cancel();
    expect(watch.open).toBe(1);
    watch.failAt = watch.calls + 2;
    expect(() => failed.step(9)).toThrow(StateStorageError);
    expect(() => failed.step(9)).toThrow("failed");
    failed.cancel();
    expect(watch.open).toBe(0);
    expect(done.bytes().length).toBeGreaterThan(0);
  });

  it("are given up with the backend, and may be cancelled afterwards", () => {
    const watch = new StoreWatch();
    const state = backend(WHOLE_RANGE, 1, { store: new MemoryStore(watch) });
    fill(state, 0, 5);
    const writers = [state.snapshot(), state.snapshot(), state.incremental.snapshot(1)];
    writers[0]!.step(2);
    writers[2]!.step(2);
    state.dispose();
    expect(watch.open).toBe(0);
    for (const writer of writers) writer.cancel();
  });
});

describe("incremental snapshots", () => {
  it("come back whole in a backend of the same range, and go on counting", () => {
    const state = backend();
    fill(state, 0, 20);
    state.watermarkMs = 77;
    const restored = backend();
    restored.incremental.restore([filesOf(state, 1, new Map())]);
    expect([snapshotOf(restored), contents(restored)]).toEqual([snapshotOf(state), contents(state)]);
    const list = restored.bind(listState<number>("l")).state;
    restored.setCurrentKey(3);
    list.add(99);
    expect([list.get(), restored.watermarkMs]).toEqual([[3, 1, 2, 99], 77]);
  });

  it("give files of the last confirmed one without bytes, not those of an aborted one", () => {
    const state = backend();
    fill(state, 0, 40);
    const withBytes = (checkpointId: number): number => {
      const writer = state.incremental.snapshot(checkpointId);
      while (writer.step(10) > 0);
      return writer.files().filter((file) => file.bytes !== null).length;
    };
    const whole = withBytes(1);
    expect(whole).toBeGreaterThan(10);
    state.notifyAborted(1);
    expect(withBytes(2)).toBe(whole);
    state.notifyComplete(2);
    // The meta file alone is always new.
    expect(withBytes(3)).toBe(1);
  });

  it("name their meta file after the attempt and the checkpoint, and it comes first", () => {
    const state = backend();
    fill(state, 0, 2);
    const [meta] = filesOf(state, 12, new Map());
    expect([meta!.name, meta!.sizeBytes, meta!.checksum]).toEqual(["a1-meta-12", meta!.bytes!.length, crc32(meta!.bytes!)]);
  });

  it("are of the moment they were begun, whatever is written afterwards", () => {
    const state = backend();
    fill(state, 0, 10);
    const expected = snapshotOf(state);
    const writer = state.incremental.snapshot(1);
    fill(state, 5, 20);
    state.bind(valueState<number>("later")).state.update(1);
    state.watermarkMs = 5;
    while (writer.step(1) > 0);
    const restored = backend();
    restored.incremental.restore([writer.files()]);
    expect(snapshotOf(restored)).toEqual(expected);
  });

  it("of several subtasks are cut and merged, though each numbered the states in its own order", () => {
    const stored = new Map<string, Uint8Array>();
    const sets = [0, 1, 2].map((index) => {
      const part = backend(keyGroupRange(MAX_PARALLELISM, 3, index), 1, { storeId: `s${index}` });
      if (index === 1) part.bind(mapState<string, number>("m"));
      if (index === 2) part.bind(reducingState<number>("only here", (l, r) => l + r));
      fill(part, 0, 60);
      part.watermarkMs = 100 + index;
      return filesOf(part, 1, stored);
    });
    const expected = backend();
    fill(expected, 0, 60);
    const temporary: MemoryStore[] = [];
    const temporaryStore = (): MemoryStore => {
      temporary.push(new MemoryStore());
      return temporary.at(-1)!;
    };
    for (let index = 0; index < 2; index++) {
      const restored = backend(keyGroupRange(MAX_PARALLELISM, 2, index), 1, { temporaryStore });
      restored.incremental.restore(sets);
      expect(contents(restored)).toEqual(contents(expected).filter((entry) => {
        const keyGroup = keyGroupOf((JSON.parse(entry) as { key: number }).key, MAX_PARALLELISM);
        return keyGroup >= restored.range.start && keyGroup <= restored.range.end;
      }));
      expect(restored.watermarkMs).toBe(100 + index);
    }
    // Each old subtask of which something was needed, and none is left behind.
    expect(temporary.map((store) => store.destroyed)).toEqual([true, true, true, true]);
    expect(() => backend().incremental.restore([sets[0]!, sets[0]!])).toThrow("belongs to one of the sections");
  });

  it("of one subtask are cut to a part of its range", () => {
    const state = backend();
    fill(state, 0, 40);
    const files = filesOf(state, 1, new Map());
    const parts = [0, 1, 2].flatMap((index) => {
      const part = backend(keyGroupRange(MAX_PARALLELISM, 3, index));
      part.incremental.restore([files]);
      return contents(part);
    });
    expect(parts.sort()).toEqual(contents(state));
  });

  it("refuse a meta file that is damaged, foreign or of another max parallelism", () => {
    const state = backend();
    fill(state, 0, 3);
    const files = filesOf(state, 1, new Map());
    const meta = files[0]!;
    const restore = (bytes: Uint8Array, checksum = crc32(bytes)): void => {
      const file: StoreFile = { ...meta, bytes, checksum, sizeBytes: bytes.length };
      backend().incremental.restore([[file, ...files.slice(1)]]);
    };
    restore(meta.bytes!);
    for (let length = 0; length < meta.bytes!.length; length++) {
      expect(() => restore(meta.bytes!.subarray(0, length))).toThrow(CorruptBytesError);
    }
    for (let at = 0; at < meta.bytes!.length; at++) {
      const damaged = meta.bytes!.slice();
      damaged[at]! ^= 1 << at % 8;
      expect(() => restore(damaged, meta.checksum)).toThrow(CorruptBytesError);
      try {
        restore(damaged);
      } catch (error) {
        expect(["CorruptBytesError", "InvariantError"]).toContain((error as Error).name);
      }
    }
    expect(() => backend().incremental.restore([[{ ...meta, bytes: null }]])).toThrow(CorruptBytesError);
    const other = backend({ start: 0, end: 31 }, 1, { maxParallelism: 32 });
    expect(() => other.incremental.restore([files])).toThrow("its max parallelism");
  });

  it("leave no temporary store behind where a restore fails", () => {
    const state = backend();
    fill(state, 0, 10);
    const files = filesOf(state, 1, new Map());
    const temporary = new MemoryStore();
    const restored = backend(keyGroupRange(MAX_PARALLELISM, 2, 0), 1, { temporaryStore: () => temporary });
    const damaged = files.map((file, index) => (index === 1 ? { ...file, checksum: 0 } : file));
    expect(() => restored.incremental.restore([damaged])).toThrow(StateStorageError);
    restored.dispose();
    expect(temporary.destroyed).toBe(true);
  });
});

describe("serializers of restored state", () => {
  const ints = valueState<number>("v", null, { serializer: int32Serializer });
  const longs = valueState<number>("v", null, { serializer: longSerializer });

  function written(): KeyedBackend {
    const state = backend();
    const value = state.bind(ints);
    const list = state.bind(listState<number>("l", { serializer: int32Serializer })).state;
    const map = state.bind(mapState<string, number>("m", { keySerializer: stringSerializer, serializer: int32Serializer })).state;
    for (let key = 0; key < 20; key++) {
      state.setCurrentKey(key);
      for (const namespace of ["", 5]) {
        value.setNamespace(namespace);
        value.state.update(key);
      }
      list.addAll([key, -1]);
      map.put("y", key);
      map.put("x", -key);
    }
    return state;
  }

  it("are replaced when a job binds another one that can read it, in whatever way it was restored", () => {
    const old = written();
    const sections = backend();
    sections.restore([snapshotOf(old)]);
    const files = backend();
    files.incremental.restore([filesOf(old, 1, new Map())]);
    for (const state of [sections, files]) {
      const before = state.snapshot();
      const value = state.bind(longs).state;
      const list = state.bind(listState<number | null>("l", { serializer: optionalOf(longSerializer) })).state;
      const map = state.bind(mapState<string, number>("m", { keySerializer: stringSerializer, serializer: longSerializer })).state;
      state.setCurrentKey(7);
      expect([value.value(), list.get(), map.entries()]).toEqual([7, [7, -1], [["y", 7], ["x", -7]]]);
      value.update(2 ** 40);
      list.add(null);
      expect(contents(state)).toHaveLength(contents(old).length);
      // A snapshot that had begun has the old rows and the old schemas.
      while (before.step(10) > 0);
      expect(before.bytes()).toEqual(snapshotOf(old));
      const restored = backend();
      restored.restore([snapshotOf(state)]);
      const again = restored.bind(longs).state;
      restored.setCurrentKey(7);
      expect(again.value()).toBe(2 ** 40);
    }
  });

  it("are kept as they were where a bind is refused, with an error that names state and both schemas", () => {
    const state = backend();
    state.restore([snapshotOf(written())]);
    const before = snapshotOf(state);
    const texts = valueState<string>("v", null, { serializer: stringSerializer });
    expect(() => state.bind(texts)).toThrow(StateSchemaError);
    expect(() => state.bind(texts)).toThrow(/state "v" .*int32.*string/);
    const keyed = mapState<number, number>("m", { keySerializer: longSerializer, serializer: longSerializer });
    expect(() => state.bind(keyed)).toThrow(StateSchemaError);
    expect(snapshotOf(state)).toEqual(before);
    state.setCurrentKey(3);
    expect(state.bind(ints).state.value()).toBe(3);
    expect(() => state.bind(longs)).toThrow("it is bound already");
  });

  it("of several subtasks become the one that loses nothing", () => {
    const parts = [0, 1].map((index) => {
      const part = backend(keyGroupRange(MAX_PARALLELISM, 2, index), 1, { storeId: `s${index}` });
      part.restore([snapshotOf(written())]);
      if (index === 1) part.bind(longs);
      return part;
    });
    for (const order of [[0, 1], [1, 0]]) {
      const merged = backend();
      merged.restore(order.map((index) => snapshotOf(parts[index]!)));
      const files = backend();
      files.incremental.restore(order.map((index) => filesOf(parts[index]!, 1, new Map())));
      expect(snapshotOf(files)).toEqual(snapshotOf(merged));
      for (const state of [merged, files]) {
        const value = state.bind(longs).state;
        for (let key = 0; key < 20; key++) {
          state.setCurrentKey(key);
          expect(value.value()).toBe(key);
        }
      }
    }
  });
});

describe("the store", () => {
  it("is looked into without being touched, maintained and destroyed through the backend", () => {
    const watch = new StoreWatch();
    const store = new MemoryStore(watch);
    const state = backend(WHOLE_RANGE, 1, { store });
    fill(state, 0, 3);
    const calls = watch.calls;
    expect(state.entries(NO_FILES)).toHaveLength(9);
    expect(watch.open).toBe(0);
    expect(watch.calls).toBe(calls);
    expect(state.needsMaintenance).toBe(false);
    store.needsMaintenance = true;
    expect(state.needsMaintenance).toBe(true);
    state.maintain();
    expect(state.needsMaintenance).toBe(false);
    state.dispose();
    state.dispose();
    expect(store.destroyed).toBe(true);
  });
});
