import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter, CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import {
  decode,
  encode,
  structuralEquals,
  structuralHash,
  UnencodableValueError,
} from "#whitewater/engine/base/codec.js";
import { CODEC_DEPTH_LIMIT } from "#whitewater/engine/base/limits.js";

const primitives = [
  fc.constantFrom<unknown>(undefined, null, true, false, -0, 0, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53)),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(1n << 300n), max: 1n << 300n }),
  fc.string({ unit: "binary" }),
  // Lone surrogates among others.
  fc.array(fc.constantFrom(0x61, 0xe9, 0x20ac, 0xd83d, 0xde00, 0xdc00), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
  fc.uint8Array({ maxLength: 12 }),
  fc.date({ noInvalidDate: false }),
] as const;

const values = fc.letrec<{ value: unknown; plain: unknown }>((tie) => ({
  plain: fc.oneof(...primitives),
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    tie("plain"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "10", "9", "é", "\ud800")), tie("value"), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(fc.oneof(fc.string(), fc.integer(), fc.bigInt()), tie("value")), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 4 }).map((members) => new Set(members)),
  ),
})).value;

/** The same content, filled in the opposite order. */
function refilled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(refilled);
  if (value instanceof Map) return new Map([...value].reverse().map(([key, member]) => [refilled(key), refilled(member)]));
  if (value instanceof Set) return new Set([...value].reverse().map(refilled));
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof Uint8Array) return value.slice();
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value).reverse()) {
    const member = refilled((value as Record<string, unknown>)[key]);
    Object.defineProperty(copy, key, { value: member, writable: true, enumerable: true, configurable: true });
  }
  return copy;
}

