import { describe, expect, it } from "vitest";
import { DISK_OK, EIO, ENOENT, ENOSPC } from "#whitewater/engine/ports/disk.js";
import type { Disk } from "#whitewater/engine/ports/disk.js";
import { SimulatedDisk } from "#whitewater/simulator/hosts/simulated-disk.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { FakeKernel } from "./fake-kernel.ts";

const SECTOR = 512;

function host() {
  const kernel = new FakeKernel();
  const process = kernel.process("worker");
  const disk = new SimulatedDisk(kernel, process.host);
  const port = disk.portFor(process);
  return { kernel, disk, port };
}

const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);

function created(port: Disk, path: string, bytes: Uint8Array): number {
  const descriptor = port.open(path, "create");
  expect(port.write(descriptor, bytes, 0, bytes.length, 0)).toBe(bytes.length);
  return descriptor;
}

/** What a process reads, from the first byte on. */
function seen(port: Disk, descriptor: number, length: number): number[] {
  const target = new Uint8Array(length);
  const count = port.read(descriptor, target, 0, length, 0);
  return Array.from(target.subarray(0, count));
}

describe("an error", () => {
  it("makes the call fail without effect, whichever it is", () => {
    const { kernel, port, disk } = host();
    const descriptor = created(port, "/f", filled(1, 4));
    port.makeDirectory("/d");
    const calls: readonly (readonly [number, () => unknown])[] = [
      [PORT_TRACE.diskOpened, () => port.open("/new", "create")],
      [PORT_TRACE.diskRead, () => port.read(descriptor, new Uint8Array(4), 0, 4, 0)],
      [PORT_TRACE.diskWritten, () => port.write(descriptor, filled(2, 4), 0, 4, 0)],
      [PORT_TRACE.diskTruncated, () => port.truncate(descriptor, 0)],
      [PORT_TRACE.diskLooked, () => port.size(descriptor)],
      [PORT_TRACE.diskLooked, () => port.list("/")],
      [PORT_TRACE.diskNamed, () => port.rename("/f", "/g")],
      [PORT_TRACE.diskNamed, () => port.unlink("/f")],
      [PORT_TRACE.diskNamed, () => port.removeDirectory("/d")],
      [PORT_TRACE.diskDirectorySynced, () => port.fsyncDirectory("/")],
    ];
    for (const [kind, call] of calls) {
      kernel.arm(kind, { kind: "disk-error", code: "EIO", partBytes: 9 });
      expect(call()).toBe(EIO);
    }
    expect(disk.inspect().map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ["/d", 0],
      ["/f", 4],
    ]);
    expect(Array.from(disk.peek("/f") ?? [])).toEqual([1, 1, 1, 1]);
    disk.powerLoss();
    expect(disk.inspect()).toEqual([]);
  });

  it("for want of space comes after part of a write, and only where space is needed", () => {
    const { kernel, port, disk } = host();
    const descriptor = created(port, "/f", filled(1, 4));
    const full = (kind: number, partBytes: number): void => kernel.arm(kind, { kind: "disk-error", code: "ENOSPC", partBytes });
    full(PORT_TRACE.diskWritten, 3);
    expect(port.write(descriptor, filled(2, 4), 0, 4, 4)).toBe(3);
    expect(Array.from(disk.peek("/f") ?? [])).toEqual([1, 1, 1, 1, 2, 2, 2]);
    full(PORT_TRACE.diskWritten, 0);
    expect(port.write(descriptor, filled(2, 4), 0, 4, 4)).toBe(ENOSPC);
    full(PORT_TRACE.diskWritten, 100);
    expect(port.write(descriptor, filled(3, 4), 0, 4, 0)).toBe(3);
    full(PORT_TRACE.diskOpened, 0);
    expect(port.open("/g", "create")).toBe(ENOSPC);
    full(PORT_TRACE.diskNamed, 0);
    expect(port.makeDirectory("/d")).toBe(ENOSPC);
    full(PORT_TRACE.diskRead, 0);
    expect(port.read(descriptor, new Uint8Array(4), 0, 4, 0)).toBe(EIO);
    full(PORT_TRACE.diskNamed, 0);
    expect(port.unlink("/f")).toBe(EIO);
    expect(port.open("/g", "read")).toBe(ENOENT);
  });
});

describe("a short read", () => {
  it("returns fewer bytes than there are, but at least one, and none only at the end", () => {
    const { kernel, port } = host();
    const descriptor = created(port, "/f", Uint8Array.of(1, 2, 3, 4));
    const short = (bytes: number): void => kernel.arm(PORT_TRACE.diskRead, { kind: "disk-short-read", bytes });
    short(3);
    expect(seen(port, descriptor, 4)).toEqual([1, 2, 3]);
    short(0);
    expect(seen(port, descriptor, 4)).toEqual([1]);
    short(1);
    expect(port.read(descriptor, new Uint8Array(4), 0, 4, 4)).toBe(0);
    expect(seen(port, descriptor, 4)).toEqual([1, 2, 3, 4]);
  });
});

