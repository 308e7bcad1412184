import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DISK_OK,
  EBADF,
  EEXIST,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
} from "#whitewater/engine/ports/disk.js";
import type { Disk, DiskResult, OpenMode } from "#whitewater/engine/ports/disk.js";
import { realDisk, simulatedDisk } from "./disk-kinds.ts";

const text = new TextDecoder();
const bytesOf = (words: string): Uint8Array => new TextEncoder().encode(words);

function put(disk: Disk, path: string, words: string): void {
  const descriptor = disk.open(path, "create");
  expect(descriptor).toBeGreaterThanOrEqual(0);
  expect(disk.write(descriptor, bytesOf(words), 0, words.length, 0)).toBe(words.length);
  expect(disk.close(descriptor)).toBe(DISK_OK);
}

/** A whole file, or the code of opening it. */
function content(disk: Disk, path: string): string | DiskResult {
  const descriptor = disk.open(path, "read");
  if (descriptor < 0) return descriptor;
  const bytes = new Uint8Array(disk.size(descriptor));
  const count = disk.read(descriptor, bytes, 0, bytes.length, 0);
  disk.close(descriptor);
  return text.decode(bytes.subarray(0, count));
}

describe.each([
  ["the simulated disk", simulatedDisk],
  ["a real directory", realDisk],
])("%s", (_name, make) => {
  it("opens for reading and writing only what exists, and creates or empties with create", () => {
    const { disk } = make();
    expect(disk.open("/f", "read")).toBe(ENOENT);
    expect(disk.open("/f", "write")).toBe(ENOENT);
    put(disk, "/f", "long");
    const writing = disk.open("/f", "write");
    expect(disk.write(writing, bytesOf("S"), 0, 1, 0)).toBe(1);
    expect(content(disk, "/f")).toBe("Song");
    const creating = disk.open("/f", "create");
    expect(disk.size(creating)).toBe(0);
    expect(disk.size(writing)).toBe(0);
    for (const each of [writing, creating]) disk.close(each);
  });

  it("reads through every descriptor and writes through none that is open for reading", () => {
    const { disk } = make();
    put(disk, "/f", "abc");
    const reading = disk.open("/f", "read");
    const writing = disk.open("/f", "write");
    expect(disk.write(reading, bytesOf("x"), 0, 1, 0)).toBe(EBADF);
    expect(disk.truncate(reading, 0)).toBe(EBADF);
    const target = new Uint8Array(3);
    expect(disk.read(writing, target, 0, 3, 0)).toBe(3);
    expect(text.decode(target)).toBe("abc");
    for (const each of [reading, writing]) expect(disk.close(each)).toBe(DISK_OK);
  });

  it("refuses descriptors that are not open, whatever is asked of them", () => {
    const { disk } = make();
    const descriptor = disk.open("/f", "create");
    expect(disk.close(descriptor)).toBe(DISK_OK);
    for (const closed of [descriptor, 100_000]) {
      expect(disk.read(closed, new Uint8Array(1), 0, 1, 0)).toBe(EBADF);
      expect(disk.write(closed, new Uint8Array(1), 0, 1, 0)).toBe(EBADF);
      expect(disk.truncate(closed, 0)).toBe(EBADF);
      expect(disk.size(closed)).toBe(EBADF);
      expect(disk.fsync(closed)).toBe(EBADF);
      expect(disk.close(closed)).toBe(EBADF);
    }
  });

  it("reads up to the end and nothing behind it, into the place asked for", () => {
    const { disk } = make();
    put(disk, "/f", "abcdef");
    const descriptor = disk.open("/f", "read");
    const target = bytesOf("........");
    expect(disk.read(descriptor, target, 2, 5, 3)).toBe(3);
    expect(text.decode(target)).toBe("..def...");
    expect(disk.read(descriptor, target, 0, 8, 6)).toBe(0);
    expect(disk.read(descriptor, target, 0, 8, 7000)).toBe(0);
    expect(disk.read(descriptor, target, 0, 0, 0)).toBe(0);
    disk.close(descriptor);
  });

  it("reads zeros where nothing was written, and after shrinking and growing again", () => {
    const { disk } = make();
    const descriptor = disk.open("/f", "create");
    expect(disk.write(descriptor, bytesOf("xxabxx"), 2, 2, 1030)).toBe(2);
    expect(content(disk, "/f")).toBe(`${"\0".repeat(1030)}ab`);
    expect(disk.truncate(descriptor, 1031)).toBe(DISK_OK);
    expect(disk.truncate(descriptor, 1033)).toBe(DISK_OK);
    expect(content(disk, "/f")).toBe(`${"\0".repeat(1030)}a\0\0`);
    expect(disk.write(descriptor, new Uint8Array(0), 0, 0, 5000)).toBe(0);
    expect(disk.size(descriptor)).toBe(1033);
    disk.close(descriptor);
  });

  it("renames over a file, which open descriptors of the old one survive", () => {
    const { disk } = make();
    put(disk, "/a", "new");
    put(disk, "/b", "old");
    const old = disk.open("/b", "read");
    expect(disk.rename("/a", "/b")).toBe(DISK_OK);
    expect([content(disk, "/a"), content(disk, "/b")]).toEqual([ENOENT, "new"]);
    const target = new Uint8Array(3);
    expect(disk.read(old, target, 0, 3, 0)).toBe(3);
    expect(text.decode(target)).toBe("old");
    disk.close(old);
    expect(disk.rename("/b", "/b")).toBe(DISK_OK);
  });

  it("renames directories with what they hold, onto empty ones too, but not into themselves", () => {
    const { disk } = make();
    for (const path of ["/d", "/e", "/full"]) expect(disk.makeDirectory(path)).toBe(DISK_OK);
    put(disk, "/d/f", "x");
    put(disk, "/full/f", "y");
    expect(disk.rename("/d", "/full")).toBe(ENOTEMPTY);
    expect(disk.rename("/d", "/d/e")).toBe(EINVAL);
    expect(disk.rename("/d", "/e")).toBe(DISK_OK);
    expect(disk.rename("/e", "/full/g")).toBe(DISK_OK);
    expect(content(disk, "/full/g/f")).toBe("x");
    expect(disk.list("/")).toEqual(["full"]);
    expect(disk.rename("/full", "/full/f")).toBe(EINVAL);
    expect(disk.rename("/full/f", "/full")).toBe(ENOTEMPTY);
    expect(disk.rename("/full/f", "/full/g")).toBe(EISDIR);
    expect(disk.rename("/full/g", "/full/f")).toBe(ENOTDIR);
    expect(disk.rename("/x", "/y")).toBe(ENOENT);
    expect(disk.rename("/", "/y")).toBe(EINVAL);
    expect(disk.rename("/full", "/")).toBe(EINVAL);
  });

  it("keeps a file until its last name is gone", () => {
    const { disk } = make();
    put(disk, "/a", "x");
    expect(disk.link("/a", "/b")).toBe(DISK_OK);
    expect(disk.link("/a", "/b")).toBe(EEXIST);
    put(disk, "/b", "both");
    expect(content(disk, "/a")).toBe("both");
    expect(disk.rename("/a", "/b")).toBe(DISK_OK);
    expect(disk.list("/")).toEqual(["a", "b"]);
    expect(disk.unlink("/a")).toBe(DISK_OK);
    expect(content(disk, "/b")).toBe("both");
    expect(disk.unlink("/b")).toBe(DISK_OK);
    expect(disk.unlink("/b")).toBe(ENOENT);
  });

  it("lets descriptors outlive the name", () => {
    const { disk } = make();
    const descriptor = disk.open("/f", "create");
    expect(disk.unlink("/f")).toBe(DISK_OK);
    expect(disk.write(descriptor, bytesOf("x"), 0, 1, 0)).toBe(1);
    expect(disk.size(descriptor)).toBe(1);
    expect(disk.fsync(descriptor)).toBe(DISK_OK);
    put(disk, "/f", "another");
    expect(disk.size(descriptor)).toBe(1);
    disk.close(descriptor);
  });

  it("lists names by UTF-16 code units", () => {
    const { disk } = make();
    for (const name of ["b", "a", "B", "10", "9", "ä", "\u{1f600}", "\uffee"]) put(disk, `/${name}`, "");
    expect(disk.list("/")).toEqual(["10", "9", "B", "a", "b", "ä", "\u{1f600}", "\uffee"]);
  });

  it("names what does not fit, with the code POSIX has for it", () => {
    const { disk } = make();
    put(disk, "/f", "x");
    expect(disk.makeDirectory("/d")).toBe(DISK_OK);
    put(disk, "/d/g", "y");
    expect([disk.makeDirectory("/d"), disk.makeDirectory("/f"), disk.makeDirectory("/")]).toEqual([EEXIST, EEXIST, EEXIST]);
    expect([disk.makeDirectory("/no/d"), disk.makeDirectory("/f/d")]).toEqual([ENOENT, ENOTDIR]);
    expect(["read", "write", "create"].map((mode) => disk.open("/d", mode as OpenMode))).toEqual([EISDIR, EISDIR, EISDIR]);
    expect([disk.open("/", "read"), disk.open("/f/x", "create"), disk.open("/no/x", "create")]).toEqual([EISDIR, ENOTDIR, ENOENT]);
    expect([disk.unlink("/d"), disk.unlink("/f/x")]).toEqual([EISDIR, ENOTDIR]);
    expect([disk.removeDirectory("/d"), disk.removeDirectory("/f"), disk.removeDirectory("/x"), disk.removeDirectory("/")]).toEqual([
      ENOTEMPTY,
      ENOTDIR,
      ENOENT,
      EINVAL,
    ]);
    expect([disk.link("/f", "/d"), disk.link("/d", "/e"), disk.link("/x", "/e"), disk.link("/d", "/f")]).toEqual([EEXIST, EISDIR, ENOENT, EEXIST]);
    expect([disk.list("/f"), disk.list("/x"), disk.list("/d")]).toEqual([ENOTDIR, ENOENT, ["g"]]);
    expect([disk.fsyncDirectory("/f"), disk.fsyncDirectory("/x"), disk.fsyncDirectory("/d")]).toEqual([ENOTDIR, ENOENT, DISK_OK]);
    expect([disk.unlink("/d/g"), disk.removeDirectory("/d"), disk.list("/")]).toEqual([DISK_OK, DISK_OK, ["f"]]);
  });

  it("loses nothing when the process ends, and keeps none of its descriptors open", () => {
    const { disk, reopened } = make();
    disk.makeDirectory("/d");
    put(disk, "/d/f", "unsynced");
    disk.rename("/d/f", "/d/g");
    const left = disk.open("/d/g", "write");
    const after = reopened();
    expect(after.size(left)).toBe(EBADF);
    expect(content(after, "/d/g")).toBe("unsynced");
  });
});

