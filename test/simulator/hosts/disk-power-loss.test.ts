import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Disk } from "#whitewater/engine/ports/disk.js";
import { EIO } from "#whitewater/engine/ports/disk.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import type { DiskProfile } from "#whitewater/simulator/hosts/disk-survivors.js";
import { SimulatedDisk } from "#whitewater/simulator/hosts/simulated-disk.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import { bytesOf, FakeKernel, textOf } from "./fake-kernel.ts";

const SECTOR = 512;

function host(profile: DiskProfile, seed: number) {
  const kernel = new FakeKernel();
  const stream = new RandomStreams(String(seed)).stream("disk");
  kernel.stream = (): RandomStream => stream;
  const process = kernel.process("worker");
  const disk = new SimulatedDisk(kernel, process.host, profile);
  return { kernel, disk, port: disk.portFor(process) };
}

function put(port: Disk, path: string, bytes: Uint8Array, sync: boolean): void {
  const descriptor = port.open(path, "create");
  port.write(descriptor, bytes, 0, bytes.length, 0);
  if (sync) port.fsync(descriptor);
  port.close(descriptor);
}

function writeAt(port: Disk, path: string, bytes: Uint8Array, position: number, sync = false): void {
  const descriptor = port.open(path, "write");
  expect(port.write(descriptor, bytes, 0, bytes.length, position)).toBe(bytes.length);
  if (sync) port.fsync(descriptor);
  port.close(descriptor);
}

const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);

/** What each of so many seeds leaves of a story, as a set of texts. */
function outcomes(profile: DiskProfile, tell: (port: Disk) => void, look: (disk: SimulatedDisk) => string, seeds = 400): Set<string> {
  const seen = new Set<string>();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { disk, port } = host(profile, seed);
    tell(port);
    disk.powerLoss();
    seen.add(look(disk));
  }
  return seen;
}

const names = (disk: SimulatedDisk): string => disk.inspect().map(({ path }) => path).join(" ");
/** The first byte of each sector of /f, as digits; "!" for a sector of mixed bytes, "-" for no file. */
const sectors = (disk: SimulatedDisk): string => {
  const bytes = disk.peek("/f");
  if (bytes === null) return "-";
  let text = "";
  for (let at = 0; at < bytes.length; at += SECTOR) {
    const sector = bytes.subarray(at, at + SECTOR);
    text += sector.every((byte) => byte === sector[0]) ? String(sector[0]) : "!";
  }
  return text;
};

describe.each(["ordered", "adversarial"] as const)("a power loss of an %s disk", (profile) => {
  it("tears a write at sectors, into any subset of them, and nowhere else", () => {
    const seen = outcomes(
      profile,
      (port) => {
        put(port, "/f", filled(1, 3 * SECTOR), true);
        port.fsyncDirectory("/");
        writeAt(port, "/f", filled(2, 3 * SECTOR), 0);
      },
      sectors,
    );
    expect([...seen].sort()).toEqual(["111", "112", "121", "122", "211", "212", "221", "222"]);
  });

  it("never touches what was synced, and leaves nothing unsynced behind", () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.tuple(fc.nat(9), fc.nat(3)), { maxLength: 12 }), (seed, writes) => {
        const { disk, port } = host(profile, seed);
        put(port, "/f", filled(1, 10 * SECTOR), true);
        port.fsyncDirectory("/");
        for (const [sector, sync] of writes) writeAt(port, "/f", filled(2, SECTOR), sector * SECTOR, sync === 0);
        const synced = writes.flatMap(([sector], index) => (writes.slice(index).some(([, sync]) => sync === 0) ? [sector] : []));
        disk.powerLoss();
        const after = sectors(disk);
        for (let i = 0; i < 10; i += 1) {
          const possible = synced.includes(i) ? "2" : writes.some(([sector]) => sector === i) ? "12" : "1";
          expect(possible).toContain(after.charAt(i));
        }
        disk.powerLoss();
        expect(sectors(disk)).toBe(after);
      }),
      { numRuns: 200 },
    );
  });

  it("keeps what it keeps: the same stream gives the same outcome", () => {
    const run = (seed: number): string => {
      const { disk, port } = host(profile, seed);
      for (let i = 0; i < 6; i += 1) put(port, `/f${i}`, filled(i, 4 * SECTOR), i % 2 === 0);
      port.rename("/f1", "/f2");
      disk.powerLoss();
      return JSON.stringify(disk.inspect().map(({ path }) => [path, Array.from(disk.peek(path) ?? [])]));
    };
    const runs = [1, 2, 3, 4, 5, 6, 7, 8].map(run);
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(run)).toEqual(runs);
    expect(new Set(runs).size).toBeGreaterThan(3);
  });

  it("loses the pages of a failed fsync, which are read until then and which no later fsync writes", () => {
    const kept = new Set<string>();
    for (let seed = 1; seed <= 100; seed += 1) {
      const { kernel, disk, port } = host(profile, seed);
      put(port, "/f", filled(1, 2 * SECTOR), true);
      port.fsyncDirectory("/");
      const descriptor = port.open("/f", "write");
      port.write(descriptor, filled(2, SECTOR), 0, SECTOR, 0);
      kernel.arm(PORT_TRACE.diskSynced, { kind: "disk-fsync-failure" });
      expect(port.fsync(descriptor)).toBe(EIO);
      expect(sectors(disk)).toBe("21");
      expect(disk.inspect()[0]?.unsyncedBytes).toBe(0);
      port.write(descriptor, filled(3, SECTOR), 0, SECTOR, SECTOR);
      expect(port.fsync(descriptor)).toBe(0);
      expect(sectors(disk)).toBe("23");
      disk.powerLoss();
      kept.add(sectors(disk));
    }
    expect([...kept].sort()).toEqual(["13", "23"]);
  });
});

