import { afterEach, describe, expect, test, vi } from "vitest";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { restoreEveryOracle } from "#whitewater/simulator/oracles/restore-every.js";
import { crashOf, WatchedWorld } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test.each(["word-count", "timers"])("each checkpoint of %s would have done, also after a crash", (scenario) => {
  const subtask = scenario === "timers" ? "heartbeats[0]" : "words[0]";
  expect(new WatchedWorld(restoreEveryOracle, { scenario, plan: [crashOf(subtask, 6)] }).verdict()).toBe("nothing");
});

describe("what no run without a failure shows is named", () => {
  test("state that does not come back", () => {
    const restore = HeapKeyedBackend.prototype.restore;
    vi.spyOn(HeapKeyedBackend.prototype, "restore").mockImplementation(function (this: HeapKeyedBackend, pieces) {
      if (this.range.start === 0) restore.call(this, []);
      else restore.call(this, pieces);
    });
    const found = new WatchedWorld(restoreEveryOracle).verdict();
    expect(found).toMatch(/^restored from checkpoint 1 in a fresh cluster, counts: key ".*", record \d+: expected \{.*\}, got /);
  });

  test("offsets that do not come back", () => {
    vi.spyOn(OperatorStateBackend.prototype, "restore").mockImplementation(() => undefined);
    expect(new WatchedWorld(restoreEveryOracle).verdict()).toMatch(/^restored from checkpoint \d+ in a fresh cluster, /);
  });
});
