import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { KeyedSectionWriter } from "#whitewater/engine/state/keyed-section-writer.js";
import { structuralSerializer } from "#whitewater/engine/state/serializers/structural.js";
import type { Key } from "#whitewater/engine/state/state.js";
import { KeyedSectionReader, readKeyedSection } from "#whitewater/simulator/reference/snapshot-reader.js";

/** { type: "structural" } */
const STRUCTURAL = [0x0e, 0x01, 0x09, 0x04, 0x74, 0x79, 0x70, 0x65, 0x09, 0x0a, 0x73, 0x74, 0x72, 0x75, 0x63, 0x74, 0x75, 0x72, 0x61, 0x6c];
/** Where the first key group of the section below begins. */
const GROUP = 34;

/** One state, one key group of two, written out by hand from the description of the format. */
const BY_HAND = [
  ...[0x57, 0x57, 0x4b, 0x53, 0x02], // magic, version
  ...[0x02, 0x01, 0x01, 0x01], // max parallelism 2, from group 1, 1 group, 1 state
  ...[0x09, 0x01, 0x73, 0x00], // state "s", value state
  ...[...STRUCTURAL, 0x01], // its schema, and none of map keys
  0x14, // length of the group
  ...[0x05, 0x04], // watermark -5
  ...[0x01, 0x09, 0x01, 0x61, 0x09, 0x00, 0x04, 0x2a], // 1 entry: key "a", namespace "", 42
  ...[0x01, 0x09, 0x01, 0x61, 0x04, 0x03, 0x04, 0x90, 0x03], // 1 timer of event time: "a", 3, 400
  ...[0x00], // none of processing time
];

test("a section written by hand reads as what it says", () => {
  const section = readKeyedSection(Uint8Array.from(BY_HAND));
  expect(section).toEqual({
    maxParallelism: 2,
    firstKeyGroup: 1,
    watermarks: [-5],
    watermarkMs: -5,
    states: [{ name: "s", kind: "value", schema: { type: "structural" }, keySchema: null }],
    entries: [{ state: "s", kind: "value", key: "a", namespace: "", value: 42, keyGroup: 1 }],
    eventTimers: [{ key: "a", namespace: 3, timestampMs: 400, keyGroup: 1 }],
    processingTimers: [],
  });
});

function written(): Uint8Array {
  const writer = new KeyedSectionWriter(8, { start: 2, end: 4 }, [
    { name: "values", kind: "value", serializer: structuralSerializer, keySerializer: null },
    { name: "lists", kind: "list", serializer: structuralSerializer, keySerializer: null },
    { name: "maps", kind: "map", serializer: structuralSerializer, keySerializer: structuralSerializer },
  ]);
  writer.beginKey("b");
  writer.value(0, "", { n: -0 });
  writer.value(0, 7, "seven");
  writer.map(2, "", [["x", 1], [2n, null]], 2);
  writer.timer(1, "", 99);
  writer.beginKey("a");
  writer.list(1, "", [1, [2]]);
  writer.timer(0, 7, 16);
  writer.timer(0, 7, 15);
  writer.endGroup(10);
  writer.endGroup(10);
  writer.beginKey([1, "t", true]);
  writer.value(0, "", 5n);
  writer.endGroup(9);
  return writer.toBytes();
}

describe("a section of the engine", () => {
  test("reads back entry by entry and timer by timer, by key group, in the order of the format", () => {
    const section = readKeyedSection(written());
    expect(section.states.map(({ name }) => name)).toEqual(["lists", "maps", "values"]);
    expect([section.maxParallelism, section.firstKeyGroup, section.watermarks, section.watermarkMs]).toEqual([8, 2, [10, 10, 9], 9]);
    expect(section.entries.map(({ state, key, namespace, value, keyGroup }) => [state, key, namespace, value, keyGroup])).toEqual([
      ["lists", "a", "", [1, [2]], 2],
      ["maps", "b", "", [["x", 1], [2n, null]], 2],
      ["values", "b", 7, "seven", 2],
      ["values", "b", "", { n: -0 }, 2],
      ["values", [1, "t", true], "", 5n, 4],
    ]);
    expect(section.eventTimers.map(({ key, namespace, timestampMs }) => [key, namespace, timestampMs])).toEqual([["a", 7, 15], ["a", 7, 16]]);
    expect(section.processingTimers).toEqual([{ key: "b", namespace: "", timestampMs: 99, keyGroup: 2 }]);
  });

  test("cut short at any byte, or with something behind it, it is refused", () => {
    const bytes = written();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readKeyedSection(bytes.slice(0, length))).toThrow(CorruptBytesError);
    }
    expect(() => readKeyedSection(Uint8Array.from([...bytes, 0]))).toThrow(/follows the last key group/);
  });

  test("with any byte changed, it is refused or reads as something else", () => {
    const bytes = written();
    const good = readKeyedSection(bytes);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        let section: unknown;
        try {
          section = readKeyedSection(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptBytesError);
          return;
        }
        expect(section).not.toEqual(good);
      }),
      { numRuns: 500 },
    );
  });

  test("an empty range has no watermark and no state", () => {
    const section = readKeyedSection(new KeyedSectionWriter(4, { start: 1, end: 0 }, []).toBytes());
    expect([section.watermarks, section.watermarkMs, section.entries]).toEqual([[], Number.MIN_SAFE_INTEGER, []]);
  });
});

