import { describe, expect, it } from "vitest";
import { ChangelogKeyedBackend } from "#whitewater/engine/state/backends/changelog/changelog-keyed-backend.js";
import { ChangelogContainer } from "#whitewater/engine/state/backends/changelog/container-reader.js";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { listState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend, SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import { int32Serializer, longSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import type { Key } from "#whitewater/engine/state/state.js";
import { keyGroupOf, keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { randomStream } from "../random-stream.js";
import { ALL, MAX_PARALLELISM, canonical, changelog, heap, written } from "./lockstep-job.js";

/** Takes one step an entry, and remembers what it is told. */
class RecordingHeap extends HeapKeyedBackend {
  readonly completed: number[] = [];
  readonly aborted: number[] = [];
  cancelled = 0;

  override snapshot(): SnapshotWriter {
    const writer = super.snapshot();
    const cancel = (): void => {
      this.cancelled++;
      writer.cancel();
    };
    return { step: () => writer.step(1), bytes: () => writer.bytes(), cancel };
  }

  override notifyComplete(checkpointId?: number): void {
    this.completed.push(checkpointId!);
  }

  override notifyAborted(checkpointId?: number): void {
    this.aborted.push(checkpointId!);
  }
}

interface Subject {
  readonly nested: RecordingHeap;
  readonly state: ChangelogKeyedBackend;
  append(item: number): void;
}

/** A backend of one list, which tells if an operation was lost, repeated or moved. */
function subject(materializeAfterBytes: number): Subject {
  const nested = new RecordingHeap({ range: ALL, maxParallelism: MAX_PARALLELISM, tieBreak: randomStream(1) });
  const state = new ChangelogKeyedBackend(nested, { maxParallelism: MAX_PARALLELISM, materializeAfterBytes });
  const list = state.bind(listState<number>("l")).state;
  state.setCurrentKey("a");
  return { nested, state, append: (item) => list.add(item) };
}

function elements(piece: Uint8Array): unknown {
  const restored = changelog(ALL);
  restored.restore([piece]);
  restored.setCurrentKey("a");
  return restored.bind(listState<number>("l")).state.get();
}

function materialize({ state }: Subject): void {
  while (state.needsMaintenance) state.maintain();
}

/** SQNs: where the base of a container ends, and where its log does. */
function bounds(piece: Uint8Array): readonly [base: number, first: number, end: number] {
  const { base, materializationId, segments } = new ChangelogContainer(piece);
  expect(base).toHaveLength(materializationId === 0 ? 0 : 1);
  return [materializationId, segments[0]?.fromSqn ?? -1, segments.at(-1)?.toSqn ?? -1];
}

describe("the boundary between base and log", () => {
  it("loses no operation next to it and repeats none, wherever materialization begins, ends and is captured", () => {
    // 4 entries besides the list's make a materialization of 5 steps; `begin` and `take` are moments in 12 appends.
    for (let begin = 0; begin <= 8; begin++) {
      for (let take = 0; take <= 12; take++) {
        const one = subject(1);
        for (const key of ["b", "c", "d", "e"]) {
          one.state.setCurrentKey(key);
          one.append(0);
        }
        one.state.setCurrentKey("a");
        let piece: Uint8Array | null = null;
        for (let item = 0; item < 12; item++) {
          if (item === take) piece = written(one.state.checkpoint(1));
          if (item >= begin && one.state.needsMaintenance) one.state.maintain();
          one.append(item);
        }
        piece ??= written(one.state.checkpoint(1));
        expect(elements(piece)).toEqual(Array.from({ length: take }, (_, item) => item));
      }
    }
  });

  it("is the SQN at which the materialization began, not the one at which it ended", () => {
    const one = subject(1);
    for (let item = 0; item < 3; item++) one.append(item);
    one.state.maintain();
    one.append(3);
    expect(one.state.needsMaintenance).toBe(false);
    expect(bounds(written(one.state.checkpoint(1)))).toEqual([1, 3, 4]);
  });
});

describe("a checkpoint", () => {
  it("taken while a materialization runs stands on the base before it", () => {
    const one = subject(1);
    for (const key of ["b", "c", "a"]) {
      one.state.setCurrentKey(key);
      one.append(1);
    }
    one.state.maintain();
    one.append(2);
    const during = one.state.checkpoint(1);
    materialize(one);
    one.append(3);
    const after = one.state.checkpoint(2);
    expect(bounds(written(during))).toEqual([0, 0, 4]);
    const piece = written(after);
    expect(bounds(piece)).toEqual([1, 3, 5]);
    expect(elements(piece)).toEqual([1, 2, 3]);
  });

  it("is written in steps that its budget bounds, and may be cancelled at any of them", () => {
    const one = subject(1 << 30);
    for (let item = 0; item < 5000; item++) one.append(item);
    const writer = one.state.checkpoint(1);
    let steps = 0;
    let left = Number.MAX_SAFE_INTEGER;
    for (let next = writer.step(4); next > 0; next = writer.step(4)) {
      expect(next).toBeLessThan(left);
      left = next;
      steps++;
    }
    expect(steps).toBeGreaterThan(5);
    const second = one.state.checkpoint(2);
    second.step(1);
    second.cancel();
    second.cancel();
    expect(elements(writer.bytes())).toHaveLength(5000);
  });

  it("holds none of what came after it, a state bound meanwhile included", () => {
    const one = subject(1 << 30);
    one.append(1);
    const expected = written(one.state.snapshot());
    const writer = one.state.checkpoint(1);
    one.append(2);
    one.state.bind(valueState<number>("later")).state.update(1);
    one.state.watermarkMs = 77;
    expect(canonical([written(writer)])).toEqual(expected);
  });
});

describe("notifications", () => {
  it("reach the nested backend with the number of the materialization, once, and of no older checkpoint", () => {
    const one = subject(1);
    one.append(1);
    for (const id of [10, 11]) written(one.state.checkpoint(id));
    materialize(one);
    for (const id of [12, 13, 14]) written(one.state.checkpoint(id));
    one.state.notifyComplete(10);
    expect(one.nested.completed).toEqual([]);
    one.state.notifyComplete(13);
    one.state.notifyComplete(12);
    one.state.notifyComplete(14);
    one.state.notifyComplete(13);
    one.state.notifyComplete(99);
    expect(one.nested.completed).toEqual([1]);
    one.state.notifyAborted(11);
    expect(one.nested.aborted).toEqual([]);
  });

  it("let a second materialization begin only once the first was confirmed by a completed checkpoint", () => {
    const one = subject(1);
    one.append(1);
    const before = one.state.checkpoint(1);
    materialize(one);
    one.append(2);
    expect(one.state.needsMaintenance).toBe(false);
    written(before);
    one.state.notifyComplete(1);
    expect(one.state.needsMaintenance).toBe(false);
    written(one.state.checkpoint(2));
    one.state.notifyAborted(2);
    expect(one.state.needsMaintenance).toBe(false);
    written(one.state.checkpoint(3));
    one.state.notifyComplete(3);
    expect(one.state.needsMaintenance).toBe(true);
    materialize(one);
    one.append(3);
    const piece = written(one.state.checkpoint(4));
    expect(bounds(piece)).toEqual([2, 2, 3]);
    expect(elements(piece)).toEqual([1, 2, 3]);
  });

  it("free the log up to where no base that still counts needs it", () => {
    const one = subject(1);
    const first = (): number => one.state.log.segments[0]?.fromSqn ?? one.state.log.sqn;
    one.append(1);
    one.state.checkpoint(1).cancel();
    materialize(one);
    one.append(2);
    // In flight: checkpoint 1 needs operation 0, checkpoint 2 operation 1.
    one.state.checkpoint(2).cancel();
    expect(first()).toBe(0);
    one.state.notifyAborted(1);
    // Nothing completed: the restored state, which is empty, still counts.
    expect(first()).toBe(0);
    one.append(3);
    one.state.checkpoint(3).cancel();
    one.state.notifyComplete(2);
    expect(first()).toBe(1);
    materialize(one);
    one.append(4);
    const piece = written(one.state.checkpoint(4));
    expect(first()).toBe(1);
    // Completing 4 ends 3.
    one.state.notifyComplete(4);
    expect(first()).toBe(3);
    expect(elements(piece)).toEqual([1, 2, 3, 4]);
    expect(elements(written(one.state.checkpoint(5)))).toEqual([1, 2, 3, 4]);
  });
});

/** A key of another key group than "a", in the half of the key groups that "a" is not in. */
function keyFarFrom(key: Key): string {
  const half = (one: Key): number => Math.floor((keyGroupOf(one, MAX_PARALLELISM) * 2) / MAX_PARALLELISM);
  for (let i = 0; ; i++) if (half(`k${i}`) !== half(key)) return `k${i}`;
}

describe("a timer", () => {
  it("that fires while another key is current is gone for good, whoever restores it (FLINK-26063)", () => {
    const state = changelog(ALL);
    const other = keyFarFrom("a");
    state.setCurrentKey("a");
    state.timers().register(0, "", 5);
    state.timers().register(0, "", 6);
    state.checkpoint(1).cancel();
    state.setCurrentKey(other);
    const value = state.bind(valueState<string>("v")).state;
    expect(state.timers().poll(0, 5)?.key).toBe("a");
    // The current key is still the other one, for the log too.
    value.update("of the other");
    const piece = written(state.checkpoint(2));
    const timers: unknown[] = [];
    const values: unknown[] = [];
    for (const subtask of [0, 1]) {
      const restored = changelog(keyGroupRange(MAX_PARALLELISM, 2, subtask));
      restored.restore([piece]);
      timers.push(...restored.timers().all(0));
      values.push(...restored.entries({ read: () => null }).map(({ key }) => key));
    }
    expect(timers).toEqual([{ key: "a", namespace: "", timestampMs: 6 }]);
    expect(values).toEqual([other]);
  });
});

describe("rescaling", () => {
  it("gives each subtask the operations of its own key groups and no others (FLINK-26766)", () => {
    const state = changelog(ALL);
    const keys = Array.from({ length: 30 }, (_, i) => `key-${i}`);
    const value = state.bind(valueState<string>("v")).state;
    for (const key of keys) {
      state.setCurrentKey(key);
      value.update(key);
    }
    const piece = written(state.checkpoint(1));
    const found: Key[] = [];
    for (const subtask of [0, 1, 2]) {
      const range = keyGroupRange(MAX_PARALLELISM, 3, subtask);
      const restored = changelog(range);
      restored.restore([piece]);
      const own = restored.entries({ read: () => null }).map(({ key }) => key);
      for (const key of own) expect(keyGroupOf(key, MAX_PARALLELISM)).toSatisfy((group: number) => group >= range.start && group <= range.end);
      found.push(...own);
    }
    expect(found.sort()).toEqual(keys.sort());
  });
});

describe("a state whose schema changes at a restore", () => {
  const OLD = valueState<number>("n", null, { serializer: int32Serializer });
  const NEW = valueState<number>("n", null, { serializer: longSerializer });

  function set(state: KeyedBackend, descriptor: typeof OLD, key: Key, value: number): void {
    state.setCurrentKey(key);
    state.bind(descriptor).state.update(value);
  }

  /** Two pieces, the second of a subtask that had migrated already. */
  function restoredTwins(): readonly [ChangelogKeyedBackend, HeapKeyedBackend] {
    const before = changelog(ALL);
    for (const key of ["a", "b", "c", "d"]) set(before, OLD, key, 1);
    const piece = written(before.checkpoint(1));
    const real = changelog(ALL, 1 << 30);
    real.restore([piece]);
    const plain = heap(ALL);
    plain.restore([canonical([piece])]);
    return [real, plain];
  }

  it("is never mixed with the base it had before, whether checkpoints come before the next materialization or after", () => {
    const [real, plain] = restoredTwins();
    const large = 2 ** 40;
    for (const state of [real, plain]) set(state, NEW, "a", large);
    expect(real.needsMaintenance).toBe(true);
    const first = real.checkpoint(1);
    for (const state of [real, plain]) set(state, NEW, "b", large + 1);
    const second = written(real.checkpoint(2));
    expect(new ChangelogContainer(second).base).toHaveLength(1);
    expect(canonical([second])).toEqual(written(plain.snapshot()));
    while (real.needsMaintenance) real.maintain();
    for (const state of [real, plain]) set(state, NEW, "c", large + 2);
    const third = written(real.checkpoint(3));
    expect(new ChangelogContainer(third).segments).toHaveLength(1);
    expect(canonical([third])).toEqual(written(plain.snapshot()));
    const restored = changelog(ALL);
    restored.restore([written(first)]);
    const values = ["a", "b"].map((key) => {
      restored.setCurrentKey(key);
      return restored.bind(NEW).state.value();
    });
    expect(values).toEqual([large, 1]);
  });

  it("takes a running materialization with it, which still had the old schema", () => {
    const before = changelog(ALL);
    for (const key of ["a", "b", "c", "d"]) set(before, OLD, key, 1);
    const nested = new RecordingHeap({ range: ALL, maxParallelism: MAX_PARALLELISM, tieBreak: randomStream(1) });
    const state = new ChangelogKeyedBackend(nested, { maxParallelism: MAX_PARALLELISM, materializeAfterBytes: 1 });
    state.restore([written(before.checkpoint(1))]);
    state.setCurrentKey("a");
    state.bind(listState<number>("other")).state.add(1);
    state.maintain();
    set(state, NEW, "a", 2 ** 40);
    expect(nested.cancelled).toBe(1);
    while (state.needsMaintenance) state.maintain();
    set(state, NEW, "b", 2 ** 40);
    const piece = written(state.checkpoint(1));
    expect(new ChangelogContainer(piece).segments).toHaveLength(1);
    expect(canonical([piece])).toEqual(written(state.snapshot()));
  });
});

describe("a changelog over another backend", () => {
  it("gives savepoints in the nested backend's canonical form, which any backend restores", () => {
    const one = subject(1);
    one.append(1);
    materialize(one);
    one.append(2);
    const plain = heap(ALL);
    plain.restore([written(one.state.snapshot())]);
    plain.setCurrentKey("a");
    expect(plain.bind(listState<number>("l")).state.get()).toEqual([1, 2]);
  });

  it("gives up a running materialization when it is disposed of", () => {
    const one = subject(1);
    for (const key of ["b", "a"]) {
      one.state.setCurrentKey(key);
      one.append(1);
    }
    one.state.maintain();
    one.state.dispose();
    one.state.dispose();
    expect(one.nested.cancelled).toBe(1);
  });
});
