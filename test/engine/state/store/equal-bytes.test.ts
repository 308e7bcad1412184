import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import type { SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import { keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { randomStream } from "../random-stream.js";
import { MemoryStore, StoreWatch } from "./memory-store.js";
import { OperationRunner, operation } from "./operations.js";
import type { Operation } from "./operations.js";
import { MAX_PARALLELISM, WHOLE_RANGE, backend, contents, filesOf, pollAll, snapshotOf } from "./store-backends.js";

function heap(range = WHOLE_RANGE, seed = 1, nowMs = (): number => 0): HeapKeyedBackend {
  return new HeapKeyedBackend({ range, maxParallelism: MAX_PARALLELISM, tieBreak: randomStream(seed), nowMs });
}

interface InFlight {
  readonly ours: SnapshotWriter;
  readonly theirs: SnapshotWriter;
}

function finish(writer: SnapshotWriter, budget: number): Uint8Array {
  while (writer.step(budget) > 0);
  return writer.bytes();
}

function bytesOrFailure(writer: SnapshotWriter): Uint8Array | null {
  try {
    return finish(writer, 1);
  } catch (error) {
    if (error instanceof StateStorageError || (error as Error).message.includes("a snapshot that failed")) return null;
    throw error;
  }
}

/** What a run does beside the operations: begins snapshots, steps them, cancels them. */
const snapshotting = fc.tuple(fc.constantFrom("begin", "step", "step", "cancel", "finish"), fc.nat(3), fc.integer({ min: 1, max: 5 }));
const step = fc.oneof({ arbitrary: operation, weight: 5 }, { arbitrary: snapshotting, weight: 1 });

describe("over any operations", () => {
  it("a job sees what it sees with the heap backend, and snapshots in flight are the same bytes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 160, size: "max" }), (steps) => {
        const clock = { nowMs: 100 };
        const otherClock = { nowMs: 100 };
        const watch = new StoreWatch();
        const ours = new OperationRunner(backend(WHOLE_RANGE, 1, { nowMs: () => clock.nowMs, store: new MemoryStore(watch) }), clock);
        const theirs = new OperationRunner(heap(WHOLE_RANGE, 1, () => otherClock.nowMs), otherClock);
        const inFlight: InFlight[] = [];
        for (const one of steps) {
          if (one.length === 4) {
            expect(ours.run(one)).toEqual(theirs.run(one));
            continue;
          }
          const [what, index, budget] = one;
          if (what === "begin") inFlight.push({ ours: ours.backend.snapshot(), theirs: theirs.backend.snapshot() });
          const chosen = inFlight[index % Math.max(1, inFlight.length)];
          if (chosen === undefined) continue;
          if (what === "step") {
            chosen.ours.step(budget);
            continue;
          }
          if (what === "begin") continue;
          inFlight.splice(inFlight.indexOf(chosen), 1);
          if (what === "finish") expect(finish(chosen.ours, budget)).toEqual(finish(chosen.theirs, 7));
          chosen.ours.cancel();
          chosen.ours.cancel();
          chosen.theirs.cancel();
        }
        for (const one of inFlight) expect(finish(one.ours, 2)).toEqual(finish(one.theirs, 7));
        expect(snapshotOf(ours.backend)).toEqual(snapshotOf(theirs.backend));
        expect(watch.open).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it("what was restored, canonically or natively, cut or merged, is what the heap backend restores", () => {
    const parallelism = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80, size: "max" }), parallelism, parallelism, (operations, before, after) => {
        const whole = new OperationRunner(heap(), { nowMs: 100 });
        for (const one of operations) whole.run(one);
        const section = snapshotOf(whole.backend);
        const old = Array.from({ length: before }, (_, index) => {
          const part = backend(keyGroupRange(MAX_PARALLELISM, before, index));
          part.restore([section]);
          return part;
        });
        const sections = old.map((part) => snapshotOf(part));
        const files = old.map((part) => filesOf(part, 1, new Map()));
        for (let index = 0; index < after; index++) {
          const range = keyGroupRange(MAX_PARALLELISM, after, index);
          const expected = heap(range, 5);
          expected.restore(sections);
          const canonical = backend(range, 5);
          canonical.restore(sections);
          const native = backend(range, 5);
          native.incremental.restore(files);
          const bytes = snapshotOf(expected);
          expect(snapshotOf(canonical)).toEqual(bytes);
          expect(snapshotOf(native)).toEqual(bytes);
          expect(contents(native)).toEqual(contents(expected));
          expect(native.watermarkMs).toBe(expected.watermarkMs);
          const fired = pollAll(expected).map(({ key, namespace, timestampMs }) => [key, namespace, timestampMs]);
          for (const restored of [canonical, native]) {
            expect(pollAll(restored).map(({ key, namespace, timestampMs }) => [key, namespace, timestampMs])).toEqual(fired);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it("goes on after a native restore as the heap backend after a canonical one", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: "max" }), fc.array(operation, { maxLength: 60, size: "max" }), (first, second) => {
        const before = new OperationRunner(backend(), { nowMs: 100 });
        for (const one of first) before.run(one);
        const restored = backend();
        restored.incremental.restore([filesOf(before.backend, 1, new Map())]);
        const expected = heap();
        expected.restore([snapshotOf(before.backend)]);
        const clock = { nowMs: 100 };
        const ours = new OperationRunner(restored, clock);
        const theirs = new OperationRunner(expected, { nowMs: 100 });
        for (const one of second) expect(ours.run(one)).toEqual(theirs.run(one));
        expect(snapshotOf(restored)).toEqual(snapshotOf(expected));
      }),
      { numRuns: 30 },
    );
  });

  it("a store that fails at any call leaves no half state in any snapshot, and no snapshot after it", () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 50, size: "max" }), fc.nat(400), fc.nat(40), (operations, failAt, begin) => {
        const watch = new StoreWatch();
        const store = new MemoryStore(watch);
        const ours = new OperationRunner(backend(WHOLE_RANGE, 1, { store }), { nowMs: 100 });
        const theirs = new OperationRunner(heap(), { nowMs: 100 });
        const pending: InFlight[] = [];
        watch.failAt = watch.calls + 1 + failAt;
        let failure: unknown = null;
        try {
          operations.forEach((one: Operation, index) => {
            if (index === begin % operations.length) pending.push({ ours: ours.backend.snapshot(), theirs: theirs.backend.snapshot() });
            ours.run(one);
            theirs.run(one);
            for (const { ours: writer } of pending) writer.step(1);
          });
          for (const { ours: writer, theirs: other } of pending) expect(finish(writer, 2)).toEqual(finish(other, 9));
          pending.length = 0;
          expect(snapshotOf(ours.backend)).toEqual(snapshotOf(theirs.backend));
        } catch (error) {
          if (!(error instanceof StateStorageError)) throw error;
          failure = error;
        }
        if (failure === null) return;
        for (const { ours: writer, theirs: other } of pending) {
          // It was complete before the failure, or never will be.
          const bytes = bytesOrFailure(writer);
          if (bytes !== null) expect(bytes).toEqual(finish(other, 9));
          writer.cancel();
        }
        expect(() => snapshotOf(ours.backend)).toThrow(StateStorageError);
        ours.backend.dispose();
        expect(store.destroyed).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
