import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { EIO, ENOSPC } from "#whitewater/engine/ports/disk.js";
import { ProcessDied } from "#whitewater/engine/ports/process-ports.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import { listState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { Key } from "#whitewater/engine/state/state.js";
import { Host, expectBytes, maintainFully, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest, Contents } from "./backend-under-test.ts";
import type { DiskFailure } from "./memory-disk.ts";
import { SAMPLE_KEYS, bindSample, touchAll } from "./sample-state.ts";

/** How many of the points at which a script can be hit are tried; spread over all of them. */
const POINTS = 40;
/** Few, since every point is a run of its own; enough to spill and to be compacted. */
const KEYS: readonly Key[] = SAMPLE_KEYS.slice(0, 12);
/** How many bytes of all files together are damaged, each in a run of its own. */
const DAMAGED_BYTES = 100;

export function storageTests(subject: BackendUnderTest): void {
  const { capabilities } = subject;

  function touch(backend: KeyedBackend, round: number): void {
    touchAll(backend, capabilities, round, undefined, KEYS);
  }

  /** All that a backend does with its disk. What is read is checked on the way: an error, or the truth. */
  function script(host: Host, seen: (backend: KeyedBackend) => void): KeyedBackend {
    const backend = host.open();
    seen(backend);
    for (let round = 0; round < 3; round++) {
      touch(backend, round);
      snapshotOf(backend);
      if (backend.incremental !== null) {
        const writer = backend.incremental.snapshot(round + 1);
        while (writer.step(100) > 0);
        writer.files();
        writer.cancel();
        backend.notifyComplete(round + 1);
      }
      maintainFully(backend);
    }
    const section = snapshotOf(backend);
    const restored = host.open();
    seen(restored);
    restored.restore([section]);
    touch(restored, 3);
    maintainFully(restored);
    return restored;
  }

  function plain(): { readonly calls: number; readonly contents: Contents; readonly section: Uint8Array } {
    const host = new Host(subject);
    const restored = script(host, () => {});
    const calls = host.disk.calls;
    return { calls, contents: host.contents(restored), section: snapshotOf(restored) };
  }

  function failing(failure: DiskFailure, failures: number, judge: (error: Error | null, host: Host) => void): void {
    const { calls, section } = plain();
    for (let point = 0; point < POINTS; point++) {
      const host = new Host(subject);
      const opened: KeyedBackend[] = [];
      host.disk.failFrom = 2 + Math.floor((point * (calls - 2)) / POINTS);
      host.disk.failure = failure;
      host.disk.failures = failures;
      let thrown: Error | null = null;
      try {
        expectBytes(snapshotOf(script(host, (backend) => void opened.push(backend))), section);
      } catch (error) {
        thrown = error as Error;
      }
      judge(thrown, host);
      if (thrown instanceof ProcessDied) continue;
      host.disk.failures = 0;
      for (const backend of opened) backend.dispose();
      expect(host.disk.openDescriptors).toBe(0);
      // One that could not even be opened gave nobody anything to give up.
      if (host.opened === opened.length) expect(host.disk.paths()).toEqual([]);
    }
  }

  it("that fails once with an I/O error is a StateStorageError, or nothing is wrong; and all is removed", () => {
    let errors = 0;
    failing(EIO, 1, (error) => {
      if (error === null) return;
      errors++;
      expect(error).toBeInstanceOf(StateStorageError);
      expect((error as StateStorageError).code).toBe("io");
    });
    expect(errors).toBeGreaterThan(POINTS / 2);
  });

  it("that is broken for good is a StateStorageError; giving up throws nothing", () => {
    failing(EIO, Infinity, (error, host) => {
      expect(error).toBeInstanceOf(StateStorageError);
      expect((error as StateStorageError).path.startsWith("/state")).toBe(true);
      // What is left then cannot be removed: a test of its own below.
      host.disk.failures = 0;
    });
  });

  it("that is broken while a backend is given up leaves files, and throws nothing", () => {
    const host = new Host(subject);
    const backend = host.open();
    touchAll(backend, capabilities, 0);
    snapshotOf(backend);
    host.disk.failFrom = 0;
    host.disk.failure = EIO;
    host.disk.failures = Infinity;
    backend.dispose();
    backend.dispose();
  });

  it("that is full is a StateStorageError that says so", () => {
    failing(ENOSPC, 1, (error) => {
      if (error === null) return;
      expect(error).toBeInstanceOf(StateStorageError);
      expect((error as StateStorageError).code).toBe("no-space");
    });
  });

  it("whose process dies lets that through", () => {
    const death = new ProcessDied("here");
    failing(death, Infinity, (error) => expect(error).toBe(death));
  });

  it("may read short: that is no end of data", () => {
    const { contents, section } = plain();
    for (const readLimitBytes of [1, 7, 4095]) {
      const host = new Host(subject);
      host.disk.readLimitBytes = readLimitBytes;
      const restored = script(host, () => {});
      expect(host.contents(restored)).toEqual(contents);
      expectBytes(snapshotOf(restored), section);
    }
  });

  it("keeps no file and no descriptor of a backend that was given up, snapshots in flight or not", () => {
    const host = new Host(subject);
    for (let round = 0; round < 3; round++) {
      const backend = host.open();
      touchAll(backend, capabilities, round);
      snapshotOf(backend);
      const writers = [backend.snapshot(), backend.checkpoint(7)];
      writers[0]!.step(1);
      touchAll(backend, capabilities, round + 1);
      if (backend.needsMaintenance) backend.maintain();
      backend.dispose();
    }
    expect([host.disk.paths(), host.disk.openDescriptors, host.disk.directoryPaths()]).toEqual([[], 0, ["/state"]]);
  });

  it("is not asked by inspection, which changes nothing that later calls do", () => {
    const run = (inspecting: boolean): readonly number[] => {
      const host = new Host(subject);
      const backend = host.open();
      const calls: number[] = [];
      for (let round = 0; round < 4; round++) {
        touchAll(backend, capabilities, round);
        if (round % 2 === 1) snapshotOf(backend);
        if (round === 2 && backend.needsMaintenance) backend.maintain();
        const before = host.disk.calls;
        if (inspecting) {
          expect(host.contents(backend).entries.length).toBeGreaterThan(0);
          host.contents(backend);
        }
        expect(host.disk.calls).toBe(before);
        calls.push(before);
      }
      return calls;
    };
    expect(run(true)).toEqual(run(false));
  });

  const itChecksums = capabilities.checksums ? it : null;
  itChecksums?.("that gives back damaged bytes is a StateStorageError, never wrong state", () => {
    const filled = (): { readonly host: Host; readonly backend: KeyedBackend } => {
      const host = new Host(subject);
      const backend = host.open();
      for (let round = 0; round < 3; round++) {
        touch(backend, round);
        snapshotOf(backend);
      }
      maintainFully(backend);
      return { host, backend };
    };
    const { host: whole, backend: undamaged } = filled();
    const section = snapshotOf(undamaged);
    const paths = whole.disk.paths();
    let recognised = 0;
    paths.forEach((path, place) => {
      const sizeBytes = whole.disk.sizeOf(path);
      const step = Math.max(1, Math.ceil(sizeBytes / Math.ceil(DAMAGED_BYTES / paths.length)));
      for (let at = (place * 31) % step; at < sizeBytes; at += step) {
        const { host, backend } = filled();
        expect(host.disk.paths()).toEqual(paths);
        host.disk.damage(path, at, 1 << (at % 8));
        try {
          expectBytes(snapshotOf(backend), section);
          readBack(backend);
        } catch (error) {
          if (!(error instanceof StateStorageError)) throw error;
          expect(error.code).toBe("corrupt");
          recognised++;
        }
        backend.dispose();
      }
    });
    // Not everything is read again; but something is.
    expect(recognised).toBeGreaterThan(0);
  });

  function readBack(backend: KeyedBackend): void {
    bindSample(backend, capabilities);
    for (let key = 0; key < KEYS.length; key++) {
      backend.setCurrentKey(`key-${key}`);
      backend.bind(listState<string>("events")).state.get();
      backend.bind(valueState<number>("counts")).state.value();
    }
  }
}

/** Collects what nothing refers to. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

export function memoryTests(subject: BackendUnderTest): void {
  describe("opened and given up again and again", () => {
    it("leave no memory behind", () => {
      const collect = collector();
      const used = (): number => {
        // The memory behind arrays is swept beside the program: the next collection waits for that.
        for (let i = 0; i < 3; i++) collect();
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        return heapUsed + arrayBuffers;
      };
      const host = new Host(subject);
      const cycle = (): void => {
        const backend = host.open({ roomy: true });
        const { state } = backend.bind(valueState<Uint8Array>("v"));
        for (let key = 0; key < 64; key++) {
          backend.setCurrentKey(key);
          state.update(new Uint8Array(2048).fill(key));
        }
        backend.snapshot().step(1);
        const restored = host.restored([snapshotOf(backend)], { roomy: true });
        for (const one of [backend, restored]) one.dispose();
      };
      for (let i = 0; i < 15; i++) cycle();
      const before = used();
      for (let i = 0; i < 50; i++) cycle();
      // Each cycle held 256 KiB at least: what it leaves is a small part of one, if it leaves anything.
      expect(used() - before).toBeLessThan(50 * 256 * 1024 * 0.2);
    });
  });
}
