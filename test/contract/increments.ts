import { expect, it } from "vitest";
import { valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";
import { keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { Host, MAX_PARALLELISM, expectBytes, maintainFully, owns, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest, OpenOptions } from "./backend-under-test.ts";
import { KeptFiles } from "./kept-files.ts";
import { touchAll } from "./sample-state.ts";

export function incrementTests(subject: BackendUnderTest): void {
  const { capabilities } = subject;

  function filesOf(backend: KeyedBackend, checkpointId: number, entryBudget = 50): readonly StoreFile[] {
    const writer = backend.incremental!.snapshot(checkpointId);
    while (writer.step(entryBudget) > 0);
    const files = writer.files();
    writer.cancel();
    return files;
  }

  function reopened(host: Host, snapshots: readonly (readonly StoreFile[])[], options: Partial<OpenOptions> = {}): KeyedBackend {
    const backend = host.open(options);
    backend.incremental!.restore(snapshots);
    return backend;
  }

  it("come back as they were, the base and increments upon it", () => {
    const host = new Host(subject);
    const backend = host.open();
    const store = new KeptFiles();
    for (let id = 1; id <= 5; id++) {
      touchAll(backend, capabilities, id);
      backend.watermarkMs = id * 100;
      const files = filesOf(backend, id);
      store.add(files);
      store.confirm(files);
      backend.notifyComplete(id);
      const restored = reopened(host, [store.resolved(files)]);
      expect(host.contents(restored)).toEqual(host.contents(backend));
      expectBytes(snapshotOf(restored), snapshotOf(backend));
      maintainFully(backend);
      restored.dispose();
    }
  });

  it("of an empty backend, of one that changed nothing since, and after a restore, can be restored", () => {
    const host = new Host(subject);
    const store = new KeptFiles();
    let backend = host.open();
    for (let id = 1; id <= 6; id++) {
      const files = filesOf(backend, id);
      store.add(files);
      store.confirm(files);
      backend.notifyComplete(id);
      if (id === 3) touchAll(backend, capabilities, 1);
      if (id !== 2 && id !== 5) continue;
      const section = snapshotOf(backend);
      backend = reopened(host, [store.resolved(files)]);
      expectBytes(snapshotOf(backend), section);
    }
  });

  it("hold the state of the moment they were taken, whatever changes while they are written", () => {
    const host = new Host(subject);
    const backend = host.open();
    touchAll(backend, capabilities, 0);
    backend.watermarkMs = 5;
    const section = snapshotOf(backend);
    const contents = host.contents(backend);
    const writer = backend.incremental!.snapshot(1);
    backend.watermarkMs = 6;
    for (let round = 1; round < 8; round++) {
      touchAll(backend, capabilities, round);
      if (backend.needsMaintenance) backend.maintain();
      writer.step(1);
    }
    maintainFully(backend);
    while (writer.step(1) > 0);
    const restored = reopened(host, [writer.files()]);
    expect(host.contents(restored)).toEqual(contents);
    expectBytes(snapshotOf(restored), section);
  });

  it("write in proportion to what changed, not to the state", () => {
    const host = new Host(subject);
    const backend = host.open({ roomy: capabilities.wholeBases });
    const store = new KeptFiles();
    const { state } = backend.bind(valueState<Uint8Array>("v"));
    const keys = 20_000;
    const write = (key: number, seed: number): void => {
      backend.setCurrentKey(key);
      state.update(new Uint8Array(100).map((_, i) => Math.imul(key + seed, 2654435761 + i) >>> 24));
    };
    for (let key = 0; key < keys; key++) write(key, 0);
    const bytesOf = (id: number): number => {
      maintainFully(backend);
      const files = filesOf(backend, id, 1000);
      const newBytes = store.add(files);
      store.confirm(files);
      backend.notifyComplete(id);
      return newBytes;
    };
    const all = bytesOf(1);
    expect(all).toBeGreaterThan(keys * 100);
    const nothing = bytesOf(2);
    const changed = (id: number, count: number): number => {
      for (let i = 0; i < count; i++) write((i * 7919) % keys, id);
      return bytesOf(id);
    };
    // Whatever the first writing of all keys left to be tidied up is tidied up with this one.
    changed(3, 10);
    const [ten, hundred] = [changed(4, 10), changed(5, 100)];
    // At worst a changed key costs the page or block that it lies in, on every level of a tree.
    const fixed = 64 * 1024;
    expect(nothing).toBeLessThan(fixed);
    expect(ten).toBeLessThan(fixed + 10 * 8192);
    expect(hundred).toBeLessThan(fixed + 100 * 8192);
    expect(ten).toBeLessThan(all / 10);
    expect(hundred).toBeLessThan(all / 2);
  });

  it("reuse no file of a snapshot that was not confirmed, be it pending, aborted or cancelled (FLINK-25395)", () => {
    const host = new Host(subject);
    const backend = host.open();
    const store = new KeptFiles();
    const snapshots: (readonly StoreFile[])[] = [];
    const take = (id: number): void => {
      touchAll(backend, capabilities, id);
      const files = filesOf(backend, id);
      store.add(files);
      snapshots[id] = files;
    };
    take(1);
    take(2);
    expect(snapshots[2]!.every((file) => file.bytes !== null)).toBe(true);
    store.confirm(snapshots[1]!);
    backend.notifyComplete(1);
    take(3);
    backend.notifyAborted(3);
    const cancelled = backend.incremental!.snapshot(4);
    cancelled.step(1);
    cancelled.cancel();
    take(5);
    // Late notifications of what nobody waits for.
    backend.notifyComplete(99);
    backend.notifyAborted(98);
    take(6);
    store.confirm(snapshots[5]!);
    backend.notifyComplete(5);
    take(7);
    const restored = reopened(host, [store.resolved(snapshots[7]!)]);
    expectBytes(snapshotOf(restored), snapshotOf(backend));
    const third = reopened(host, [store.resolved(snapshots[3]!)]);
    expect(host.contents(third)).not.toEqual(host.contents(backend));
  });

  it("go on after a restore from files that are kept: what did not change is not written again", () => {
    const host = new Host(subject);
    const store = new KeptFiles();
    let backend = host.open({ roomy: true });
    const fill = (keys: number, seed: number): void => {
      const { state } = backend.bind(valueState<Uint8Array>("v"));
      for (let key = 0; key < keys; key++) {
        backend.setCurrentKey(key);
        state.update(new Uint8Array(100).map((_, i) => Math.imul(key + seed, 2654435761 + i) >>> 24));
      }
    };
    fill(5_000, 0);
    let files = filesOf(backend, 1, 1000);
    const all = store.add(files);
    store.confirm(files);
    backend.notifyComplete(1);
    let section = snapshotOf(backend);
    for (let id = 2; id <= 6; id++) {
      backend.dispose();
      backend = host.open({ roomy: true });
      backend.incremental!.restore([store.resolved(files)], id !== 6);
      expectBytes(snapshotOf(backend), section);
      fill(10, id);
      const taken = filesOf(backend, id, 1000);
      const written = store.add(taken);
      if (id === 6) expect(written).toBeGreaterThan(all * 0.9);
      else expect(written).toBeLessThan(all / 10);
      // The third one is aborted: the next attempt begins from the second again.
      if (id === 3) continue;
      files = taken;
      section = snapshotOf(backend);
      store.confirm(files);
    }
  });

  it("name no file of the confirmed snapshot that a later one in flight does without", () => {
    const host = new Host(subject);
    const backend = host.open();
    const taken: (readonly StoreFile[])[] = [];
    const store = new KeptFiles();
    for (let id = 1; id <= 12; id++) {
      touchAll(backend, capabilities, id % 3);
      if (id % 4 === 0) maintainFully(backend);
      taken[id] = filesOf(backend, id);
      store.add(taken[id]!);
      if (id < 3) continue;
      // Each is confirmed when two later ones were taken already.
      const confirmed = id - 2;
      store.confirm(taken[confirmed]!);
      backend.notifyComplete(confirmed);
      touchAll(backend, capabilities, id);
      const next = filesOf(backend, 100 + id);
      store.add(next);
      backend.notifyAborted(100 + id);
      const inFlight = [taken[id - 1]!, taken[id]!].map((files) => new Set(files.map(({ name }) => name)));
      for (const { name, bytes } of next) {
        if (bytes === null) expect([name, ...inFlight.map((names) => names.has(name))]).toEqual([name, true, true]);
      }
    }
  });

  it("give names that no other subtask and no other attempt gives to other bytes", () => {
    const host = new Host(subject);
    const store = new KeptFiles();
    for (let attempt = 0; attempt < 3; attempt++) {
      for (let index = 0; index < 2; index++) {
        const backend = host.open({ range: keyGroupRange(MAX_PARALLELISM, 2, index), seed: attempt });
        touchAll(backend, capabilities, attempt + index);
        store.add(filesOf(backend, 1));
        backend.notifyAborted(1);
        touchAll(backend, capabilities, attempt + index + 1);
        store.add(filesOf(backend, 2));
        backend.dispose();
      }
    }
  });

  it("are cut and merged when the parallelism changes: 2, 3 and 1 subtasks", () => {
    const host = new Host(subject);
    const store = new KeptFiles();
    const whole = host.open();
    touchAll(whole, capabilities, 0);
    touchAll(whole, capabilities, 1);
    whole.watermarkMs = 50;
    const section = snapshotOf(whole);
    let snapshots = [filesOf(whole, 1)];
    let id = 1;
    for (const parallelism of [2, 3, 1]) {
      snapshots.forEach((files) => store.add(files));
      const resolved = snapshots.map((files) => store.resolved(files));
      id++;
      const subtasks = Array.from({ length: parallelism }, (_, index) =>
        reopened(host, resolved, { range: keyGroupRange(MAX_PARALLELISM, parallelism, index) }),
      );
      for (const subtask of subtasks) {
        expect(subtask.watermarkMs).toBe(50);
        expect(subtask.entries(host.disk.quiet).every(({ key }) => owns(subtask.range, key))).toBe(true);
      }
      if (parallelism === 1) expectBytes(snapshotOf(subtasks[0]!), section);
      snapshots = subtasks.map((subtask) => filesOf(subtask, id));
    }
  });
}