describe("a flipped bit", () => {
  it("is read by every process from then on, listed, and switched off again", () => {
    const { kernel, port, disk } = host();
    const descriptor = created(port, "/f", Uint8Array.of(0, 0, 0, 0));
    kernel.arm(PORT_TRACE.diskRead, { kind: "disk-bit-flip", bit: 9 });
    expect(seen(port, descriptor, 4)).toEqual([0, 2, 0, 0]);
    expect(seen(port, port.open("/f", "read"), 4)).toEqual([0, 2, 0, 0]);
    expect(Array.from(disk.peek("/f") ?? [])).toEqual([0, 2, 0, 0]);
    expect(Array.from(disk.peekPristine("/f") ?? [])).toEqual([0, 0, 0, 0]);
    expect(disk.damage()).toEqual([{ id: 1, fault: "f1", kind: "bit-flip", inode: 2, path: "/f", offset: 1, length: 1 }]);
    disk.heal(1);
    expect(seen(port, descriptor, 4)).toEqual([0, 0, 0, 0]);
    expect(disk.damage()).toEqual([]);
  });

  it("is where the plan says: counted from the start or the end of what is written, or of the file at its fsync", () => {
    const { kernel, port, disk } = host();
    const descriptor = created(port, "/f", filled(0, 8));
    kernel.arm(PORT_TRACE.diskWritten, { kind: "disk-bit-flip", bit: 0 });
    port.write(descriptor, filled(0, 2), 0, 2, 4);
    kernel.arm(PORT_TRACE.diskSynced, { kind: "disk-bit-flip", bit: -1 });
    expect(port.fsync(descriptor)).toBe(DISK_OK);
    expect(Array.from(disk.peek("/f") ?? [])).toEqual([0, 0, 0, 0, 1, 0, 0, 128]);
    expect(disk.damage().map(({ id, offset }) => [id, offset])).toEqual([
      [1, 4],
      [2, 7],
    ]);
  });

  it("outlasts a power loss and a new name, and ends when its byte is overwritten or cut off", () => {
    const { kernel, port, disk } = host();
    const descriptor = created(port, "/f", filled(0, 4));
    kernel.arm(PORT_TRACE.diskSynced, { kind: "disk-bit-flip", bit: 8 });
    port.fsync(descriptor);
    port.rename("/f", "/g");
    port.fsyncDirectory("/");
    disk.powerLoss();
    expect(Array.from(disk.peek("/g") ?? [])).toEqual([0, 1, 0, 0]);
    const again = port.open("/g", "write");
    port.write(again, filled(7, 1), 0, 1, 0);
    expect(Array.from(disk.peek("/g") ?? [])).toEqual([7, 1, 0, 0]);
    port.write(again, filled(7, 1), 0, 1, 1);
    expect(Array.from(disk.peek("/g") ?? [])).toEqual([7, 7, 0, 0]);
    kernel.arm(PORT_TRACE.diskRead, { kind: "disk-bit-flip", bit: -8 });
    expect(seen(port, again, 4)).toEqual([7, 7, 0, 1]);
    port.truncate(again, 3);
    port.truncate(again, 4);
    expect(Array.from(disk.peek("/g") ?? [])).toEqual([7, 7, 0, 0]);
    expect(disk.damage()).toEqual([]);
  });
});

describe("a misdirected write", () => {
  it("lands elsewhere in the file, and its own place keeps what was there", () => {
    const { kernel, port, disk } = host();
    const descriptor = created(port, "/f", filled(1, 3 * SECTOR));
    kernel.arm(PORT_TRACE.diskWritten, { kind: "disk-misdirected-write", sectorsAway: 2, elsewhere: 0 });
    expect(port.write(descriptor, filled(2, 10), 0, 10, 5)).toBe(10);
    const bytes = disk.peek("/f") ?? new Uint8Array(0);
    expect(bytes.indexOf(2)).toBe(2 * SECTOR + 5);
    expect(bytes.lastIndexOf(2)).toBe(2 * SECTOR + 14);
    expect(disk.damage().map(({ id, kind, offset, length }) => [id, kind, offset, length])).toEqual([
      [1, "lost-write", 5, 10],
      [1, "misdirected-write", 2 * SECTOR + 5, 10],
    ]);
    disk.heal(1);
    const healed = disk.peek("/f") ?? new Uint8Array(0);
    expect([healed.indexOf(2), healed.lastIndexOf(2)]).toEqual([5, 14]);
  });

  it("lands in another file, no further than that one reaches, and wraps at its end", () => {
    const { kernel, port, disk } = host();
    created(port, "/victim", filled(1, SECTOR + 4));
    const descriptor = created(port, "/f", filled(1, 4));
    kernel.arm(PORT_TRACE.diskWritten, { kind: "disk-misdirected-write", sectorsAway: -3, elsewhere: 5 });
    expect(port.write(descriptor, filled(2, 10), 0, 10, 4)).toBe(10);
    expect(Array.from(disk.peek("/f") ?? [])).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(disk.damage().map(({ path, kind, offset, length }) => [path, kind, offset, length])).toEqual([["/f", "lost-write", 4, 10]]);
    kernel.arm(PORT_TRACE.diskWritten, { kind: "disk-misdirected-write", sectorsAway: -2, elsewhere: 1 });
    expect(port.write(descriptor, filled(3, 10), 0, 10, 2)).toBe(10);
    expect((disk.peek("/victim") ?? new Uint8Array(0)).subarray(0, 14)).toEqual(Uint8Array.of(1, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 1));
    disk.healAll();
    expect(disk.peek("/victim")).toEqual(filled(1, SECTOR + 4));
    expect(disk.damage()).toEqual([]);
  });
});

describe("slowness", () => {
  it("holds the process up and lets the call do what it does; every call costs its thread some time", () => {
    const { kernel, port, disk } = host();
    const descriptor = created(port, "/f", filled(1, 4));
    kernel.arm(PORT_TRACE.diskWritten, { kind: "disk-slow", delayUs: 70_000 });
    expect(port.write(descriptor, filled(2, 4), 0, 4, 0)).toBe(4);
    expect(Array.from(disk.peek("/f") ?? [])).toEqual([2, 2, 2, 2]);
    expect(kernel.stalls).toEqual([{ process: "worker", us: 70_000 }]);
    const before = kernel.spentUs.get("worker") ?? 0;
    port.fsync(descriptor);
    expect((kernel.spentUs.get("worker") ?? 0) - before).toBeGreaterThan(100);
  });
});
