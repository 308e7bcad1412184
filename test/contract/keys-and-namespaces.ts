import fc from "fast-check";
import { expect, it } from "vitest";
import { aggregatingState, listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { Key, Namespace } from "#whitewater/engine/state/state.js";
import { Host, errorOf, expectBytes, owns, snapshotOf, text } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";

const KEYS: readonly Key[] = [
  0, 1, -1, 1n, -1n, 1n << 80n, -(1n << 80n), "1", "", "\0", "\ud800", "\udc00", "\ud800\ud800", "😀", true, false, "true",
  1.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 40, Number.MIN_SAFE_INTEGER, [], [[]], ["a", 1], ["a", "1"], ["a1"], [["a"], 1],
  ["a", [1]], [1n], [true, NaN], "(s1:an1;)", ["\ud800"],
];

export function keyTests(subject: BackendUnderTest): void {
  it("belongs to the current key, of whatever type, and keys of equal contents are one", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(valueState<string>("v"));
    KEYS.forEach((key, index) => {
      backend.setCurrentKey(key);
      expect([key, state.value()]).toEqual([key, null]);
      state.update(`v${index}`);
    });
    const restored = host.restored([snapshotOf(backend)]);
    for (const one of [backend, restored]) {
      const again = one.bind(valueState<string>("v")).state;
      KEYS.forEach((key, index) => {
        one.setCurrentKey(structuredClone(key) as Key);
        expect([key, again.value(), text(one.currentKey())]).toEqual([key, `v${index}`, text(key)]);
      });
    }
    const expected = KEYS.map((key, index) => text(["v", key, "", `v${index}`])).sort();
    expect(host.contents(backend).entries).toEqual(expected);
    expect(host.contents(restored).entries).toEqual(expected);
  });

  it("keeps apart any keys of different contents, and gives them back as they are", () => {
    const leaf: fc.Arbitrary<Key> = fc.oneof(
      fc.integer({ min: -2, max: 2 }),
      fc.double(),
      fc.bigInt({ min: -(1n << 70n), max: 1n << 70n }),
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.constantFrom("\ud800", "\udfff", "\0"),
      fc.boolean(),
    );
    const key: fc.Arbitrary<Key> = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.array(fc.array(leaf, { maxLength: 2 }), { maxLength: 2 }));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 12 }), (keys) => {
        const host = new Host(subject);
        const backend = host.open();
        const { state } = backend.bind(valueState<number>("v"));
        const expected = new Map<string, number>();
        keys.forEach((one, index) => {
          backend.setCurrentKey(one);
          const known = expected.get(text(positive(one)));
          expect(state.value()).toBe(known ?? null);
          state.update(index);
          expected.set(text(positive(one)), index);
        });
        const lines = host.contents(backend).entries;
        expect(lines).toHaveLength(expected.size);
        const restored = host.restored([snapshotOf(backend)]);
        expect(host.contents(restored).entries).toEqual(lines);
        backend.dispose();
        restored.dispose();
      }),
      { numRuns: 40 },
    );
  });

  it("takes -0 and 0 for one, as key, in tuples, as namespace and as timestamp", () => {
    const host = new Host(subject);
    const backend = host.open();
    const bound = backend.bind(valueState<string>("v"));
    backend.setCurrentKey(-0);
    expect(text(backend.currentKey())).toBe("0");
    bound.setNamespace(-0);
    bound.state.update("zero");
    backend.timers().register(0, -0, -0);
    backend.setCurrentKey(0);
    bound.setNamespace(0);
    expect(bound.state.value()).toBe("zero");
    backend.timers().register(0, 0, 0);
    expect(backend.timers().size(0)).toBe(1);
    backend.setCurrentKey([-0, [-0]]);
    bound.state.update("tuple");
    backend.setCurrentKey([0, [0]]);
    expect(bound.state.value()).toBe("tuple");
    const contents = host.contents(backend);
    expect(contents.entries).toEqual(["[ 'v', 0, 0, 'zero' ]", "[ 'v', [ 0, [ 0 ] ], 0, 'tuple' ]"].sort());
    expect(contents.eventTime).toEqual(["[ 0, 0, 0 ]"]);
    const section = snapshotOf(backend);
    expectBytes(snapshotOf(host.restored([section])), section);
  });

  it("keeps a tuple as it was set, whatever becomes of the array", () => {
    const host = new Host(subject);
    const backend = host.open();
    const { state } = backend.bind(valueState<string>("v"));
    const tuple: Key[] = ["a", 1];
    backend.setCurrentKey(tuple);
    state.update("kept");
    tuple[1] = 2;
    backend.setCurrentKey(["a", 1]);
    expect(state.value()).toBe("kept");
    expect(host.contents(backend).entries).toEqual(["[ 'v', [ 'a', 1 ], '', 'kept' ]"]);
  });

  it("needs a current key, of its own key groups, which no restore and no timer sets", () => {
    const host = new Host(subject);
    const backend = host.open({ range: { start: 0, end: 3 } });
    const { state } = backend.bind(valueState<number>("v"));
    const list = backend.bind(listState<number>("l")).state;
    const map = backend.bind(mapState<string, number>("m")).state;
    const keyless = [() => state.update(1), () => list.add(1), () => map.put("x", 1), () => backend.timers().register(0, "", 1)];
    for (const use of [() => void backend.currentKey(), ...keyless]) expect(errorOf(use).name).toBe("InvariantError");
    const [inside, other] = Array.from({ length: 200 }, (_, i) => `k${i}`).filter((key) => owns(backend.range, key));
    const outside = Array.from({ length: 200 }, (_, i) => `k${i}`).find((key) => !owns(backend.range, key))!;
    for (const use of keyless) {
      // Where the key is refused, when it is set or when it is used, is the backend's choice.
      expect(errorOf(() => {
        backend.setCurrentKey(outside);
        use();
      }).name).toBe("InvariantError");
    }
    backend.setCurrentKey(inside!);
    backend.timers().register(0, "", 1);
    backend.setCurrentKey(other!);
    expect(backend.timers().poll(0, 1)?.key).toBe(inside);
    expect(backend.currentKey()).toBe(other);
    const restored = host.restored([snapshotOf(backend)], { range: backend.range });
    expect(errorOf(() => void restored.currentKey()).name).toBe("InvariantError");
  });

  it("binds a name once: again gives the same, as another kind it is refused", () => {
    const backend = new Host(subject).open();
    const bound = backend.bind(valueState<number>("v"));
    expect(backend.bind(valueState<number>("v")).state).toBe(bound.state);
    expect(errorOf(() => void backend.bind(listState("v"))).message).toContain('"v"');
    expect(errorOf(() => void backend.bind(mapState("v"))).message).toContain('"v"');
    backend.setCurrentKey("k");
    bound.state.update(1);
    expect(bound.state.value()).toBe(1);
  });

  it("keeps states apart by name, whatever the name and the order of binding", () => {
    const host = new Host(subject);
    const names = ["b", "a", "ab", "", "a\0", "\ud800", "10", "9", "é", "😀", "timers"];
    const sections = [names, [...names].reverse()].map((order) => {
      const backend = host.open();
      for (const name of order) {
        backend.setCurrentKey("k");
        backend.bind(valueState<string>(name)).state.update(`in ${name}`);
      }
      for (const name of names) expect(backend.bind(valueState<string>(name)).state.value()).toBe(`in ${name}`);
      return snapshotOf(backend);
    });
    expectBytes(sections[1], sections[0]);
    const restored = host.restored([sections[0]!]);
    restored.setCurrentKey("k");
    for (const name of names) expect(restored.bind(valueState<string>(name)).state.value()).toBe(`in ${name}`);
  });
}

