import { describe, expect, it } from "vitest";
import type { Disk } from "#whitewater/engine/ports/disk.js";
import { DISK_OK } from "#whitewater/engine/ports/disk.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import { DISKS, died, Machine, type MakeDisk } from "../../../simulator/hosts/doomed-machine.ts";
import { engine, keyOf, openStore, rowsOf, valueOf } from "./store-fixture.ts";

const ROUNDS = 5;
const ROWS = 30;

/** A disk that forgets one kind of promise. */
function without(disk: Disk, kind: "fsync" | "fsyncDirectory" | "none"): Disk {
  if (kind === "none") return disk;
  return new Proxy(disk, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name === kind) return () => DISK_OK;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Rounds of writes and flushes until the process dies; null, or what is wrong with what the next one finds. */
function verdictOf(make: MakeDisk, seed: number, missing: "fsync" | "fsyncDirectory" | "none"): string | null {
  const machine = new Machine(make, seed);
  const { random } = machine;
  const states = [""];
  let flushed = 0;
  machine.dieAtCall(1 + random.below(220));
  let port = without(machine.port(), missing);
  died(() => {
    const store = openStore(port, { writeBufferBytes: 1500, cacheBytes: 8192 });
    for (let round = 1; round <= ROUNDS; round++) {
      for (let i = 0; i < ROWS; i++) {
        if (random.below(3) > 0) store.put(keyOf(i), valueOf(round, 100 + random.below(300)));
        else if (random.below(3) === 0) store.delete(keyOf(i));
      }
      states[round] = JSON.stringify(rowsOf(store));
      store.flush();
      flushed = round;
    }
  });
  engine.abandon(port);
  machine.powerLoss();
  port = machine.port();
  try {
    const store = openStore(port, { storeId: "next" });
    const found = JSON.stringify(rowsOf(store));
    store.put(keyOf(1), valueOf(9));
    store.flush();
    store.destroy();
    const round = found === "[]" ? 0 : states.indexOf(found);
    if (round < 0) return "a state that was never flushed";
    return round < flushed ? `flush ${flushed} had returned, ${round} is there` : null;
  } catch (error) {
    if (!(error instanceof StateStorageError)) throw error;
    engine.abandon(port);
    return error.message;
  }
}

function verdicts(make: MakeDisk, seeds: number, missing: "fsync" | "fsyncDirectory" | "none"): string[] {
  const wrong: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const verdict = verdictOf(make, seed, missing);
    if (verdict !== null) wrong.push(`seed ${seed}: ${verdict}`);
  }
  return wrong;
}

describe.each(DISKS)("what a SQLite store flushed (%s disk)", (_name, make) => {
  it("survives a power loss at any disk call, whole", () => {
    expect(verdicts(make, 300, "none")).toEqual([]);
    expect(engine.openFiles).toBe(0);
  });

  it.each(["fsync", "fsyncDirectory"] as const)("does not survive without %s: the test can see it", (missing) => {
    expect(verdicts(make, 40, missing)).not.toEqual([]);
  });
});