describe("an ordered disk", () => {
  it("keeps a prefix of all changes of names, in whatever directory", () => {
    const seen = outcomes(
      "ordered",
      (port) => {
        port.makeDirectory("/a");
        port.makeDirectory("/b");
        port.fsyncDirectory("/");
        put(port, "/a/1", filled(1, 1), true);
        put(port, "/b/2", filled(1, 1), false);
        port.rename("/a/1", "/b/3");
        put(port, "/a/4", filled(1, 1), false);
      },
      names,
    );
    expect([...seen].sort()).toEqual(["/a /a/1 /b", "/a /a/1 /b /b/2", "/a /a/4 /b /b/2 /b/3", "/a /b /b/2 /b/3"]);
  });

  it("commits all earlier names with any fsync that has something to do", () => {
    const seen = outcomes(
      "ordered",
      (port) => {
        put(port, "/1", filled(1, 1), false);
        put(port, "/2", filled(1, 1), true);
        put(port, "/3", filled(1, 1), false);
      },
      names,
    );
    expect([...seen].sort()).toEqual(["/1 /2", "/1 /2 /3"]);
  });

  it("never makes a file longer than its data: appended sectors are there or the file is shorter", () => {
    const seen = outcomes(
      "ordered",
      (port) => {
        put(port, "/f", filled(1, SECTOR), true);
        for (let i = 1; i <= 3; i += 1) writeAt(port, "/f", filled(1 + i, SECTOR), i * SECTOR);
      },
      sectors,
    );
    expect([...seen].sort()).toEqual(["1", "12", "123", "1234"]);
  });

  it("writes in place in any order, but each sector as it was at some moment", () => {
    const tell = (port: Disk): void => {
      put(port, "/f", filled(1, 2 * SECTOR), true);
      writeAt(port, "/f", filled(2, SECTOR / 2), 0);
      writeAt(port, "/f", filled(3, SECTOR / 2), SECTOR / 2);
      writeAt(port, "/f", filled(4, SECTOR), SECTOR);
    };
    const look = (disk: SimulatedDisk): string => {
      const bytes = disk.peek("/f") ?? new Uint8Array(0);
      return [0, SECTOR / 2, SECTOR].map((at) => bytes[at]).join("");
    };
    expect([...outcomes("ordered", tell, look)].sort()).toEqual(["111", "114", "211", "214", "231", "234"]);
    // All that POSIX permits: the later half of the sector without the earlier.
    expect([...outcomes("adversarial", tell, look)].sort()).toContain("131");
  });

  it("shows in every sector what the file held there at some moment, whatever was written, cut off and grown", () => {
    const change = fc.record({ cut: fc.nat(4), position: fc.nat(4 * SECTOR), length: fc.integer({ min: 1, max: 2 * SECTOR }) });
    fc.assert(
      fc.property(fc.nat(), fc.array(change, { minLength: 1, maxLength: 8 }), (seed, changes) => {
        const { disk, port } = host("ordered", seed);
        put(port, "/f", filled(1, 2 * SECTOR + 100), true);
        const descriptor = port.open("/f", "write");
        const moments = [disk.peek("/f") ?? new Uint8Array(0)];
        changes.forEach(({ cut, position, length }, index) => {
          if (cut === 0) port.truncate(descriptor, position);
          else port.write(descriptor, filled(2 + index, length), 0, length, position);
          moments.push(disk.peek("/f") ?? new Uint8Array(0));
        });
        disk.powerLoss();
        const after = disk.peek("/f") ?? new Uint8Array(0);
        for (let from = 0; from < after.length; from += SECTOR) {
          const to = Math.min(after.length, from + SECTOR);
          const isAsAt = (moment: Uint8Array): boolean => {
            for (let at = from; at < to; at += 1) if (after[at] !== (moment[at] ?? 0)) return false;
            return true;
          };
          expect(moments.some(isAsAt), `sector at ${from}`).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("leaves the old contents, nothing, or the new ones up to a sector where a file was emptied and written anew", () => {
    const seen = outcomes(
      "ordered",
      (port) => {
        put(port, "/f", filled(1, 3 * SECTOR), true);
        put(port, "/f", filled(2, 2 * SECTOR), false);
      },
      sectors,
    );
    expect([...seen].sort()).toEqual(["", "111", "2", "22"]);
  });
});

describe("an adversarial disk", () => {
  it("keeps any subset of the writes to a file, and any growth without the data", () => {
    const seen = outcomes(
      "adversarial",
      (port) => {
        put(port, "/f", filled(1, SECTOR), true);
        port.fsyncDirectory("/");
        for (let i = 1; i <= 2; i += 1) writeAt(port, "/f", filled(1 + i, SECTOR), i * SECTOR);
      },
      sectors,
    );
    expect([...seen].sort()).toEqual(["1", "10", "100", "103", "12", "120", "123"]);
  });

  it("keeps any subset of the changes of different names, and a prefix of those of one", () => {
    const seen = outcomes(
      "adversarial",
      (port) => {
        put(port, "/a", filled(1, 1), true);
        port.fsyncDirectory("/");
        port.unlink("/a");
        put(port, "/b", filled(1, 1), true);
        port.rename("/b", "/c");
      },
      names,
    );
    expect([...seen].sort()).toEqual(["", "/a", "/a /b", "/a /c", "/b", "/c"]);
  });

  it("never loses a synced file that was only moved, whatever happened to the directories around it", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("make"), at: fc.constantFrom("/d", "/e", "/d/x", "/e/x") }),
      fc.record({ do: fc.constant("remove"), at: fc.constantFrom("/d", "/e", "/d/x", "/e/x") }),
      fc.record({ do: fc.constant("sync"), at: fc.constantFrom("/", "/d", "/e", "/d/x") }),
      fc.record({ do: fc.constant("file"), at: fc.constantFrom("/f", "/d/f", "/e/f", "/d/g") }),
      fc.record({
        do: fc.constant("move"),
        at: fc.constantFrom("/f", "/d/f", "/e/f", "/d/x/f", "/d", "/e", "/d/x", "/e/x"),
        to: fc.constantFrom("/f", "/d/f", "/e/f", "/d/x/f", "/d", "/e", "/d/x", "/e/x"),
      }),
    );
    fc.assert(
      fc.property(fc.nat(), fc.array(step, { minLength: 3, maxLength: 25 }), (seed, steps) => {
        const { disk, port } = host("adversarial", seed);
        put(port, "/f", bytesOf("kept"), true);
        port.fsyncDirectory("/");
        const kept = (): string | undefined => disk.inspect().find(({ path }) => isKept(path))?.path;
        const isKept = (path: string): boolean => textOf(disk.peek(path) ?? new Uint8Array(0)) === "kept";
        for (const one of steps) {
          if (one.do === "make") port.makeDirectory(one.at);
          else if (one.do === "remove") port.removeDirectory(one.at);
          else if (one.do === "sync") port.fsyncDirectory(one.at);
          else if (one.do === "file" && kept() !== one.at) put(port, one.at, bytesOf("other"), false);
          else if ("to" in one && kept() !== one.to) port.rename(one.at, one.to);
        }
        expect(kept()).toBeDefined();
        disk.powerLoss();
        expect(kept()).toBeDefined();
      }),
      { numRuns: 3000 },
    );
  });
});
