import { describe, expect, it } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend, SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import { Host, errorOf, expectBytes, finish, maintainFully, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";
import { SAMPLE_KEYS, bindSample, touchAll, touchKey } from "./sample-state.ts";

const PERMUTATIONS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] as const;

export function snapshotTests(subject: BackendUnderTest): void {
  const { capabilities } = subject;

  it("come back as they were: every kind, namespaces, timers of both domains, the watermark", () => {
    const host = new Host(subject);
    const backend = host.open();
    for (let round = 0; round < 3; round++) touchAll(backend, capabilities, round);
    backend.watermarkMs = 12_345;
    const section = snapshotOf(backend);
    const restored = host.restored([section]);
    expect(host.contents(restored)).toEqual(host.contents(backend));
    expect(restored.watermarkMs).toBe(12_345);
    // Work goes on as if nothing had happened.
    for (const one of [backend, restored]) touchAll(one, capabilities, 3);
    expect(host.contents(restored)).toEqual(host.contents(backend));
    expectBytes(snapshotOf(restored), snapshotOf(backend));
    expect(host.contents(backend).entries.length).toBeGreaterThan(SAMPLE_KEYS.length);
  });

  it("of an empty backend, and of states that were bound but never touched, can be restored", () => {
    const host = new Host(subject);
    const empty = snapshotOf(host.open());
    const bare = host.restored([empty]);
    expect(host.contents(bare)).toEqual({ watermarkMs: MIN_WATERMARK, entries: [], eventTime: [], processingTime: [] });
    expectBytes(snapshotOf(bare), empty);
    const backend = host.open();
    bindSample(backend, capabilities);
    const untouched = snapshotOf(backend);
    expect(untouched).not.toEqual(empty);
    const restored = host.restored([untouched]);
    expectBytes(snapshotOf(restored), untouched);
    // A state that was never touched is known all the same.
    expect(errorOf(() => void restored.bind(listState("counts"))).message).toContain("counts");
    touchAll(restored, capabilities, 0);
    expect(host.contents(restored).entries.length).toBeGreaterThan(0);
    const of = host.restored([]);
    expect(host.contents(of)).toEqual(host.contents(bare));
  });

  it("of a range without key groups are sections like others", () => {
    const host = new Host(subject);
    const nothing = snapshotOf(host.open({ range: { start: 5, end: 4 } }));
    expectBytes(snapshotOf(host.restored([nothing], { range: { start: 5, end: 4 } })), nothing);
    expect(host.restored([nothing]).watermarkMs).toBe(MIN_WATERMARK);
  });

  it("keep states that the job has not bound, generation after generation", () => {
    const host = new Host(subject);
    const backend = host.open();
    touchAll(backend, capabilities, 1);
    const section = snapshotOf(backend);
    let restored = host.restored([section]);
    for (let generation = 0; generation < 3; generation++) restored = host.restored([snapshotOf(restored)]);
    expectBytes(snapshotOf(restored), section);
    restored.setCurrentKey("key-0");
    restored.bind(valueState<string>("added")).state.update("new");
    const entries = [...host.contents(backend).entries, "[ 'added', 'key-0', '', 'new' ]"].sort();
    expect(host.contents(restored).entries).toEqual(entries);
  });

  it("restore into as many backends as wanted, which then know nothing of each other", () => {
    const host = new Host(subject);
    const backend = host.open();
    touchAll(backend, capabilities, 1);
    const section = snapshotOf(backend);
    const before = section.slice();
    const [first, second] = [host.restored([section]), host.restored([section])];
    touchAll(first, capabilities, 2);
    first.timers().poll(0, 1000);
    expect(host.contents(second)).toEqual(host.contents(backend));
    expectBytes(snapshotOf(second), before);
    expectBytes(section, before);
  });

  it("of equal state are equal bytes, however it came about", () => {
    const host = new Host(subject);
    const sections = [false, true].map((reversed) => {
      const backend = host.open();
      const descriptors = [valueState<number>("v"), valueState<number>("w")];
      for (const descriptor of reversed ? descriptors.reverse() : descriptors) backend.bind(descriptor);
      for (const key of reversed ? [...SAMPLE_KEYS].reverse() : SAMPLE_KEYS) {
        backend.setCurrentKey(key);
        const { state } = backend.bind(valueState<number>("v"));
        if (reversed) {
          state.update(99);
          state.clear();
          backend.timers().register(0, "gone", 1);
          backend.timers().remove(0, "gone", 1);
        }
        state.update(1);
        const map = backend.bind(mapState<string, number>("m")).state;
        if (reversed) map.put("gone", 1);
        map.put("a", 0);
        map.put("b", 2);
        if (reversed) map.remove("gone");
        map.put("a", 1);
        const list = backend.bind(listState<number>("l")).state;
        if (reversed) list.addAll([1, 2]);
        else list.update([1, 2]);
        backend.timers().register(1, "", 5);
      }
      maintainFully(backend);
      return snapshotOf(backend);
    });
    expectBytes(sections[1], sections[0]);
  });

  it("taken for a checkpoint restore like others, whatever is notified, and maintenance is not seen", () => {
    const host = new Host(subject);
    let backend = host.open();
    for (let id = 1; id <= 6; id++) {
      touchAll(backend, capabilities, id);
      const contents = host.contents(backend);
      const canonical = snapshotOf(backend);
      const writer = backend.checkpoint(id);
      const before = finish(writer, 7);
      if (id % 3 === 0) backend.notifyAborted(id);
      else backend.notifyComplete(id);
      backend.notifyComplete(1000 + id);
      backend.notifyAborted(2000 + id);
      maintainFully(backend);
      expect(host.contents(backend)).toEqual(contents);
      const restored = host.restored([before]);
      expect(host.contents(restored)).toEqual(contents);
      expectBytes(snapshotOf(restored), canonical);
      if (id === 4) backend = restored;
    }
  });

  describe("in flight", () => inFlightTests(subject));
  describe("that are damaged", () => damagedSectionTests(subject));
}