describe("structural codec", () => {
  it("gives back what it was given", () => {
    fc.assert(
      fc.property(values, (value) => {
        const back = decode(encode(value));
        expect(structuralEquals(back, value)).toBe(true);
        expect(back).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it("gives equal content equal bytes and equal hashes, in whatever order it was filled", () => {
    fc.assert(
      fc.property(values, (value) => {
        const other = refilled(value);
        expect(structuralEquals(value, other)).toBe(true);
        expect(encode(other)).toEqual(encode(value));
        expect(structuralHash(other)).toBe(structuralHash(value));
      }),
    );
  });

  it("tells different contents apart, in bytes as in equality", () => {
    fc.assert(
      fc.property(values, values, (left, right) => {
        const sameBytes = Buffer.compare(encode(left), encode(right)) === 0;
        expect(structuralEquals(left, right)).toBe(sameBytes);
        if (!sameBytes) expect(structuralHash(left)).not.toBe(structuralHash(right));
      }),
    );
  });

  it("keeps apart what JavaScript easily mixes up", () => {
    const alike: readonly unknown[] = [
      0, -0, 0n, "0", "", false, null, undefined, [], {}, new Map(), new Set(), new Uint8Array(0), new Date(0),
      1, 1n, "1", true, [1], ["1"], { a: undefined }, { a: null }, new Date(NaN), NaN, [[]], [[], []], new Set([1]),
    ];
    const texts = new Set(alike.map((value) => Buffer.from(encode(value)).toString("hex")));
    expect(texts.size).toBe(alike.length);
    expect(new Set(alike.map(structuralHash)).size).toBe(alike.length);
    for (const left of alike) for (const right of alike) expect(structuralEquals(left, right)).toBe(Object.is(left, right));
  });

  it("has the bytes that its format states", () => {
    const hex = (value: unknown): string => Buffer.from(encode(value)).toString("hex");
    expect(hex(300)).toBe("04ac02");
    expect(hex(-1)).toBe("0500");
    expect(hex(1.5)).toBe("06000000000000f83f");
    expect(hex(-256n)).toBe("08020001");
    expect(hex("é")).toBe("0902c3a9");
    expect(hex("\ud800")).toBe("0a0100d8");
    expect(hex({ b: 1, a: [null] })).toBe("0e02" + "090161" + "0d0101" + "090162" + "0401");
    expect(hex(new Set(["b", "a"]))).toBe("1002" + "090161" + "090162");
  });

  it("keeps __proto__ as data", () => {
    const back = decode(encode(JSON.parse('{"__proto__": {"admin": true}}'))) as object;
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Object.keys(back)).toEqual(["__proto__"]);
  });

  it("names path and type of what it cannot keep", () => {
    class Money {}
    const cycle: { next?: unknown } = {};
    cycle.next = { back: cycle };
    const sparse = [1, 2];
    sparse[5] = 3;
    let deep: unknown = 1;
    for (let i = 0; i <= CODEC_DEPTH_LIMIT; i++) deep = [deep];
    const cases: readonly (readonly [unknown, string, RegExp])[] = [
      [{ items: [0, { "on click": () => 1 }] }, '$.items[1]["on click"]', /function/],
      [[Symbol("s")], "$[0]", /symbol/],
      [{ price: new Money() }, "$.price", /Money/],
      [Buffer.from("x"), "$", /Buffer/],
      [sparse, "$", /holes/],
      [Object.assign([1], { extra: 1 }), "$", /named properties/],
      [{ [Symbol("s")]: 1 }, "$", /symbol keys/],
      [new Set([[1], [1]]), "$", /equal content/],
      [new Map([["k", () => 1]]), '$["value 0"]', /function/],
      [cycle, "$", /cycle \(the value at \$ contains itself\)/],
      [deep, "$", /64 levels/],
    ];
    for (const [value, path, what] of cases) {
      const error = catchError(() => encode(value));
      expect(error).toBeInstanceOf(UnencodableValueError);
      expect((error as UnencodableValueError).path.startsWith(path)).toBe(true);
      expect((error as UnencodableValueError).what).toMatch(what);
    }
  });

  it("has no hash for a cycle, and finds none equal, without running away", () => {
    const cycle: Record<string, unknown> = {};
    const other: Record<string, unknown> = {};
    for (const name of ["left", "right"]) [cycle[name], other[name]] = [cycle, other];
    expect(() => structuralHash(cycle)).toThrow(UnencodableValueError);
    expect([structuralEquals(cycle, other), structuralEquals(cycle, cycle)]).toEqual([false, true]);
  });

  it("accepts nesting up to its limit", () => {
    let value: unknown = 1;
    for (let i = 0; i < CODEC_DEPTH_LIMIT; i++) value = [value];
    expect(structuralEquals(decode(encode(value)), value)).toBe(true);
  });
});

function catchError(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return null;
}

/** Decodes; if that works the bytes must have been canonical, else the error must be the named one. */
function decodeOrRefuse(bytes: Uint8Array): boolean {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptBytesError);
    return false;
  }
  expect(Buffer.from(encode(value)).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
  return true;
}

describe("decoding hostile bytes", () => {
  it("refuses arbitrary bytes with the named error, or they were canonical", () => {
    const biased = fc.array(fc.oneof(fc.integer({ min: 0, max: 0x11 }), fc.integer({ min: 0, max: 255 })), { maxLength: 40, size: "max" });
    fc.assert(fc.property(biased, (bytes) => void decodeOrRefuse(Uint8Array.from(bytes))), { numRuns: 3000 });
  });

  it("refuses every truncation, and any damage that it accepts is canonical", () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const bytes = encode(value);
        for (let length = 0; length < bytes.length; length += 1 + (length >> 4)) {
          expect(decodeOrRefuse(bytes.subarray(0, length))).toBe(false);
        }
        const damaged = bytes.slice();
        damaged[at % bytes.length]! ^= flip;
        decodeOrRefuse(damaged);
      }),
    );
  });

  it("does not believe announced sizes", () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    for (const tag of [0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x0f, 0x10]) {
      expect(decodeOrRefuse(Uint8Array.from([tag, ...huge]))).toBe(false);
    }
    expect(decodeOrRefuse(Uint8Array.from([0x04, ...new Array<number>(2000).fill(0x80), 0x01]))).toBe(false);
    const nested = new Uint8Array(100_000).fill(0x0d);
    for (let i = 1; i < nested.length; i += 2) nested[i] = 1;
    expect(decodeOrRefuse(nested)).toBe(false);
  });

  it.each([
    ["a longer form of a number", [0x04, 0x80, 0x00]],
    ["an integer as a double", [0x06, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]],
    ["another NaN", [0x06, 1, 0, 0, 0, 0, 0, 0xf8, 0x7f]],
    ["an invalid Date of another NaN", [0x0c, 1, 0, 0, 0, 0, 0, 0xf8, 0x7f]],
    ["overlong UTF-8", [0x09, 2, 0xc0, 0x80]],
    ["a surrogate in UTF-8", [0x09, 3, 0xed, 0xa0, 0x80]],
    ["keys out of order", [0x0e, 2, 0x09, 1, 0x62, 0, 0x09, 1, 0x61, 0]],
    ["a key twice", [0x0e, 2, 0x09, 1, 0x61, 0, 0x09, 1, 0x61, 0]],
    ["a Set out of order", [0x10, 2, 0x04, 2, 0x04, 1]],
    ["a date out of range", [0x0c, 0, 0, 0, 0, 0, 0, 0, 0x7f]],
    ["bytes after the value", [0x00, 0x00]],
  ])("refuses %s", (_, bytes) => {
    expect(decodeOrRefuse(Uint8Array.from(bytes))).toBe(false);
  });
});

describe("ByteReader and ByteWriter", () => {
  it("read back what was written, whatever the numbers", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(0xffffffff), fc.double(), (varuint, u32, f64) => {
        const writer = new ByteWriter(1);
        writer.varuint(varuint);
        writer.u32(u32);
        writer.f64(f64);
        const reader = new ByteReader(writer.toBytes());
        expect([reader.varuint(), reader.u32(), reader.f64(), reader.remaining]).toEqual([varuint, u32, f64, 0]);
      }),
    );
  });

  it("leave alone what was taken, whatever is written next", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (pieces) => {
        const writer = new ByteWriter(16);
        const taken = pieces.map((piece) => {
          writer.bytes(new Uint8Array(7).fill(0xff));
          writer.truncate(0);
          writer.bytes(piece);
          return writer.take();
        });
        expect(writer.position).toBe(0);
        expect(taken.map((bytes) => [...bytes])).toEqual(pieces.map((bytes) => [...bytes]));
      }),
    );
  });

  it("refuse to read past the end of a part of a buffer", () => {
    const reader = new ByteReader(new Uint8Array(16), 4, 6);
    expect(() => reader.u32()).toThrow(CorruptBytesError);
    expect(reader.u16()).toBe(0);
    expect(() => reader.u8()).toThrow(CorruptBytesError);
    expect(() => reader.bytes(1)).toThrow(CorruptBytesError);
  });
});