/** -0 is 0, wherever it stands. */
function positive(key: Key): Key {
  if (typeof key === "object") return key.map(positive);
  return typeof key === "number" ? key + 0 : key;
}

export function namespaceTests(subject: BackendUnderTest): void {
  const NAMESPACES: readonly Namespace[] = ["", 0, "0", 5, -5, 1.5, 2 ** 40, "5", "w", "\ud800", "w\0"];

  it("keep the state of one key apart, of every kind", () => {
    const host = new Host(subject);
    const backend = host.open();
    const value = backend.bind(valueState<string>("v"));
    const list = backend.bind(listState<string>("l"));
    const map = backend.bind(mapState<string, string>("m"));
    const move = (namespace: Namespace): void => [value, list, map].forEach((bound) => bound.setNamespace(namespace));
    backend.setCurrentKey("k");
    for (const namespace of NAMESPACES) {
      move(namespace);
      expect([value.state.value(), list.state.get(), map.state.isEmpty()]).toEqual([null, [], true]);
      value.state.update(`v ${text(namespace)}`);
      list.state.add(`l ${text(namespace)}`);
      map.state.put("x", `m ${text(namespace)}`);
    }
    move(5);
    value.state.clear();
    list.state.clear();
    map.state.clear();
    for (const namespace of NAMESPACES) {
      move(namespace);
      const kept = namespace === 5 ? null : text(namespace);
      expect(value.state.value()).toBe(kept === null ? null : `v ${kept}`);
      expect(list.state.get()).toEqual(kept === null ? [] : [`l ${kept}`]);
      expect(map.state.get("x")).toBe(kept === null ? null : `m ${kept}`);
    }
    expect(host.contents(backend).entries).toHaveLength((NAMESPACES.length - 1) * 3);
    const section = snapshotOf(backend);
    const restored = host.restored([section]);
    expect(host.contents(restored)).toEqual(host.contents(backend));
    expectBytes(snapshotOf(restored), section);
  });

  it("are moved state by state, begin at the void one, and stay when the key changes", () => {
    const backend = new Host(subject).open();
    const first = backend.bind(valueState<string>("first"));
    const second = backend.bind(valueState<string>("second"));
    backend.setCurrentKey("k");
    first.setNamespace(10);
    first.state.update("in 10");
    second.state.update("in the void one");
    backend.setCurrentKey("other");
    first.state.update("other's in 10");
    second.setNamespace("");
    expect([first.state.value(), second.state.value()]).toEqual(["other's in 10", null]);
    backend.setCurrentKey("k");
    first.setNamespace("");
    expect([first.state.value(), second.state.value()]).toEqual([null, "in the void one"]);
  });
}