/* ---- both in lock-step ---- */

const PATHS = ["/a", "/b", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a"] as const;
const path = fc.constantFrom(...PATHS);
const slot = fc.nat(3);
const place = fc.oneof(fc.nat(20), fc.nat(5000));

const operation = fc.oneof(
  fc.record({ do: fc.constant("open"), path, mode: fc.constantFrom("read", "write", "create"), slot }),
  fc.record({ do: fc.constant("read"), slot, length: place, position: place }),
  fc.record({ do: fc.constant("write"), slot, fill: fc.nat(255), length: place, position: place }),
  fc.record({ do: fc.constant("truncate"), slot, size: place }),
  fc.record({ do: fc.constantFrom("size", "close"), slot }),
  fc.record({ do: fc.constantFrom("makeDirectory", "removeDirectory", "unlink", "list"), path }),
  fc.record({ do: fc.constantFrom("rename", "link"), path, other: path }),
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** What every sequence begins with, so that most calls find something. */
const TREE: readonly Operation[] = [
  { do: "makeDirectory", path: "/d" },
  { do: "makeDirectory", path: "/d/e" },
  { do: "open", path: "/a", mode: "create", slot: 0 },
  { do: "open", path: "/d/a", mode: "create", slot: 1 },
  { do: "open", path: "/d/e/a", mode: "create", slot: 2 },
];

/** A disk with four places for descriptors, so that the same sequence does the same on every disk. */
class Driven {
  readonly #disk: Disk;
  readonly #slots: number[] = [-1, -1, -1, -1];

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** What the operation gave, in a form that two disks can agree on. */
  run(operation: Operation): unknown {
    const disk = this.#disk;
    const descriptor = "slot" in operation ? (this.#slots[operation.slot] ?? -1) : -1;
    switch (operation.do) {
      case "open":
        return "mode" in operation ? this.#openInto(operation.slot, operation.path, operation.mode as OpenMode) : null;
      case "read": {
        if (!("length" in operation)) return null;
        const target = new Uint8Array(operation.length);
        const count = disk.read(descriptor, target, 0, target.length, operation.position);
        return [count, Array.from(target)];
      }
      case "write": {
        if (!("fill" in operation)) return null;
        const source = new Uint8Array(operation.length).fill(operation.fill);
        return disk.write(descriptor, source, 0, source.length, operation.position);
      }
      case "truncate":
        return "size" in operation ? disk.truncate(descriptor, operation.size) : null;
      case "size":
        return disk.size(descriptor);
      case "close":
        // A real descriptor's number is used again.
        if ("slot" in operation) this.#slots[operation.slot] = -1;
        return disk.close(descriptor);
      default:
        return this.#name(operation);
    }
  }

  #openInto(slot: number, path: string, mode: OpenMode): DiskResult {
    const before = this.#slots[slot] ?? -1;
    this.#disk.close(before);
    const opened = this.#disk.open(path, mode);
    this.#slots[slot] = opened;
    return Math.min(opened, 0);
  }

  #name(operation: Operation): unknown {
    const disk = this.#disk;
    if (!("path" in operation)) return null;
    const { path } = operation;
    if (operation.do === "makeDirectory") return disk.makeDirectory(path);
    if (operation.do === "removeDirectory") return disk.removeDirectory(path);
    if (operation.do === "unlink") return disk.unlink(path);
    if (operation.do === "list") return disk.list(path);
    if (!("other" in operation)) return null;
    return operation.do === "rename" ? disk.rename(path, operation.other) : disk.link(path, operation.other);
  }

  /** Every file's contents and every directory's names. */
  everything(): unknown {
    return ["/", ...PATHS].map((path) => [path, this.#disk.list(path), path === "/" ? null : content(this.#disk, path)]);
  }
}

describe("the simulated disk and a real directory", () => {
  it("answer every sequence of calls alike, and end up the same", () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 40 }), (operations) => {
        const real = realDisk();
        const both = [new Driven(simulatedDisk().disk), new Driven(real.disk)] as const;
        const results = [...TREE, ...operations].map((operation) => both.map((driven) => driven.run(operation)));
        for (const [index, [simulated, actual]] of results.entries()) {
          expect(simulated, `call ${index}: ${JSON.stringify([...TREE, ...operations][index])}`).toEqual(actual);
        }
        expect(both[0].everything()).toEqual(both[1].everything());
        real.reopened();
      }),
      { numRuns: 250 },
    );
  });
});
