import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "#whitewater/engine/base/assert.js";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { UnencodableValueError } from "#whitewater/engine/base/codec.js";
import { ChangelogKeyedBackend } from "#whitewater/engine/state/backends/changelog/changelog-keyed-backend.js";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { aggregatingState, listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import { int32Serializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { StateSchemaError } from "#whitewater/engine/state/state-errors.js";
import { readKeyedState } from "#whitewater/simulator/reference/changelog-reader.js";
import { randomStream } from "../random-stream.js";
import { ALL, CHANGES, KEYS, NAMESPACES, canonical, change, changelog, heap, written } from "./lockstep-job.js";

const ONE = { start: 0, end: 0 };

function small(): ChangelogKeyedBackend {
  const nested = new HeapKeyedBackend({ range: ONE, maxParallelism: 1, tieBreak: randomStream(1) });
  return new ChangelogKeyedBackend(nested, { maxParallelism: 1, materializeAfterBytes: 1 });
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** {type: "structural"} and {type: "int32"} as values. */
const STRUCTURAL = "0e 01 09 04 74 79 70 65 09 0a 73 74 72 75 63 74 75 72 61 6c";
const INT32 = "0e 01 09 04 74 79 70 65 09 05 69 6e 74 33 32";

describe("what a checkpoint of the changelog backend keeps", () => {
  it("is, byte for byte, what the description of the format says", () => {
    const state = small();
    state.watermarkMs = 5;
    state.setCurrentKey("k");
    const value = state.bind(valueState<number>("v"));
    value.setNamespace(2);
    value.state.update(7);
    const list = state.bind(listState<string>("l")).state;
    list.add("x");
    list.update(["y", "z"]);
    list.clear();
    const map = state.bind(mapState<number, number>("m", { serializer: int32Serializer })).state;
    map.put(1, 258);
    map.remove(-0);
    const sum = { createAccumulator: () => 40, add: (one: number, all: number) => one + all, getResult: (all: number) => all };
    state.bind(aggregatingState<number, number, number>("a", sum)).state.add(2);
    state.timers().register(0, 3, 9);
    state.timers().register(0, 3, 9);
    state.timers().register(1, "", -1);
    state.setCurrentKey("other");
    state.timers().poll(0, 9);
    const operations = [
      "01 00 00 09 01 6b 04 02 04 07",
      "03 00 01 09 01 6b 09 00 01 09 01 78",
      "02 00 01 09 01 6b 09 00 02 09 01 79 09 01 7a",
      "00 00 01 09 01 6b 09 00",
      "04 00 02 09 01 6b 09 00 04 01 02 01 00 00",
      "05 00 02 09 01 6b 09 00 04 00",
      "01 00 03 09 01 6b 09 00 04 2a",
      "06 00 09 01 6b 04 03 00 04 09",
      "06 00 09 01 6b 09 00 01 05 00",
      "07 00 09 01 6b 04 03 00 04 09",
    ].join(" ");
    const expected = [
      "57 57 43 4c 01 01 00 01 04 05 00 00",
      `04 09 01 76 00 ${STRUCTURAL} 01`,
      `09 01 6c 01 ${STRUCTURAL} 01`,
      `09 01 6d 02 ${INT32} ${STRUCTURAL}`,
      `09 01 61 04 ${STRUCTURAL} 01`,
      "00",
      `01 00 0a ${(operations.split(" ").length).toString(16)}`,
      operations,
    ].join(" ");
    expect(hex(written(state.checkpoint(1)))).toBe(expected);
  });

  it("has the base as a section and only the log since", () => {
    const state = small();
    state.setCurrentKey("k");
    const value = state.bind(valueState<number>("v")).state;
    value.update(1);
    while (state.needsMaintenance) state.maintain();
    const section = written(state.snapshot());
    value.update(2);
    const expected = [
      "57 57 43 4c 01 01 00 01 05 fe ff ff ff ff ff ff 0f 01 01",
      `01 09 01 76 00 ${STRUCTURAL} 01`,
      `01 ${section.length.toString(16)} ${hex(section)}`,
      "01 01 01 0a 01 00 00 09 01 6b 09 00 04 02",
    ].join(" ");
    expect(hex(written(state.checkpoint(1)))).toBe(expected);
  });

  it("is refused by a backend that keeps no changelog, in words that help", () => {
    const piece = written(changelog(ALL).checkpoint(1));
    expect(() => heap(ALL).restore([piece])).toThrow(CorruptBytesError);
    expect(() => heap(ALL).restore([piece])).toThrow(/changelog backend wrote: restore it with one, or from a savepoint/);
  });

  it("has no room for what a serializer refuses: nothing changes, and the log goes on as if it had not been tried", () => {
    const state = changelog(ALL);
    state.setCurrentKey("a");
    const ints = state.bind(listState<unknown>("ints", { serializer: int32Serializer })).state;
    ints.add(1);
    expect(() => ints.addAll([2, "no number"])).toThrow(UnencodableValueError);
    expect(ints.get()).toEqual([1]);
    expect(state.log.sqn).toBe(1);
    ints.add(3);
    expect(canonical([written(state.checkpoint(1))])).toEqual(written(state.snapshot()));
  });
});

/** A container with a base of two parts, several segments and every kind of operation. */
function rich(): Uint8Array {
  const left = heap({ start: 0, end: 3 });
  const right = heap({ start: 4, end: 7 });
  const state = changelog(ALL);
  const drawn = randomStream(11);
  const draw = (): Parameters<typeof change>[1] => ({
    do: CHANGES[drawn.below(CHANGES.length)]!,
    key: KEYS[drawn.below(KEYS.length)]!,
    namespace: NAMESPACES[drawn.below(NAMESPACES.length)]!,
    item: drawn.below(30),
  });
  const half = changelog(ALL);
  for (let i = 0; i < 60; i++) change(half, draw());
  const whole = written(half.snapshot());
  left.restore([whole]);
  right.restore([whole]);
  state.restore([written(left.snapshot()), written(right.snapshot())]);
  for (let i = 0; i < 60; i++) {
    change(state, draw());
    if (i % 20 === 0) state.checkpoint(i).cancel();
  }
  return written(state.checkpoint(100));
}

describe("damaged bytes", () => {
  const good = rich();

  it("are refused wherever they end too early, or go on", () => {
    for (let length = 0; length < good.length; length++) {
      expect(() => canonical([good.slice(0, length)])).toThrow(CorruptBytesError);
      expect(() => readKeyedState(good.slice(0, length))).toThrow(CorruptBytesError);
    }
    expect(() => canonical([Uint8Array.from([...good, 0])])).toThrow(CorruptBytesError);
    expect(() => readKeyedState(Uint8Array.from([...good, 0]))).toThrow(CorruptBytesError);
  });

  it("are refused, or are other state that both readers agree on", () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = good.slice();
        bytes[at]! ^= flip;
        const engine = outcome(() => readKeyedState(canonical([bytes])));
        const independent = outcome(() => readKeyedState(bytes));
        // The independent reader leaves it to others which key group a key belongs to.
        if (engine === null) return;
        expect(independent).toEqual(engine);
      }),
      { numRuns: 800 },
    );
  });
});

/** What was read, or null where it was refused; any other error is one. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof CorruptBytesError || error instanceof StateSchemaError) return null;
    // Whoever restores says which one is right.
    if (error instanceof InvariantError && error.message.includes("max parallelism")) return null;
    throw error;
  }
}
