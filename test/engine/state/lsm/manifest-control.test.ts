import { describe, expect, it } from "vitest";
import type { Disk, DiskResult } from "#whitewater/engine/ports/disk.js";
import { DISK_OK } from "#whitewater/engine/ports/disk.js";
import { ProcessDied } from "#whitewater/engine/ports/process-ports.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import type { DiskProfile } from "#whitewater/simulator/hosts/disk-survivors.js";
import { SimulatedDisk } from "#whitewater/simulator/hosts/simulated-disk.js";
import { FakeKernel } from "../../../simulator/hosts/fake-kernel.ts";
import { randomStream } from "../random-stream.ts";
import { bytes, modelRows, rows, tiny } from "./store-fixture.ts";

/** A disk that can lose its power; what survives is drawn from the stream. */
interface FragileDisk {
  /** The disk for one more process. */
  port(): Disk;
  powerLoss(): void;
}

type FragileDiskMaker = (random: RandomStream) => FragileDisk;

function simulatedDisk(random: RandomStream, profile: DiskProfile): FragileDisk {
  const kernel = new FakeKernel();
  const { host } = kernel.process("worker");
  const disk = new SimulatedDisk(kernel, host, profile);
  let incarnation = 0;
  return {
    port: () => {
      incarnation += 1;
      return disk.portFor(kernel.process("worker", incarnation, host));
    },
    powerLoss: () => {
      kernel.stream = () => random;
      disk.powerLoss();
    },
  };
}

/** Which fsync a broken machine swallows. */
type Swallowed = "none" | "table" | "manifest" | "directory";

/** Dies before a call that is drawn, and forgets one kind of fsync. */
class DyingDisk implements Disk {
  calls = 0;
  private readonly disk: Disk;
  private readonly diesAt: number;
  private readonly swallowed: Swallowed;
  private readonly paths: Map<number, string> = new Map();

  constructor(disk: Disk, diesAt: number, swallowed: Swallowed) {
    this.disk = disk;
    this.diesAt = diesAt;
    this.swallowed = swallowed;
  }

  open(path: string, mode: "read" | "write" | "create"): DiskResult {
    this.live();
    const descriptor = this.disk.open(path, mode);
    this.paths.set(descriptor, path);
    return descriptor;
  }

  read(descriptor: number, target: Uint8Array, offset: number, length: number, position: number): DiskResult {
    this.live();
    return this.disk.read(descriptor, target, offset, length, position);
  }

  write(descriptor: number, source: Uint8Array, offset: number, length: number, position: number): DiskResult {
    this.live();
    return this.disk.write(descriptor, source, offset, length, position);
  }

  truncate(descriptor: number, size: number): DiskResult {
    this.live();
    return this.disk.truncate(descriptor, size);
  }

  size(descriptor: number): DiskResult {
    this.live();
    return this.disk.size(descriptor);
  }

  fsync(descriptor: number): DiskResult {
    this.live();
    const kind = this.paths.get(descriptor)?.endsWith(".table") === true ? "table" : "manifest";
    return kind === this.swallowed ? DISK_OK : this.disk.fsync(descriptor);
  }

  close(descriptor: number): DiskResult {
    this.live();
    return this.disk.close(descriptor);
  }

  makeDirectory(path: string): DiskResult {
    this.live();
    return this.disk.makeDirectory(path);
  }

  fsyncDirectory(path: string): DiskResult {
    this.live();
    return this.swallowed === "directory" ? DISK_OK : this.disk.fsyncDirectory(path);
  }

  rename(from: string, to: string): DiskResult {
    this.live();
    return this.disk.rename(from, to);
  }

  link(existing: string, added: string): DiskResult {
    this.live();
    return this.disk.link(existing, added);
  }

  unlink(path: string): DiskResult {
    this.live();
    return this.disk.unlink(path);
  }

  removeDirectory(path: string): DiskResult {
    this.live();
    return this.disk.removeDirectory(path);
  }

  list(path: string): readonly string[] | DiskResult {
    this.live();
    return this.disk.list(path);
  }

  private live(): void {
    this.calls += 1;
    if (this.calls === this.diesAt) throw new ProcessDied("the power went");
  }
}

/** What a store may hold after the power came back: what the last flush promised, or the one under way. */
class Promised {
  flushed: readonly string[] = [];
  flushing: readonly string[] | null = null;

  holds(found: readonly string[]): boolean {
    const text = found.join();
    return text === this.flushed.join() || (this.flushing !== null && text === this.flushing.join());
  }
}

/** Writes, flushes, snapshots and compacts until the power goes. */
function work(disk: Disk, random: RandomStream, promised: Promised, rounds: number): void {
  const model = new Map<string, string>();
  const store = tiny(disk);
  for (const row of rows(store)) model.set(row.slice(0, row.indexOf("=")), row.slice(row.indexOf("=") + 1));
  for (let round = 0; round < rounds; round++) {
    for (let i = 10 + random.below(60); i > 0; i--) {
      const key = `k${random.below(100)}`;
      if (random.below(4) === 0) {
        store.delete(bytes(key));
        model.delete(key);
      } else {
        const value = `${round}-${i}-${"v".repeat(random.below(60))}`;
        store.put(bytes(key), bytes(value));
        model.set(key, value);
      }
      if (random.below(3) === 0 && store.needsMaintenance) store.maintain();
    }
    promised.flushing = modelRows(model);
    if (random.below(4) > 0) store.flush();
    else store.snapshotFiles(round).close();
    promised.flushed = promised.flushing;
    promised.flushing = null;
  }
  store.close();
}

/** Two lives of a store, each ended by a power loss at a random call; what went wrong, or null. */
function trial(seed: number, make: FragileDiskMaker, swallowed: Swallowed): string | null {
  const random = randomStream(seed);
  const fragile = make(random);
  const promised = new Promised();
  try {
    for (let life = 0; life < 2; life++) {
      const disk = new DyingDisk(fragile.port(), 1 + random.below(700), swallowed);
      try {
        work(disk, random, promised, 6);
      } catch (error) {
        if (!(error instanceof ProcessDied)) throw error;
      }
      fragile.powerLoss();
      const store = tiny(fragile.port());
      const found = rows(store);
      if (!promised.holds(found)) return `seed ${seed}: ${found.length} rows, ${promised.flushed.length} were flushed`;
      promised.flushed = found;
      promised.flushing = null;
      store.close();
    }
  } catch (error) {
    if (!(error instanceof StateStorageError)) throw error;
    return `seed ${seed}: ${error.code} ${error.message}`;
  }
  return null;
}

const DISKS: readonly [string, FragileDiskMaker][] = [
  ["of the ordered profile", (random) => simulatedDisk(random, "ordered")],
  ["of the adversarial profile", (random) => simulatedDisk(random, "adversarial")],
];

describe.each(DISKS)("power loss at a random call, on a disk %s", (_name, make) => {
  it("loses nothing that was flushed and tears nothing, over 300 seeds", () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= 300; seed++) {
      const found = trial(seed, make, "none");
      if (found !== null) wrong.push(found);
    }
    expect(wrong).toEqual([]);
  });

  it.each(["table", "manifest", "directory"] as const)("is found within 20 seeds if no %s is ever synced", (swallowed) => {
    let found: string | null = null;
    for (let seed = 1; seed <= 20 && found === null; seed++) found = trial(seed, make, swallowed);
    expect(found).not.toBeNull();
  });
});