function inFlightTests(subject: BackendUnderTest): void {
  const { capabilities } = subject;

  it("write the state of the moment they were taken, while all of it changes between single steps", () => {
    const host = new Host(subject);
    const backend = host.open();
    touchAll(backend, capabilities, 0);
    touchAll(backend, capabilities, 1);
    backend.watermarkMs = 10;
    const expected = snapshotOf(backend);
    const writer = backend.snapshot();
    backend.watermarkMs = 20;
    const { state } = backend.bind(valueState<number>("bound since"));
    // From both ends, so that every entry changes before or after it is written.
    for (let i = 0; i < SAMPLE_KEYS.length * 2; i++) {
      const key = SAMPLE_KEYS[i % 2 === 0 ? (i / 2) % SAMPLE_KEYS.length : SAMPLE_KEYS.length - 1 - (i - 1) / 2]!;
      touchKey(backend, capabilities, key, 2 + (i % 4));
      backend.timers().poll(0, 1000);
      state.update(i);
      if (backend.needsMaintenance) backend.maintain();
      writer.step(1);
    }
    while (writer.step(1) > 0) backend.timers().poll(1, 1000);
    expect(writer.step(1)).toBe(0);
    expectBytes(writer.bytes(), expected);
    writer.cancel();
    expect(snapshotOf(backend)).not.toEqual(expected);
  });

  it("serialize no more entries in a step than asked for", () => {
    const host = new Host(subject);
    const backend = host.open();
    touchAll(backend, capabilities, 1);
    const contents = host.contents(backend);
    const total = contents.entries.length + contents.eventTime.length + contents.processingTime.length;
    const writer = backend.snapshot();
    let steps = 1;
    while (writer.step(5) > 0) steps++;
    expect(steps).toBeGreaterThanOrEqual(Math.ceil(total / 5));
  });

  it.each(PERMUTATIONS)("are several, and end in any order: %i, %i, %i", (...order) => {
    const host = new Host(subject);
    const backend = host.open();
    const expected: Uint8Array[] = [];
    const writers: SnapshotWriter[] = [];
    for (let i = 0; i < 3; i++) {
      touchAll(backend, capabilities, i);
      backend.watermarkMs = i;
      expected.push(snapshotOf(backend));
      writers.push(backend.snapshot());
      writers[0]!.step(3);
    }
    for (const index of order) {
      touchAll(backend, capabilities, 4 + index);
      expectBytes(finish(writers[index]!, 2), expected[index]);
      writers[index]!.cancel();
    }
    const restored = host.restored([expected[order[0]]!]);
    expectBytes(snapshotOf(restored), expected[order[0]]);
  });

  it("may be cancelled at any point, again too, and the others do not notice", () => {
    const host = new Host(subject);
    const backend = host.open();
    for (let round = 0; round < 8; round++) {
      touchAll(backend, capabilities, round);
      const expected = snapshotOf(backend);
      const [cancelled, other] = [backend.snapshot(), backend.snapshot()];
      for (let i = 0; i < round * 40; i++) cancelled.step(1);
      touchAll(backend, capabilities, round + 1);
      if (round === 7) finish(cancelled);
      cancelled.cancel();
      cancelled.cancel();
      touchKey(backend, capabilities, "key-1", round + 2);
      expectBytes(finish(other, 9), expected);
      other.cancel();
    }
  });

  it("are given up with the backend", () => {
    const host = new Host(subject);
    const backend = host.open();
    touchAll(backend, capabilities, 1);
    const [begun, fresh] = [backend.snapshot(), backend.checkpoint(1)];
    begun.step(1);
    backend.dispose();
    backend.dispose();
    begun.cancel();
    fresh.cancel();
    expect(host.disk.openDescriptors).toBe(0);
  });
}

