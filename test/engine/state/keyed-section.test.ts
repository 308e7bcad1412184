import { describe, expect, it } from "vitest";
import { ByteWriter, CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { UnencodableValueError, encode, encodeInto } from "#whitewater/engine/base/codec.js";
import { KeyedSectionReader } from "#whitewater/engine/state/keyed-section-reader.js";
import { KeyedSectionWriter } from "#whitewater/engine/state/keyed-section-writer.js";
import { booleanSerializer, int32Serializer, longSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { field, struct } from "#whitewater/engine/state/serializers/struct-serializer.js";
import { structuralSerializer } from "#whitewater/engine/state/serializers/structural.js";
import { ttlSerializer } from "#whitewater/engine/state/serializers/ttl-serializer.js";
import type { SectionState } from "#whitewater/engine/state/snapshot-format.js";
import { readKeyedSection } from "#whitewater/simulator/reference/snapshot-reader.js";
import { hex } from "./serializers/typed-values.js";

const STATES: readonly SectionState[] = [
  { name: "v", kind: "value", serializer: struct({ n: field(int32Serializer) }), keySerializer: null },
  { name: "m", kind: "map", serializer: booleanSerializer, keySerializer: stringSerializer },
  { name: "l", kind: "list", serializer: ttlSerializer(booleanSerializer), keySerializer: null },
  { name: "r", kind: "reducing", serializer: longSerializer, keySerializer: null },
  { name: "s", kind: "map", serializer: structuralSerializer, keySerializer: structuralSerializer },
  { name: "a", kind: "aggregating", serializer: structuralSerializer, keySerializer: null },
];

function section(): Uint8Array {
  const writer = new KeyedSectionWriter(1, { start: 0, end: 0 }, STATES);
  writer.beginKey("k");
  writer.value(0, "", { n: 1 });
  writer.map(1, 2, [["y", true], ["x", false]], 2);
  writer.list(2, "", [{ lastUpdateMs: 300, value: true }, { lastUpdateMs: 0, value: false }]);
  writer.value(3, "", 258);
  writer.map(4, "", [[1, "one"]], 1);
  writer.value(5, "", [1]);
  writer.timer(0, "", 7);
  writer.endGroup(-1);
  return writer.toBytes();
}

interface Entry {
  readonly state: string;
  readonly namespace: unknown;
  readonly content: unknown;
}

function entriesOf(bytes: Uint8Array): readonly Entry[] {
  const entries: Entry[] = [];
  const entry = ({ name }: SectionState, _key: unknown, namespace: unknown, content: unknown): void => {
    entries.push({ state: name, namespace, content });
  };
  new KeyedSectionReader(bytes).readGroup(0, { entry, timer: () => undefined });
  return entries;
}

const KEY = "09 01 6b";
const SCHEMAS = {
  boolean: hex(encode({ type: "boolean" })),
  long: hex(encode({ type: "long" })),
  string: hex(encode({ type: "string" })),
  structural: hex(encode({ type: "structural" })),
  struct: hex(
    encode({
      type: "struct",
      fields: [{ name: "n", renamedFrom: null, schema: { type: "int32" }, hasDefault: false, defaultValue: null }],
    }),
  ),
  ttl: hex(encode({ type: "ttl", of: { type: "boolean" } })),
};

describe("a keyed section of version 2", () => {
  it("has the bytes of the description", () => {
    const group = [
      "05 00", // watermark -1
      ...["01", KEY, "09 00", "0d 01 04 01"], // a: [1]
      ...["01", KEY, "09 00", "02 ac 02 01 00 00"], // l: true at 300, false at 0
      ...["01", KEY, "04 02", "02 09 01 79 01 09 01 78 00"], // m: y true, x false
      ...["01", KEY, "09 00", "02 01 00 00 00 00 00 00"], // r: 258
      ...["01", KEY, "09 00", "01 04 01 09 03 6f 6e 65"], // s: 1 "one"
      ...["01", KEY, "09 00", "01 00 00 00"], // v: n 1
      ...["01", KEY, "09 00", "04 07", "00"], // a timer of event time at 7, none of processing time
    ].join(" ");
    expect(hex(section())).toBe(
      [
        ...["57 57 4b 53", "02", "01 00 01", "06"],
        ...["09 01 61", "04", SCHEMAS.structural, "01"],
        ...["09 01 6c", "01", SCHEMAS.ttl, "01"],
        ...["09 01 6d", "02", SCHEMAS.boolean, SCHEMAS.string],
        ...["09 01 72", "03", SCHEMAS.long, "01"],
        ...["09 01 73", "02", SCHEMAS.structural, SCHEMAS.structural],
        ...["09 01 76", "00", SCHEMAS.struct, "01"],
        ((group.length + 1) / 3).toString(16),
        group,
      ].join(" "),
    );
    expect(SCHEMAS.boolean).toBe("0e 01 09 04 74 79 70 65 09 07 62 6f 6f 6c 65 61 6e");
  });

  it("reads back by the schemas in it, the same for the engine and for the independent reader", () => {
    const expected: readonly Entry[] = [
      { state: "a", namespace: "", content: [1] },
      { state: "l", namespace: "", content: [{ lastUpdateMs: 300, value: true }, { lastUpdateMs: 0, value: false }] },
      { state: "m", namespace: 2, content: [["y", true], ["x", false]] },
      { state: "r", namespace: "", content: 258 },
      { state: "s", namespace: "", content: [[1, "one"]] },
      { state: "v", namespace: "", content: { n: 1 } },
    ];
    expect(entriesOf(section())).toEqual(expected);
    const independent = readKeyedSection(section());
    expect(independent.entries.map(({ state, namespace, value }) => ({ state, namespace, content: value }))).toEqual(expected);
    expect(independent.states.map(({ schema }) => schema)).toEqual(
      new KeyedSectionReader(section()).states.map(({ serializer }) => serializer.schema),
    );
  });

  it("is the same from entries that were encoded elsewhere", () => {
    const writer = new KeyedSectionWriter(1, { start: 0, end: 0 }, STATES);
    const key = (namespace: string | number): Uint8Array => {
      const bytes = new ByteWriter();
      encodeInto(bytes, "k");
      encodeInto(bytes, namespace);
      return bytes.toBytes();
    };
    writer.rawEntry(0, key("")).bytes(Uint8Array.of(1, 0, 0, 0));
    const map = writer.rawEntry(1, key(2));
    map.varuint(2);
    for (const [name, value] of [["y", true], ["x", false]] as const) {
      stringSerializer.write(map, name);
      booleanSerializer.write(map, value);
    }
    writer.rawEntry(2, key("")).bytes(Uint8Array.of(2, 0xac, 2, 1, 0, 0));
    longSerializer.write(writer.rawEntry(3, key("")), 258);
    writer.rawEntry(4, key("")).bytes(Uint8Array.of(1, 4, 1, 9, 3, 0x6f, 0x6e, 0x65));
    structuralSerializer.write(writer.rawEntry(5, key("")), [1]);
    writer.beginKey("k");
    writer.timer(0, "", 7);
    writer.endGroup(-1);
    expect(hex(writer.toBytes())).toBe(hex(section()));
  });

  it("cut short, or with a byte changed, is refused by both readers alike or reads alike", () => {
    const bytes = section();
    const outcome = (read: () => unknown): unknown => {
      try {
        return read();
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptBytesError);
        return "corrupt";
      }
    };
    for (let length = 0; length < bytes.length; length++) {
      expect(outcome(() => entriesOf(bytes.slice(0, length)))).toBe("corrupt");
      expect(outcome(() => readKeyedSection(bytes.slice(0, length)))).toBe("corrupt");
    }
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [1, 0x80]) {
        const damaged = bytes.slice();
        damaged[at]! ^= change;
        const engine = outcome(() => entriesOf(damaged));
        const independent = outcome(() => readKeyedSection(damaged).entries.map(({ state, namespace, value }) => ({ state, namespace, content: value })));
        // Whether a default or a former name is one, and the range of the key groups, only the engine looks at.
        if (engine !== "corrupt") expect(independent).toEqual(engine);
      }
    }
  });
});

