import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter } from "#whitewater/engine/base/bytes.js";
import { decode, encode } from "#whitewater/engine/base/codec.js";
import {
  iterateKeyGroups,
  iterateState,
  prefixEnd,
  readSequence,
  readStateId,
  stateIdEnd,
  suffixStart,
  writeSequence,
  writeStateId,
} from "#whitewater/engine/state/backends/store/row-format.js";
import { listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import { longSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import type { Key } from "#whitewater/engine/state/state.js";
import { keyGroupOf } from "#whitewater/engine/stream/key-groups.js";
import { MemoryStore } from "./memory-store.js";
import { KEYS } from "./operations.js";
import { MAX_PARALLELISM, WHOLE_RANGE, backend, snapshotOf } from "./store-backends.js";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function rowsOf(store: MemoryStore): string[] {
  const rows: string[] = [];
  const iterator = store.iterate(new Uint8Array(0), null);
  while (iterator.next()) rows.push(`${hex(iterator.key)} = ${hex(iterator.value)}`);
  iterator.close();
  return rows;
}

/** All rows of one key group are those of this key. */
const KEY: Key = "k";
const GROUP = keyGroupOf(KEY, MAX_PARALLELISM).toString(16).padStart(2, "0");

describe("rows", () => {
  it("are what the head of row-format says, byte by byte", () => {
    const store = new MemoryStore();
    const state = backend(WHOLE_RANGE, 1, { store });
    const value = state.bind(valueState<unknown>("v"));
    const list = state.bind(listState<string>("l")).state;
    const map = state.bind(mapState<unknown, unknown>("m")).state;
    const typed = state.bind(mapState<string, number>("t", { keySerializer: stringSerializer, serializer: longSerializer })).state;
    const sum = state.bind(reducingState<number>("r", (left, right) => left + right)).state;
    state.setCurrentKey(KEY);
    value.state.update(true);
    value.setNamespace(300);
    value.state.update("x");
    list.add("a");
    list.add("b");
    map.put("q", 1);
    map.put("p", null);
    map.put("q", 2);
    typed.put("q", 5);
    sum.add(1);
    sum.add(2);
    const key = "09 01 6b";
    const nowhere = "09 00";
    expect(rowsOf(store)).toEqual([
      `${GROUP} 00 ${key} 04 ac 02 = 09 01 78`,
      `${GROUP} 00 ${key} ${nowhere} = 03`,
      `${GROUP} 01 ${key} ${nowhere} 00 00 00 00 00 00 = 09 01 61`,
      `${GROUP} 01 ${key} ${nowhere} 00 00 00 00 00 01 = 09 01 62`,
      `${GROUP} 02 ${key} ${nowhere} 09 01 70 = 03 01`,
      `${GROUP} 02 ${key} ${nowhere} 09 01 71 = 02 04 02`,
      `${GROUP} 03 ${key} ${nowhere} 09 01 71 = 04 05 00 00 00 00 00 00 00`,
      `${GROUP} 04 ${key} ${nowhere} = 04 03`,
    ]);
    expect(map.entries()).toEqual([["q", 2], ["p", null]]);
    list.clear();
    for (const one of ["q", "p"]) map.remove(one);
    typed.clear();
    sum.clear();
    value.state.clear();
    value.setNamespace("");
    value.state.update(null);
    expect(rowsOf(store)).toEqual([]);
  });

  it("begin with two bytes of key group where the max parallelism is beyond 128", () => {
    for (const maxParallelism of [128, 129, 32768]) {
      const store = new MemoryStore();
      const state = backend({ start: 0, end: maxParallelism - 1 }, 1, { store, maxParallelism });
      const value = state.bind(valueState<number>("v")).state;
      for (let i = 0; i < 50; i++) {
        state.setCurrentKey(i);
        value.update(i);
      }
      const groups = Array.from({ length: 50 }, (_, i) => keyGroupOf(i, maxParallelism)).sort((a, b) => a - b);
      const bytes = maxParallelism > 128 ? 2 : 1;
      const written = rowsOf(store).map((row) => Number.parseInt(row.replaceAll(" ", "").slice(0, 2 * bytes), 16));
      expect(written).toEqual(groups);
      const restored = backend({ start: 0, end: maxParallelism - 1 }, 1, { maxParallelism });
      restored.restore([snapshotOf(state, 1000)]);
      const again = restored.bind(valueState<number>("v")).state;
      restored.setCurrentKey(49);
      expect(again.value()).toBe(49);
    }
  });

  it("take a second byte for the state from the 129th on, in the same order", () => {
    const store = new MemoryStore();
    const state = backend(WHOLE_RANGE, 1, { store });
    state.setCurrentKey(KEY);
    for (let i = 0; i < 300; i++) state.bind(listState<number>(`s${i}`)).state.add(i);
    expect(rowsOf(store).map((row) => row.slice(3).split(" 09 01 6b")[0])).toEqual(
      Array.from({ length: 300 }, (_, i) => hex(Uint8Array.from(i < 128 ? [i] : [0x80 | (i >> 8), i & 0xff]))),
    );
    const restored = backend();
    restored.restore([snapshotOf(state)]);
    restored.setCurrentKey(KEY);
    for (const i of [0, 127, 128, 299]) expect(restored.bind(listState<number>(`s${i}`)).state.get()).toEqual([i]);
    for (const id of [0, 127, 128, 255, 256, 32767]) {
      const writer = new ByteWriter();
      writer.u8(9);
      writeStateId(writer, id);
      expect([readStateId(writer.toBytes(), 1), stateIdEnd(writer.toBytes(), 1)]).toEqual([id, writer.position]);
    }
  });

  it("tell where key and namespace end, whatever may be a key", () => {
    const writer = new ByteWriter();
    for (const key of KEYS) {
      for (const namespace of ["", "n", 0, 1e6, -7, 1.5, "\udc00"]) {
        const store = new MemoryStore();
        const state = backend(WHOLE_RANGE, 1, { store });
        const list = state.bind(listState<number>("l"));
        state.setCurrentKey(key);
        list.setNamespace(namespace);
        list.state.add(1);
        const iterator = iterateState(store, keyGroupOf(key === 0 ? 0 : key, MAX_PARALLELISM), 1, 0);
        expect(iterator.next()).toBe(true);
        expect(suffixStart(iterator.key, 2)).toBe(iterator.key.length - 6);
        iterator.close();
      }
    }
    for (const sequence of [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1]) {
      writer.truncate(0);
      writeSequence(writer, sequence);
      expect(readSequence(writer.toBytes())).toBe(sequence);
    }
  });

  it("of a prefix end where its last byte that can be counted up is", () => {
    expect(prefixEnd(Uint8Array.from([1, 2]))).toEqual(Uint8Array.from([1, 3]));
    expect(prefixEnd(Uint8Array.from([1, 255, 255]))).toEqual(Uint8Array.from([2]));
    expect(prefixEnd(Uint8Array.from([255, 255]))).toBe(null);
    const store = new MemoryStore();
    store.put(Uint8Array.from([0x7f, 0xff, 0xff]), Uint8Array.from([1]));
    const iterator = iterateKeyGroups(store, 0, 127, 1);
    expect(iterator.next()).toBe(true);
    iterator.close();
  });
});

describe("text", () => {
  it("of any length comes back, with and without something beyond ASCII at any place", () => {
    const lengths = [...Array.from({ length: 70 }, (_, i) => i), 127, 128, 1023, 1024, 1025, 1040];
    for (const length of lengths) {
      const ascii = Array.from({ length }, (_, i) => String.fromCharCode(32 + (i % 95))).join("");
      expect(decode(encode(ascii))).toBe(ascii);
      for (let at = 0; at < Math.min(length, 70); at++) {
        const text = `${ascii.slice(0, at)}\u00e9${ascii.slice(at)}`;
        expect(decode(encode(text))).toBe(text);
      }
    }
  });
});

describe("views and readers that are used again", () => {
  it("give what was written, also after the buffer grew or was taken", () => {
    const writer = new ByteWriter(1);
    let expected: number[] = [];
    for (let i = 0; i < 400; i++) {
      writer.u8(i);
      expected.push(i & 0xff);
      expect([...writer.view()]).toEqual(expected);
      if (i % 50 === 49) {
        if (i % 100 === 99) writer.truncate(0);
        else writer.take();
        expected = [];
      }
    }
    writer.truncate(0);
    writer.u8(1);
    const view = writer.view();
    writer.truncate(0);
    writer.u8(2);
    expect(writer.view()).toBe(view);
  });

  it("read the bytes they were opened with last", () => {
    const reader = new ByteReader(new Uint8Array(0));
    const writer = new ByteWriter();
    for (const [text, number] of [["name", 1.5], ["name", -2.5], ["other", 0.25]] as const) {
      writer.truncate(0);
      writer.u8(0);
      writer.utf8(text, text.length);
      writer.f64(number);
      reader.reopen(writer.toBytes(), 1);
      expect([reader.utf8(text.length), reader.f64(), reader.remaining]).toEqual([text, number, 0]);
    }
  });
});
