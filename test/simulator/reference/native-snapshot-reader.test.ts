import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CorruptBytesError } from "#whitewater/engine/base/bytes.js";
import { listState, mapState, reducingState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyGroupRange, KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import type { Key, Namespace } from "#whitewater/engine/state/state.js";
import { firstDifference, timerDifference } from "#whitewater/simulator/oracles/state-differences.js";
import { NativeSnapshotReader, readNativeSnapshot } from "#whitewater/simulator/reference/native-snapshot-reader.js";
import type { NativeFile } from "#whitewater/simulator/reference/native-rows.js";
import { readKeyedSection } from "#whitewater/simulator/reference/snapshot-reader.js";
import type { KeyedSection } from "#whitewater/simulator/reference/snapshot-reader.js";
import { sameValue } from "#whitewater/simulator/reference/structural-equality.js";
import { Host, maintainFully, owns, snapshotOf } from "../../contract/backend-under-test.ts";
import type { BackendUnderTest } from "../../contract/backend-under-test.ts";
import { engineBackends } from "../../contract/engine-backend.ts";
import { KeptFiles } from "../../contract/kept-files.ts";

const RUNS = 12;
const SEED = 20_261_125;
const MAX_PARALLELISM = 300;
const RANGE = { start: 40, end: 259 };

const keys: readonly Key[] = [
  ...Array.from({ length: 300 }, (_, i) => `key-${i}`),
  ...Array.from({ length: 40 }, (_, i) => i * 1000),
  ...Array.from({ length: 20 }, (_, i) => ["t", BigInt(i), true] as const),
].filter((key) => owns(RANGE, key, MAX_PARALLELISM));
const namespaces: readonly Namespace[] = ["", 60_000, "w"];

/** Plain data that shrinks. */
interface Change {
  readonly kind: "value" | "large" | "clear" | "list" | "map" | "remove" | "fold" | "timer" | "many" | "maintain" | "watermark";
  readonly key: number;
  readonly namespace: number;
  readonly item: number;
}

interface Step {
  readonly changes: readonly Change[];
  readonly ends: "confirmed" | "aborted" | "pending" | "restored" | "rescaled";
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change["kind"]>("value", "value", "large", "clear", "list", "list", "map", "map", "remove", "fold", "timer", "many", "maintain", "watermark"),
  key: fc.nat(keys.length - 1),
  namespace: fc.nat(namespaces.length - 1),
  item: fc.nat(30_000),
});
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    changes: fc.array(change, { maxLength: 30 }),
    ends: fc.constantFrom<Step["ends"]>("confirmed", "confirmed", "confirmed", "aborted", "pending", "restored", "rescaled"),
  }),
  { minLength: 1, maxLength: 8 },
);

function apply(backend: KeyedBackend, { kind, key, namespace, item }: Change): void {
  backend.setCurrentKey(keys[key]!);
  const at = namespaces[namespace]!;
  const value = backend.bind(valueState<unknown>("value"));
  const list = backend.bind(listState<number>("list"));
  const map = backend.bind(mapState<string, number>("map"));
  const fold = backend.bind(reducingState<number>("a fold", (left, right) => left + right));
  for (const bound of [value, list, map, fold]) bound.setNamespace(at);
  const kinds: Readonly<Record<Change["kind"], () => void>> = {
    value: () => value.state.update(item % 3 === 0 ? [item, `v${item}`] : item),
    // Beyond a block and a page: overflow pages, and blocks of one row.
    large: () => value.state.update(new Uint8Array(item % 13_000).map((_, i) => i ^ key)),
    clear: () => [value, list, map, fold].forEach((bound) => bound.state.clear()),
    list: () => list.state.addAll([item, -item]),
    map: () => map.state.put(`m${item % 5}`, item),
    remove: () => map.state.remove(`m${item % 5}`),
    fold: () => fold.state.add(item),
    timer: () => backend.timers().register((item % 2) as 0 | 1, at, item),
    many: () => {
      for (let i = 0; i < keys.length; i += 1 + (item % 3)) {
        backend.setCurrentKey(keys[i]!);
        value.state.update(`${item}/${i}`);
      }
    },
    maintain: () => maintainFully(backend),
    watermark: () => void (backend.watermarkMs = item),
  };
  kinds[kind]();
}

function filesOf(backend: KeyedBackend, checkpointId: number): readonly StoreFile[] {
  const writer = backend.incremental!.snapshot(checkpointId);
  while (writer.step(20) > 0);
  const files = writer.files();
  writer.cancel();
  return files;
}

function named(files: readonly StoreFile[]): readonly NativeFile[] {
  return files.map(({ name, bytes }) => ({ name, bytes: bytes! }));
}

