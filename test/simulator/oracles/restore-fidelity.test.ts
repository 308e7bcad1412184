import { afterEach, describe, expect, test, vi } from "vitest";
import { CompletedStore } from "#whitewater/engine/checkpoint/completed-store.js";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { valueState } from "#whitewater/engine/state/descriptors.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import { restoreFidelityOracle } from "#whitewater/simulator/oracles/restore-fidelity.js";
import { firstDifference, timerDifference } from "#whitewater/simulator/oracles/state-differences.js";
import { crashAt, crashOf, WatchedWorld } from "./watched-world.js";

const CRASH = { scenario: "timers", plan: [crashOf("silences -> silent-devices[0]", 6)] } as const;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs with a crash and a backend that does this after each restore. */
function withBackend(afterRestore: (backend: HeapKeyedBackend) => void): string {
  const restore = HeapKeyedBackend.prototype.restore;
  vi.spyOn(HeapKeyedBackend.prototype, "restore").mockImplementation(function (this: HeapKeyedBackend, sections) {
    restore.call(this, sections);
    afterRestore(this);
  });
  return new WatchedWorld(restoreFidelityOracle, CRASH).runUntil(12_000_000).findings[0] ?? "nothing";
}

test.each([
  ["timers", "heartbeats[1]"],
  ["word-count", "words[0]"],
  ["flights", "flights[0]"],
])("%s restores what it recorded, and from the latest checkpoint", (scenario, subtask) => {
  const plan = [crashOf(subtask, 6), crashAt("jm-1", 15_000_000)];
  expect(new WatchedWorld(restoreFidelityOracle, { scenario, plan }).verdict()).toBe("nothing");
});

describe("what is not as recorded is named", () => {
  test("an entry that is gone", () => {
    const found = withBackend((backend) => {
      const entry = backend.entries().find(({ state }) => state === "span");
      if (entry === undefined) return;
      const span = backend.bind(valueState("span"));
      backend.setCurrentKey(entry.key);
      span.setNamespace(entry.namespace);
      span.state.clear();
    });
    expect(found).toMatch(/^silences.*\[\d\], attempt \d+, restored from checkpoint \d+: "silences": span of "device-\d+" is missing, recorded is \[/);
  });

  test("a timer too many", () => {
    const found = withBackend((backend) => {
      const [entry] = backend.entries();
      if (entry === undefined) return;
      backend.setCurrentKey(entry.key);
      backend.timers().register(0, "", 99_999);
    });
    expect(found).toMatch(/: the timer of "device-\d+" at 99999 is not recorded of event time$/);
  });

  test("a watermark that begins anew", () => {
    const found = withBackend((backend) => {
      backend.watermarkMs = Number.MIN_SAFE_INTEGER;
    });
    expect(found).toMatch(/: the watermark is -9007199254740991, recorded is \d+$/);
  });

  test("state that cannot be read back: the oracle's own error is no failure of the task", () => {
    vi.spyOn(HeapKeyedBackend.prototype, "entries").mockImplementation(() => {
      throw new StateStorageError("corrupt", "/1.table", "fails its checksum");
    });
    const { world } = new WatchedWorld(restoreFidelityOracle, CRASH).runUntil(12_000_000);
    expect(String(world.kernel.crash?.error)).toContain("a listener failed: StateStorageError: /1.table: fails its checksum");
  });

  test("offsets that are not restored", () => {
    vi.spyOn(OperatorStateBackend.prototype, "restore").mockImplementation(() => undefined);
    const { findings } = new WatchedWorld(restoreFidelityOracle, CRASH).runUntil(12_000_000);
    expect(findings[0]).toMatch(/^heartbeats\[\d\], .*: "heartbeats": list "offsets" is none, recorded is \[\{/);
  });

  test("a leader that goes back to the checkpoint before the latest", () => {
    const retained = Object.getOwnPropertyDescriptor(CompletedStore.prototype, "retained")?.get;
    vi.spyOn(CompletedStore.prototype, "retained", "get").mockImplementation(function (this: CompletedStore) {
      const all = retained?.call(this) as CompletedStore["retained"];
      const asked = new Error("who asks").stack ?? "";
      return asked.includes("RestorePoint.current") ? all.slice(0, 1) : all;
    });
    const plan = [crashOf("words[0]", 6)];
    const { findings } = new WatchedWorld(restoreFidelityOracle, { scenario: "word-count", plan }).runUntil(9_000_000);
    expect(findings[0]).toBe("attempt 4098 starts from checkpoint 4, but the latest completed is checkpoint 5");
  });
});

test("two sets of entries differ in a value, a key on one side, or a key twice", () => {
  const entry = (key: string | number, value: unknown): Parameters<typeof firstDifference>[0][number] => ({ state: "s", key, namespace: "", value });
  expect(firstDifference([entry("a", { x: -0 })], [entry("a", { x: -0 })])).toBeNull();
  expect(firstDifference([entry("a", 0)], [entry("a", -0)])).toBe('s of "a" is 0, recorded is 0');
  expect(firstDifference([entry(1, 1)], [entry("1", 1)])).toBe("s of 1 is missing, recorded is 1");
  expect(firstDifference([], [entry("a", 1)])).toBe('s of "a" is 1, recorded is none');
  expect(firstDifference([entry("a", 1)], [entry("a", 1), entry("a", 1)])).toBe("an entry is there twice");
});

test("two sets of timers differ in a timer on one side", () => {
  const timer = (key: string, timestampMs: number): Parameters<typeof timerDifference>[0][number] => ({ key, namespace: "", timestampMs });
  expect(timerDifference([timer("a", 1), timer("b", 1)], [timer("b", 1), timer("a", 1)])).toBeNull();
  expect(timerDifference([timer("a", 1)], [timer("a", 2)])).toBe('the timer of "a" at 1 is missing');
  expect(timerDifference([], [timer("a", 2)])).toBe('the timer of "a" at 2 is not recorded');
});