describe("from checkpoint to checkpoint", () => {
  const VALUES = { name: "values", kind: "value", serializer: structuralSerializer, keySerializer: null } as const;
  const KEYS = ["", "a", "ab", "b", 1, 300, true, ["a", 1]] as const;
  const content = fc.dictionary(fc.constantFrom(...KEYS.keys()).map(String), fc.tuple(fc.nat(3), fc.nat(2)));
  /** Some keys with a value and some timers each, in two key groups. */
  const section = (held: Readonly<Record<string, readonly [number, number]>>, watermarkMs: number): Uint8Array => {
    const writer = new KeyedSectionWriter(4, { start: 1, end: 2 }, [VALUES]);
    for (const group of [0, 1]) {
      for (const [at, [value, timers]] of Object.entries(held)) {
        if (Number(at) % 2 !== group) continue;
        writer.beginKey(KEYS[Number(at)] as Key);
        if (value > 0) writer.value(0, value === 3 ? 7 : "", { value });
        for (let timer = 0; timer < timers; timer++) writer.timer(timer % 2 === 0 ? 0 : 1, "", value + timer);
      }
      writer.endGroup(watermarkMs);
    }
    return writer.toBytes();
  };

  test("sections read one after the other read as each of them alone, damaged or not", () => {
    const damage = fc.option(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 255 })), { freq: 3 });
    const outcome = (read: () => unknown): unknown => {
      try {
        return read();
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptBytesError);
        return (error as Error).message;
      }
    };
    fc.assert(
      fc.property(fc.array(fc.tuple(content, damage), { maxLength: 6 }), (states) => {
        const reader = new KeyedSectionReader();
        states.forEach(([held, damaged], at) => {
          const bytes = section(held, at);
          if (damaged !== null) bytes[damaged[0] % bytes.length] = (bytes[damaged[0] % bytes.length] ?? 0) ^ damaged[1];
          expect(outcome(() => reader.read(bytes))).toEqual(outcome(() => readKeyedSection(bytes)));
        });
      }),
      { numRuns: 500 },
    );
  });

  test("an entry or a timer that is there twice is refused, also where it is known", () => {
    const once = [0x01, 0x09, 0x01, 0x61, 0x09, 0x00, 0x04, 0x2a];
    const twice = [0x02, ...once.slice(1), ...once.slice(1)];
    const timer = BY_HAND.slice(GROUP + 11, GROUP + 20);
    const timerTwice = [0x02, ...timer.slice(1), ...timer.slice(1)];
    const head = BY_HAND.slice(0, GROUP);
    const group = (...lists: readonly number[]): Uint8Array => Uint8Array.from([...head, lists.length + 2, 0x05, 0x04, ...lists]);
    for (const [bytes, message] of [
      [group(...twice, ...timer, 0), /an entry of state "s" in key group 1 is out of order or there twice/],
      [group(...once, ...timerTwice, 0), /a timer in key group 1 is out of order or there twice/],
    ] as const) {
      const reader = new KeyedSectionReader();
      expect(reader.read(group(...once, ...timer, 0))).toEqual(readKeyedSection(Uint8Array.from(BY_HAND)));
      expect(() => reader.read(bytes)).toThrow(message);
      expect(() => readKeyedSection(bytes)).toThrow(message);
    }
  });

  test("what stands there unchanged is the entry of the section before, what changed is read", () => {
    const reader = new KeyedSectionReader();
    const first = reader.read(section({ 1: [1, 1], 3: [1, 2] }, 5)).entries;
    const second = reader.read(section({ 1: [1, 1], 3: [2, 2], 5: [1, 0] }, 6));
    expect(second.watermarks).toEqual([6, 6]);
    const values = new Map(second.entries.map((entry) => [entry.key, entry]));
    expect([...values].map(([key, { value }]) => [key, value])).toEqual([[300, { value: 1 }], ["a", { value: 1 }], ["b", { value: 2 }]]);
    expect(first).toContain(values.get("a"));
    expect(first).not.toContain(values.get("b"));
  });
});

describe("what no section may say is named", () => {
  const changed = (at: number, byte: number): Uint8Array => {
    const bytes = Uint8Array.from(BY_HAND);
    bytes[at] = byte;
    return bytes;
  };

  test.each([
    ["another magic", 0, 0x58, /first bytes/],
    ["an earlier version", 4, 1, /unknown version 1/],
    ["a later version", 4, 3, /unknown version 3/],
    ["no key groups in all", 5, 0, /0 key groups in all/],
    ["a range beyond them", 6, 2, /key groups from 2, 1 of them, but there are 2/],
    ["an unknown kind of state", 12, 5, /unknown kind 5/],
    ["a length that is too small", GROUP, 3, /does not end where its length says/],
    ["a length beyond the end", GROUP, 100, /longer than the section/],
    ["a watermark that is true", GROUP + 1, 0x03, /./],
    ["a schema of an unknown type", 23, 0x74, /unknown type "ttructural"/],
    ["a schema that is none", 13, 0x01, /schema that is no object/],
    ["a map state without a schema of its keys", 12, 2, /a map state has none/],
  ])("%s", (_what, at, byte, message) => {
    expect(() => readKeyedSection(changed(at, byte))).toThrow(CorruptBytesError);
    expect(() => readKeyedSection(changed(at, byte))).toThrow(message);
  });
});
