import { CheckpointsCleaner } from "#whitewater/engine/checkpoint/checkpoints-cleaner.js";
import { expect, test } from "vitest";

test("a checkpoint counts as being deleted until the last of its parts is settled", () => {
  const seen: number[] = [];
  const cleaner: CheckpointsCleaner = new CheckpointsCleaner(() => seen.push(cleaner.cleaning));
  const settle: (() => void)[] = [];
  cleaner.clean(["a", "b"], (_part, done) => settle.push(done));
  cleaner.clean(["c"], (_part, done) => settle.push(done));
  expect(cleaner.cleaning).toBe(2);
  settle[0]?.();
  expect(cleaner.cleaning).toBe(2);
  settle[2]?.();
  settle[1]?.();
  expect(seen).toEqual([1, 0]);
});

test("a checkpoint without files is gone at once", () => {
  const cleaner = new CheckpointsCleaner(() => expect.unreachable("nothing was deleted"));
  cleaner.clean([], () => expect.unreachable("there is nothing to delete"));
  expect(cleaner.cleaning).toBe(0);
});
