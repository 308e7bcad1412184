import { describe, expect, it } from "vitest";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import type { FileHandle } from "#whitewater/engine/checkpoint/checksummed-file.js";
import { SharedFileCache } from "#whitewater/engine/checkpoint/shared-file-cache.js";
import { MemoryDisk } from "../state/memory-disk.ts";

const DIRECTORY = "/worker/shared";

function bytesOf(name: string): Uint8Array {
  return Uint8Array.from({ length: 700 }, (_, i) => Math.imul(i + 1, name.charCodeAt(0)) & 0xff);
}

function handle(name: string): FileHandle {
  const bytes = bytesOf(name);
  return { key: `shared/chk-1/${name}`, sizeBytes: bytes.length, checksum: crc32(bytes) };
}

function cacheOn(disk: MemoryDisk): SharedFileCache {
  disk.makeDirectory("/worker");
  return new SharedFileCache(disk, DIRECTORY);
}

function keep(cache: SharedFileCache, name: string, checkpointId: number, subtask = "1:0"): boolean {
  const writer = cache.write(handle(name), bytesOf(name), { subtask, checkpointId });
  while (writer?.step() === true);
  return writer?.isStored ?? false;
}

const has = (cache: SharedFileCache, name: string): boolean => cache.read(handle(name)).ok;

/** The one file that is there. */
function pathOf(disk: MemoryDisk): string {
  const [name] = disk.list(DIRECTORY) as readonly string[];
  return `${DIRECTORY}/${name}`;
}

function overwrite(disk: MemoryDisk, path: string, bytes: Uint8Array): void {
  const descriptor = disk.open(path, "create");
  disk.write(descriptor, bytes, 0, bytes.length, 0);
  disk.close(descriptor);
}

describe("shared files on a host", () => {
  it("are read back as they were, also by the next process; a file is written once", () => {
    const disk = new MemoryDisk();
    const cache = cacheOn(disk);
    expect(cache.read(handle("a"))).toEqual({ ok: false, fault: "missing" });
    expect([keep(cache, "a", 1), keep(cache, "a", 2)]).toEqual([true, false]);
    for (const one of [cache, cacheOn(disk)]) expect(one.read(handle("a"))).toEqual({ ok: true, bytes: bytesOf("a") });
  });

  it.each<readonly [string, (bytes: Uint8Array) => Uint8Array]>([
    ["damaged", (bytes) => bytes.map((byte, i) => (i === 333 ? byte ^ 4 : byte))],
    ["truncated", (bytes) => bytes.slice(0, 512)],
    ["longer", (bytes) => Uint8Array.from([...bytes, 0])],
    ["of nothing but zeros", (bytes) => new Uint8Array(bytes.length)],
  ])("that are %s are never given out, and removed", (_name, damage) => {
    const disk = new MemoryDisk();
    const cache = cacheOn(disk);
    keep(cache, "a", 1);
    overwrite(disk, pathOf(disk), damage(bytesOf("a")));
    expect(cache.read(handle("a"))).toEqual({ ok: false, fault: "damaged" });
    expect(disk.list(DIRECTORY)).toEqual([]);
    expect(keep(cache, "a", 1)).toBe(true);
    expect(has(cache, "a")).toBe(true);
  });

  it("that are half written are leftovers: the next process removes them", () => {
    const disk = new MemoryDisk();
    const writer = cacheOn(disk).write(handle("a"), bytesOf("a"), { subtask: "1:0", checkpointId: 1 });
    expect(writer).not.toBe(null);
    disk.makeDirectory(DIRECTORY);
    overwrite(disk, `${DIRECTORY}/00000000-11111111-700.shared.tmp`, new Uint8Array(9));
    const next = cacheOn(disk);
    expect(next.inspect()).toEqual([]);
    expect(disk.list(DIRECTORY)).toEqual([]);
  });

  it("are told apart by where they are in storage too, not by a CRC-32 alone", () => {
    const disk = new MemoryDisk();
    const cache = cacheOn(disk);
    keep(cache, "a", 1);
    expect(cache.read({ ...handle("a"), key: "shared/chk-2/other" })).toEqual({ ok: false, fault: "missing" });
  });

  it("stay while a checkpoint uses them that completed last or may still complete", () => {
    const cache = cacheOn(new MemoryDisk());
    for (const [name, checkpointId] of [["a", 1], ["b", 1], ["c", 2], ["d", 3]] as const) keep(cache, name, checkpointId);
    cache.use(handle("b"), { subtask: "1:0", checkpointId: 2 });
    cache.use(handle("a"), { subtask: "1:1", checkpointId: 2 });
    expect(cache.confirm("1:0", 2)).toBe(0);
    expect(cache.confirm("1:1", 3)).toBe(1);
    expect(["a", "b", "c", "d"].map((name) => has(cache, name))).toEqual([false, true, true, true]);
    expect(cache.abort("1:0", 3)).toBe(1);
    expect(["b", "c", "d"].map((name) => has(cache, name))).toEqual([true, true, false]);
  });

  it("of earlier attempts and processes stay until a checkpoint completes, for the restores to come", () => {
    const disk = new MemoryDisk();
    keep(cacheOn(disk), "a", 1);
    const cache = cacheOn(disk);
    keep(cache, "b", 2);
    cache.beginAttempt("1:0");
    expect(cache.abort("1:0", 2)).toBe(0);
    cache.use(handle("b"), { subtask: "1:0", checkpointId: 2 });
    expect(cache.confirm("1:0", 3)).toBe(2);
    expect(cache.inspect()).toEqual([]);
  });

  it("are not there where the disk refuses, which is nobody's failure", () => {
    const disk = new MemoryDisk();
    const cache = new SharedFileCache(disk, "/nowhere/shared");
    expect(keep(cache, "a", 1)).toBe(false);
    expect(cache.read(handle("a"))).toEqual({ ok: false, fault: "missing" });
  });
});