/** What the live backend holds, and what the engine's own canonical snapshot of it says, by the other reader. */
function expectSame(section: KeyedSection, backend: KeyedBackend, host: Host): void {
  expect(firstDifference(section.entries, backend.entries(host.disk.quiet))).toBe(null);
  const timers = backend.inspectTimers();
  expect(timerDifference(section.eventTimers, timers.eventTime)).toBe(null);
  expect(timerDifference(section.processingTimers, timers.processingTime)).toBe(null);
  expect(section.watermarkMs).toBe(backend.watermarkMs);
  // toEqual takes long for long bytes.
  expect(sameValue(section, readKeyedSection(snapshotOf(backend)))).toBe(true);
}

const open = (host: Host, range: KeyGroupRange = RANGE): KeyedBackend => host.open({ range, maxParallelism: MAX_PARALLELISM });

/** Native snapshots of the two subtasks that the state was cut for: each is read as what its subtask holds. */
function halves(host: Host, files: readonly StoreFile[]): readonly (readonly StoreFile[])[] {
  return [{ start: 40, end: 149 }, { start: 150, end: 259 }].map((range) => {
    const half = open(host, range);
    half.incremental!.restore([files]);
    const written = filesOf(half, 1);
    expectSame(readNativeSnapshot(named(written)), half, host);
    half.dispose();
    return written;
  });
}

function check(subject: BackendUnderTest, history: readonly Step[]): void {
  const host = new Host(subject);
  const store = new KeptFiles();
  const reader = new NativeSnapshotReader();
  let backend = open(host);
  history.forEach(({ changes, ends }, at) => {
    for (const one of changes) apply(backend, one);
    const files = filesOf(backend, at + 1);
    store.add(files);
    const whole = named(store.resolved(files));
    expectSame(reader.read(whole), backend, host);
    expectSame(readNativeSnapshot(whole), backend, host);
    if (ends === "confirmed") {
      store.confirm(files);
      backend.notifyComplete(at + 1);
    } else if (ends === "aborted") backend.notifyAborted(at + 1);
    else if (ends === "restored") {
      backend.dispose();
      backend = open(host);
      backend.incremental!.restore([store.resolved(files)]);
    } else if (ends === "rescaled") {
      backend.dispose();
      backend = open(host);
      backend.incremental!.restore(halves(host, store.resolved(files)));
    }
  });
  backend.dispose();
}

const subjects = engineBackends.filter(({ capabilities }) => capabilities.incremental);

describe.each(subjects)("native snapshots of $name", (subject) => {
  test("read as what the backend holds at their moment, whatever its history", () => {
    fc.assert(fc.property(steps, (history) => check(subject, history)), { numRuns: RUNS, seed: SEED });
  });
});

const stores = subjects.filter(({ name }) => !name.startsWith("changelog:"));

describe.each(stores)("native snapshots of $name", (subject) => {
  test("give the entries that did not change since the one before as the same objects", () => {
    const host = new Host(subject);
    const backend = open(host);
    const store = new KeptFiles();
    const reader = new NativeSnapshotReader();
    const section = (id: number): KeyedSection => {
      const files = filesOf(backend, id);
      store.add(files);
      store.confirm(files);
      backend.notifyComplete(id);
      return reader.read(named(store.resolved(files)));
    };
    for (let namespace = 0; namespace < 3; namespace++) apply(backend, { kind: "many", key: 0, namespace, item: 6 });
    const before = section(1);
    apply(backend, { kind: "value", key: 1, namespace: 0, item: 5 });
    const after = section(2);
    const known = new Set(before.entries);
    const fresh = after.entries.filter((entry) => !known.has(entry));
    expect(before.entries.length).toBeGreaterThan(250);
    // At worst everything of one page or table is read again.
    expect(fresh.some(({ key }) => key === keys[1])).toBe(true);
    expect(fresh.length).toBeLessThan(before.entries.length / 2);
  });

  test("with a byte changed, or a file missing or too many, are refused or read as something else", () => {
    const host = new Host(subject);
    const backend = open(host);
    for (let key = 0; key < keys.length; key += 20) apply(backend, { kind: "value", key, namespace: 0, item: key });
    apply(backend, { kind: "large", key: 3, namespace: 0, item: 9000 });
    const files = named(filesOf(backend, 1));
    const good = readNativeSnapshot(files);
    expect(() => readNativeSnapshot(files.slice(0, -1).length > 1 ? files.slice(0, -1) : [])).toThrow(CorruptBytesError);
    let refused = 0;
    files.forEach((file, number) => {
      for (let at = 0; at < file.bytes.length; at += 61) {
        const bytes = file.bytes.slice();
        bytes[at] = (bytes[at] as number) ^ 0x41;
        const damaged = files.map((one, i) => (i === number ? { ...one, bytes } : one));
        let read: KeyedSection | null = null;
        try {
          read = readNativeSnapshot(damaged);
        } catch (error) {
          if (!(error instanceof CorruptBytesError)) throw error;
          refused += 1;
        }
        if (read !== null && subject.name === "lsm" && number > 0) expect(read).toEqual(good);
      }
    });
    expect(refused).toBeGreaterThan(10);
  });
});