it("a section of version 1 is refused with its version", () => {
  const bytes = section();
  bytes[4] = 1;
  expect(() => new KeyedSectionReader(bytes)).toThrow(CorruptBytesError);
  expect(() => new KeyedSectionReader(bytes)).toThrow("a keyed-state section of version 1, where only version 2 can be read");
});

it("a value that is not of the state's type is refused with the state and the place", () => {
  const writer = (): KeyedSectionWriter => {
    const one = new KeyedSectionWriter(1, { start: 0, end: 0 }, STATES);
    one.beginKey("k");
    return one;
  };
  expect(() => writer().value(0, "", { n: 0.5 })).toThrow(UnencodableValueError);
  expect(() => writer().value(0, "", { n: 0.5 })).toThrow("cannot encode 0.5 as an int32 at v.n");
  expect(() => writer().list(2, "", [{ lastUpdateMs: 0, value: true }, { lastUpdateMs: 0, value: 1 }])).toThrow("cannot encode 1 as a boolean at l[1].value");
  expect(() => writer().map(1, "", [["a", true], [1, true]], 2)).toThrow("cannot encode 1 as a string at m[key 1]");
  expect(() => writer().map(1, "", [["a", 0]], 1)).toThrow("cannot encode 0 as a boolean at m[value 0]");
  expect(() => writer().map(4, "", [[1, [() => 1]]], 1)).toThrow("cannot encode a function at s[value 0][0]");
  expect(() => writer().value(5, "", Symbol("a"))).toThrow("cannot encode a symbol at a");
});
