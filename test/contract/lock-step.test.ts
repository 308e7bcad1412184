import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LockStep } from "./lock-step-run.ts";
import type { Operation } from "./lock-step-run.ts";
import { registeredBackends } from "./registered-backends.ts";

/** More by hand: WHITEWATER_LOCK_STEP_RUNS=5000 npx vitest run test/contract/lock-step.test.ts */
const RUNS = Number(process.env["WHITEWATER_LOCK_STEP_RUNS"] ?? 100);

/** Mostly the same few places: it takes several changes of one to tell backends apart. */
const place = {
  key: fc.oneof({ weight: 4, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(7) }),
  namespace: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) }),
};
const item = fc.nat(9);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("update", "clear-value"), ...place, item }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("add", "add-all", "replace", "clear-list"), ...place, item }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("put", "put", "remove", "clear-map"), ...place, item }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("fold", "fold", "clear-folds", "merge"), ...place, item }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("ttl-write", "ttl-write", "ttl-read", "ttl-clear"), ...place, item }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("register", "register", "unregister"), ...place, item, domain: fc.constantFrom(0, 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("poll"), domain: fc.constantFrom(0, 1), item }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("watermark", "pass-time", "maintain"), item }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("begin"), canonical: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("step", "step", "finish", "cancel"), flight: fc.nat(2), item }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("complete", "abort"), saved: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash"), saved: fc.nat(3), parallelism: fc.integer({ min: 1, max: 3 }) }) },
);

describe("all backends in lock-step", () => {
  it("read what the model holds, and write equal sections of it, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 120, size: "max" }), (operations) => {
        const run = new LockStep(registeredBackends);
        for (const one of operations) run.apply(one);
        run.end();
      }),
      { numRuns: RUNS },
    );
  });

  it("see a backend that forgets, whatever forgets", () => {
    const [heap] = registeredBackends;
    const forgetful = {
      ...heap!,
      name: "forgetful",
      open: (options: Parameters<NonNullable<typeof heap>["open"]>[0]) => {
        const backend = heap!.open(options);
        return Object.assign(backend, { snapshot: () => heap!.open(options).snapshot() });
      },
    };
    const run = new LockStep([heap!, forgetful]);
    run.apply({ kind: "update", key: 1, namespace: 0, item: 3 });
    run.apply({ kind: "begin", canonical: true });
    expect(() => run.apply({ kind: "finish", flight: 0, item: 1 })).toThrow();
  });
});