function damagedSectionTests(subject: BackendUnderTest): void {
  const { capabilities } = subject;
  const NAMED = ["CorruptBytesError", "InvariantError", "StateSchemaError"];

  function section(): Uint8Array {
    const backend = new Host(subject).open();
    touchAll(backend, capabilities, 1, undefined, SAMPLE_KEYS.slice(0, 4));
    return snapshotOf(backend);
  }

  function restoring(host: Host, pieces: readonly Uint8Array[]): KeyedBackend {
    const backend = host.open();
    try {
      backend.restore(pieces);
      return backend;
    } catch (error) {
      backend.dispose();
      throw error;
    }
  }

  it("are refused when cut short, or when they are none", () => {
    const host = new Host(subject);
    const bytes = section();
    for (let length = 0; length < bytes.length; length += subject.budgets.damageStride) {
      expect(() => restoring(host, [bytes.subarray(0, length)])).toThrow(CorruptBytesError);
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    for (const foreign of [longer, new Uint8Array(100), new TextEncoder().encode("no section at all")]) {
      expect(() => restoring(host, [foreign])).toThrow(CorruptBytesError);
    }
  });

  it("are refused by name or read as what they say, whatever bits are flipped", () => {
    const host = new Host(subject);
    const bytes = section();
    for (let at = 0; at < bytes.length; at += subject.budgets.damageStride) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << (at % 8);
      try {
        const backend = restoring(host, [damaged]);
        // A section has no checksum of its own: what still is one must be as good as any.
        const again = host.restored([snapshotOf(backend)]);
        expect(host.contents(again)).toEqual(host.contents(backend));
        for (const one of [backend, again]) one.dispose();
      } catch (error) {
        if (!NAMED.includes((error as Error).name)) throw error;
      }
    }
  });

  it("are refused when two hold one key group, or another max parallelism", () => {
    const host = new Host(subject);
    const bytes = section();
    expect(errorOf(() => restoring(host, [bytes, bytes])).name).toBe("InvariantError");
    const other = snapshotOf(host.open({ maxParallelism: 32 }));
    expect(errorOf(() => restoring(host, [other])).name).toBe("InvariantError");
  });
}
