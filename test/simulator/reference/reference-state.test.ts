import fc from "fast-check";
import { expect, test } from "vitest";
import { valueState } from "#whitewater/engine/state/descriptors.js";
import { ttlConfig } from "#whitewater/engine/state/ttl-config.js";
import { ReferenceKeyedState } from "#whitewater/simulator/reference/reference-state.js";
import { TtlBench } from "../../engine/state/ttl-bench.ts";

test("a value with a time to live reads as the engine's does, and is there for as long", () => {
  const action = fc.record({
    afterMs: fc.nat(70),
    key: fc.constantFrom("a", "b"),
    what: fc.constantFrom("read", "read", "write", "clear", "write null"),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), fc.boolean(), (actions, refreshes) => {
      const bench = new TtlBench();
      const ttl = ttlConfig({ ttlMs: 100, cleanupIncrementally: 0, update: refreshes ? "on-read-and-write" : "on-create-and-write" });
      const descriptor = valueState<number>("v", -1, { ttl });
      const real = bench.bind(descriptor);
      const reference = new ReferenceKeyedState(() => bench.nowMs);
      const model = reference.bind(descriptor);
      actions.forEach(({ afterMs, key, what }, index) => {
        bench.nowMs += afterMs;
        bench.backend.setCurrentKey(key);
        reference.setCurrentKey(key);
        for (const state of [real, model]) {
          if (what === "write") state.update(index);
          else if (what === "write null") state.update(null);
          else if (what === "clear") state.clear();
        }
        if (what === "read") expect(model.value()).toBe(real.value());
        const expected = [...reference.entriesByKey().values()].flat().map(({ key: of, value }) => [of, value]);
        const found = bench.backend.entries().map(({ key: of, value }) => [of, value]);
        expect(new Map(expected as [string, unknown][])).toEqual(new Map(found as [string, unknown][]));
      });
    }),
    { numRuns: 300 },
  );
});