export function mergingTests(subject: BackendUnderTest): void {
  const sum = reducingState<number>("sum", (left, right) => left + right);
  const words = reducingState<string>("words", (left, right) => left + right);
  const count = aggregatingState<string, number, string>("count", {
    createAccumulator: () => 0,
    add: (_, n) => n + 1,
    getResult: (n) => `${n} in all`,
    merge: (left, right) => left + right,
  });

  it("appends lists in the order of the sources, and leaves nothing in them", () => {
    const host = new Host(subject);
    const backend = host.open();
    const list = backend.bind(listState<string>("l"));
    const get = (namespace: Namespace): readonly string[] => {
      list.setNamespace(namespace);
      return list.state.get();
    };
    for (const key of ["k", "other"]) {
      backend.setCurrentKey(key);
      for (const namespace of [30, 10, 20, 40]) {
        list.setNamespace(namespace);
        list.state.addAll([`${key}${namespace}a`, `${key}${namespace}b`]);
      }
    }
    backend.setCurrentKey("k");
    const before = get(30);
    list.mergeNamespaces(30, [20, 99, 10]);
    expect(get(30)).toEqual(["k30a", "k30b", "k20a", "k20b", "k10a", "k10b"]);
    expect([before, get(20), get(10), get(99), get(40)]).toEqual([["k30a", "k30b"], [], [], [], ["k40a", "k40b"]]);
    // A target where nothing was; and nothing to move makes nothing.
    list.mergeNamespaces(50, [40]);
    list.mergeNamespaces(60, [70, 80]);
    list.mergeNamespaces(60, []);
    expect([get(50), get(40), get(60)]).toEqual([["k40a", "k40b"], [], []]);
    backend.setCurrentKey("other");
    expect([get(10), get(20), get(50)]).toEqual([["other10a", "other10b"], ["other20a", "other20b"], []]);
    expect(host.contents(backend).entries).toHaveLength(6);
    const section = snapshotOf(backend);
    expectBytes(snapshotOf(host.restored([section])), section);
  });

  it("folds reducing and aggregating state, the target first, then the sources in their order", () => {
    const host = new Host(subject);
    const backend = host.open();
    const states = [backend.bind(sum), backend.bind(words), backend.bind(count)] as const;
    const move = (namespace: Namespace): void => states.forEach((bound) => bound.setNamespace(namespace));
    const got = (namespace: Namespace): unknown => {
      move(namespace);
      return states.map(({ state }) => state.get());
    };
    backend.setCurrentKey("k");
    for (const namespace of [1, 2, 3]) {
      move(namespace);
      states[0].state.add(namespace);
      states[1].state.add(`<${namespace}>`);
      for (let i = 0; i < namespace; i++) states[2].state.add("x");
    }
    for (const state of states) state.mergeNamespaces(2, [3, 7, 1]);
    expect([got(2), got(1), got(3)]).toEqual([[6, "<2><3><1>", "6 in all"], [null, null, null], [null, null, null]]);
    for (const state of states) state.mergeNamespaces(8, [2]);
    expect([got(8), got(2)]).toEqual([[6, "<2><3><1>", "6 in all"], [null, null, null]]);
    for (const state of states) state.mergeNamespaces(9, [4, 5]);
    expect(got(9)).toEqual([null, null, null]);
    expect(host.contents(backend).entries).toHaveLength(3);
  });

  it("keeps what the target holds where it is a source itself, and the namespace that was set", () => {
    const backend = new Host(subject).open();
    const list = backend.bind(listState<number>("l"));
    const total = backend.bind(sum);
    backend.setCurrentKey("k");
    for (const namespace of [1, 2, 3]) {
      list.setNamespace(namespace);
      total.setNamespace(namespace);
      list.state.add(namespace);
      total.state.add(namespace);
    }
    list.mergeNamespaces(2, [1, 2]);
    total.mergeNamespaces(2, [1, 2, 1]);
    expect([list.state.get(), total.state.get()]).toEqual([[3], 3]);
    list.setNamespace(2);
    total.setNamespace(2);
    expect([list.state.get(), total.state.get()]).toEqual([[2, 1], 3]);
  });

  it("is refused where there is no way to merge", () => {
    const backend = new Host(subject).open();
    backend.setCurrentKey("k");
    const unmergeable = aggregatingState<number, number, number>("u", {
      createAccumulator: () => 0,
      add: (value, all) => all + value,
      getResult: (all) => all,
    });
    const bound = [backend.bind(valueState("v")), backend.bind(mapState("m")), backend.bind(unmergeable)];
    for (const one of bound) expect(errorOf(() => one.mergeNamespaces(1, [2])).name).toBe("InvariantError");
  });

  it("changes nothing that a snapshot in flight still has to write", () => {
    const host = new Host(subject);
    const backend = host.open();
    const list = backend.bind(listState<number>("l"));
    const folded = backend.bind(sum);
    for (let key = 0; key < 20; key++) {
      backend.setCurrentKey(key);
      for (const namespace of [1, 2]) {
        list.setNamespace(namespace);
        folded.setNamespace(namespace);
        list.state.addAll([key, namespace]);
        folded.state.add(namespace);
      }
    }
    const expected = snapshotOf(backend);
    const writer = backend.snapshot();
    for (let key = 0; key < 20; key++) {
      writer.step(1);
      backend.setCurrentKey(key);
      list.mergeNamespaces(1, [2]);
      folded.mergeNamespaces(3, [1, 2]);
    }
    while (writer.step(1) > 0);
    expectBytes(writer.bytes(), expected);
  });
}
