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
import type { Disk } from "#whitewater/engine/ports/disk.js";
import { SimulatedDisk } from "#whitewater/simulator/hosts/simulated-disk.js";
import { SURVIVAL } from "#whitewater/simulator/hosts/disk-survivors.js";
import { DISK_NAMINGS, DISK_OPENINGS, PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { bytesOf, FakeKernel, textOf } from "./fake-kernel.ts";

function host() {
  const kernel = new FakeKernel();
  const process = kernel.process("worker");
  const disk = new SimulatedDisk(kernel, process.host);
  const port = disk.portFor(process);
  /** What a power loss keeps: draws for each dirty file, then for the changes of names; 0, nothing, after them. */
  const losePower = (...draws: number[]): Disk => {
    kernel.draws("disk:worker-host", ...draws);
    disk.powerLoss();
    return disk.portFor(kernel.process("worker", 2, process.host));
  };
  const content = (path: string): string | null => {
    const bytes = disk.peek(path);
    return bytes === null ? null : textOf(bytes);
  };
  return { kernel, process, disk, port, losePower, content };
}

function put(port: Disk, path: string, words: string, sync = false): void {
  const descriptor = port.open(path, "create");
  expect(port.write(descriptor, bytesOf(words), 0, words.length, 0)).toBe(words.length);
  if (sync) port.fsync(descriptor);
  port.close(descriptor);
}

describe("files", () => {
  it("read what was written, with zeros in holes and nothing behind the end", () => {
    const { port, content } = host();
    const descriptor = port.open("/f", "create");
    port.write(descriptor, bytesOf("xxabxx"), 2, 2, 3);
    expect(content("/f")).toBe("\0\0\0ab");
    const target = bytesOf("......");
    expect(port.read(descriptor, target, 1, 5, 2)).toBe(3);
    expect(textOf(target)).toBe(".\0ab..");
    expect(port.read(descriptor, target, 0, 6, 5)).toBe(0);
    expect(port.truncate(descriptor, 4)).toBe(DISK_OK);
    expect(port.truncate(descriptor, 5)).toBe(DISK_OK);
    expect(content("/f")).toBe("\0\0\0a\0");
    expect(port.size(descriptor)).toBe(5);
  });

  it("open in the mode asked for", () => {
    const { port, content } = host();
    expect(port.open("/f", "read")).toBe(ENOENT);
    expect(port.open("/f", "write")).toBe(ENOENT);
    put(port, "/f", "long");
    const reading = port.open("/f", "read");
    expect(port.write(reading, bytesOf("x"), 0, 1, 0)).toBe(EBADF);
    expect(port.truncate(reading, 0)).toBe(EBADF);
    const writing = port.open("/f", "write");
    port.write(writing, bytesOf("S"), 0, 1, 0);
    expect(content("/f")).toBe("Song");
    port.open("/f", "create");
    expect(content("/f")).toBe("");
  });

  it("forget descriptors that were closed, and those of another process", () => {
    const { kernel, disk, port, process } = host();
    const descriptor = port.open("/f", "create");
    expect(port.close(descriptor)).toBe(DISK_OK);
    const calls = [port.close(descriptor), port.size(descriptor), port.fsync(descriptor)];
    expect([...calls, port.read(descriptor, bytesOf("."), 0, 1, 0)]).toEqual([EBADF, EBADF, EBADF, EBADF]);
    const open = port.open("/f", "write");
    const successor = disk.portFor(kernel.process("worker", 2, process.host));
    expect(successor.size(open)).toBe(EBADF);
  });

  it("live on under a descriptor after their name is gone", () => {
    const { port, disk } = host();
    const descriptor = port.open("/f", "create");
    port.unlink("/f");
    expect(port.write(descriptor, bytesOf("x"), 0, 1, 0)).toBe(1);
    expect(port.size(descriptor)).toBe(1);
    expect(disk.inspect()).toEqual([]);
  });
});

describe("names", () => {
  it("refuse what does not fit, with the code POSIX has for it", () => {
    const { port } = host();
    put(port, "/f", "x");
    expect(port.makeDirectory("/d")).toBe(DISK_OK);
    put(port, "/d/g", "y");
    expect(port.makeDirectory("/d")).toBe(EEXIST);
    expect(port.makeDirectory("/")).toBe(EEXIST);
    expect(port.makeDirectory("/no/d")).toBe(ENOENT);
    expect(port.open("/d", "create")).toBe(EISDIR);
    expect(port.open("/", "read")).toBe(EISDIR);
    expect(port.open("/f/x", "create")).toBe(ENOTDIR);
    expect(port.unlink("/d")).toBe(EISDIR);
    expect(port.unlink("/x")).toBe(ENOENT);
    expect(port.removeDirectory("/d")).toBe(ENOTEMPTY);
    expect(port.removeDirectory("/f")).toBe(ENOTDIR);
    expect(port.removeDirectory("/x")).toBe(ENOENT);
    expect(port.link("/f", "/d")).toBe(EEXIST);
    expect(port.link("/d", "/e")).toBe(EISDIR);
    expect(port.list("/f")).toBe(ENOTDIR);
    expect(port.list("/x")).toBe(ENOENT);
    expect(port.fsyncDirectory("/f")).toBe(ENOTDIR);
    expect(port.rename("/f", "/d")).toBe(EISDIR);
    expect(port.rename("/d", "/f")).toBe(ENOTDIR);
    expect(port.rename("/d", "/d/e")).toBe(EINVAL);
    expect(port.rename("/x", "/y")).toBe(ENOENT);
    port.makeDirectory("/e");
    expect(port.rename("/e", "/d")).toBe(ENOTEMPTY);
    expect(port.rename("/d", "/e")).toBe(DISK_OK);
    expect(port.list("/e")).toEqual(["g"]);
    expect(port.list("/")).toEqual(["e", "f"]);
  });

  it("rename over a file that exists, and leave two names of one file alone", () => {
    const { port, content, disk } = host();
    put(port, "/a", "new");
    put(port, "/b", "old");
    expect(port.rename("/a", "/b")).toBe(DISK_OK);
    expect([content("/a"), content("/b")]).toEqual([null, "new"]);
    port.link("/b", "/c");
    expect(port.rename("/b", "/c")).toBe(DISK_OK);
    put(port, "/b", "both");
    expect(content("/c")).toBe("both");
    const inodes = disk.inspect().map(({ inode }) => inode);
    expect(inodes[0]).toBe(inodes[1]);
    port.unlink("/b");
    expect(content("/c")).toBe("both");
  });
});

describe("power loss", () => {
  it("loses nothing that was synced, name and contents", () => {
    const { port, losePower, content } = host();
    put(port, "/f", "durable", true);
    port.fsyncDirectory("/");
    losePower();
    expect(content("/f")).toBe("durable");
  });

  it("loses a name whose directory was not synced, and contents that were not", () => {
    const { port, losePower, content, disk } = host();
    put(port, "/nameless", "x", true);
    losePower();
    expect(disk.inspect()).toEqual([]);
    put(port, "/empty", "x");
    port.fsyncDirectory("/");
    losePower();
    expect(content("/empty")).toBe("");
  });

  it("keeps what is drawn of the writes of a file and of the changes of names", () => {
    const { port, losePower, content, disk } = host();
    const descriptor = port.open("/f", "create");
    port.fsyncDirectory("/");
    port.write(descriptor, bytesOf("aaa"), 0, 3, 0);
    port.write(descriptor, bytesOf("b"), 0, 1, 1);
    port.truncate(descriptor, 1);
    port.makeDirectory("/d1");
    port.makeDirectory("/d2");
    expect(disk.inspect().at(-1)).toMatchObject({ path: "/f", sizeBytes: 1, unsyncedBytes: 4 });
    losePower(SURVIVAL.prefix, 2, 0, SURVIVAL.prefix, 1);
    expect(content("/f")).toBe("aba");
    expect(disk.inspect().map(({ path }) => path)).toEqual(["/d1", "/f"]);
  });

  it("leaves the file of before or the file of after where one was renamed over another", () => {
    for (const [survivors, expected] of [
      [0, "old"],
      [1, "old"],
      [2, "new"],
    ] as const) {
      const { port, losePower, content } = host();
      put(port, "/f", "old", true);
      port.fsyncDirectory("/");
      put(port, "/f.tmp", "new", true);
      port.rename("/f.tmp", "/f");
      losePower(SURVIVAL.prefix, survivors);
      expect(content("/f")).toBe(expected);
      expect(content("/f.tmp")).toBe(survivors === 1 ? "new" : null);
    }
  });

  it("never leaves a moved file in both directories or in neither, whichever was synced", () => {
    for (const [synced, survivors] of [
      ["/a", SURVIVAL.none],
      ["/b", SURVIVAL.none],
      ["/b", SURVIVAL.all],
    ] as const) {
      const { port, losePower, disk } = host();
      port.makeDirectory("/a");
      port.makeDirectory("/b");
      port.fsyncDirectory("/");
      put(port, "/a/f", "x", true);
      port.rename("/a/f", "/b/f");
      port.fsyncDirectory(synced);
      losePower(survivors);
      expect(disk.inspect().map(({ path }) => path)).toEqual(["/a", "/b", "/b/f"]);
    }
  });

  it("loses a move and keeps what was done later under another name", () => {
    const { port, losePower, disk } = host();
    port.makeDirectory("/a");
    port.makeDirectory("/b");
    put(port, "/a/f", "x", true);
    for (const path of ["/", "/a"]) port.fsyncDirectory(path);
    port.rename("/a/f", "/b/f");
    put(port, "/b/g", "y", true);
    losePower(SURVIVAL.each, 0, 1);
    expect(disk.inspect().map(({ path }) => path)).toEqual(["/a", "/a/f", "/b", "/b/g"]);
  });

  it("removes no directory whose files were moved out by a change that is lost", () => {
    for (const isSynced of [false, true]) {
      const { port, losePower, disk } = host();
      for (const path of ["/d", "/e"]) port.makeDirectory(path);
      put(port, "/d/f", "x", true);
      for (const path of ["/", "/d"]) port.fsyncDirectory(path);
      port.rename("/d/f", "/e/f");
      port.removeDirectory("/d");
      if (isSynced) port.fsyncDirectory("/");
      losePower(SURVIVAL.each, 0, 1);
      expect(disk.inspect().map(({ path }) => path)).toEqual(isSynced ? ["/e", "/e/f"] : ["/d", "/d/f", "/e"]);
    }
  });

  it("moves no directory into one that an earlier, lost move took out of it", () => {
    for (const isSynced of [false, true]) {
      const { port, losePower, disk } = host();
      for (const path of ["/a", "/a/c"]) port.makeDirectory(path);
      for (const path of ["/", "/a"]) port.fsyncDirectory(path);
      port.rename("/a/c", "/c");
      port.rename("/a", "/c/a");
      if (isSynced) port.fsyncDirectory("/c");
      losePower(SURVIVAL.each, 0, 1);
      expect(disk.inspect().map(({ path }) => path)).toEqual(isSynced ? ["/c", "/c/a"] : ["/a", "/a/c"]);
    }
  });

  it("loses everything in a directory whose own name was not synced", () => {
    const { port, losePower, disk } = host();
    port.makeDirectory("/d");
    put(port, "/d/f", "x", true);
    port.fsyncDirectory("/d");
    losePower();
    expect(disk.inspect()).toEqual([]);
  });

  it("brings an unlinked name back, and a removed one not once its directory was synced", () => {
    const { port, losePower, content } = host();
    put(port, "/f", "x", true);
    port.fsyncDirectory("/");
    port.unlink("/f");
    losePower();
    expect(content("/f")).toBe("x");
    const later = losePower();
    later.unlink("/f");
    later.fsyncDirectory("/");
    losePower();
    expect(content("/f")).toBeNull();
  });

  it("never loses what was synced, whatever else was done and whatever survives of it", () => {
    const action = fc.record({
      kind: fc.constantFrom("put", "rename", "unlink", "sync", "syncDirectory"),
      file: fc.constantFrom("/f1", "/f2", "/f3"),
      other: fc.constantFrom("/f1", "/f2", "/f3"),
      words: fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom("x", "y", "z") }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 20 }), fc.array(fc.nat(100), { maxLength: 10 }), (actions, draws) => {
        const { kernel, port, disk, content } = host();
        kernel.stream = () => ({ below: (bound) => (draws.shift() ?? 0) % bound });
        put(port, "/keep", "kept", true);
        port.fsyncDirectory("/");
        for (const { kind, file, other, words } of actions) {
          if (kind === "put") put(port, file, words);
          else if (kind === "rename") port.rename(file, other);
          else if (kind === "unlink") port.unlink(file);
          else if (kind === "syncDirectory") port.fsyncDirectory("/");
          else port.fsync(port.open(file, "write"));
        }
        for (const { path } of disk.inspect()) port.fsync(port.open(path, "write"));
        port.fsyncDirectory("/");
        const before = disk.inspect().map(({ path }) => [path, content(path)]);
        put(port, "/unsynced", "u");
        port.rename("/unsynced", "/unsynced2");
        disk.powerLoss();
        const after = disk.inspect().map(({ path }) => [path, content(path)]);
        expect(after.filter(([path]) => !path?.startsWith("/unsynced"))).toEqual(before);
      }),
    );
  });
});

describe("a crash of the process", () => {
  it("loses nothing on disk", () => {
    const { kernel, process, port, content } = host();
    put(port, "/f", "unsynced");
    kernel.crash(process);
    expect(content("/f")).toBe("unsynced");
  });

  it("strikes before or after any call", () => {
    for (const [when, written] of [
      ["before", ""],
      ["after", "x"],
    ] as const) {
      const { kernel, process, port, content } = host();
      const descriptor = port.open("/f", "create");
      kernel.crashAt(PORT_TRACE.diskWritten, when, process);
      kernel.inStep(() => port.write(descriptor, bytesOf("x"), 0, 1, 0));
      expect(process.alive).toBe(false);
      expect(content("/f")).toBe(written);
    }
  });
});

describe("tracing", () => {
  it("marks every call and folds every byte and name", () => {
    const { kernel, port } = host();
    put(port, "/7.table", "abc", true);
    port.makeDirectory("/chk-4");
    port.rename("/7.table", "/chk-4/7.table");
    port.fsyncDirectory("/chk-4");
    port.list("/");
    expect(kernel.points.map(({ kind, subject, x, y }) => [kind, kernel.nameOf(subject), x, y])).toEqual([
      [PORT_TRACE.diskOpened, "worker-host:table", -1, DISK_OPENINGS.create],
      [PORT_TRACE.diskWritten, "worker-host:table", -1, 3],
      [PORT_TRACE.diskSynced, "worker-host:table", -1, 3],
      [PORT_TRACE.diskClosed, "worker-host:table", -1, 0],
      [PORT_TRACE.diskNamed, "worker-host:directory", 4, DISK_NAMINGS.makeDirectory],
      [PORT_TRACE.diskNamed, "worker-host:table", 4, DISK_NAMINGS.rename],
      [PORT_TRACE.diskDirectorySynced, "worker-host:directory", 4, 0],
      [PORT_TRACE.diskLooked, "worker-host:directory", -1, 1],
    ]);
    expect(kernel.folded).toEqual(["/7.table", Array.from(bytesOf("abc")), "/chk-4", "/chk-4/7.table", "/7.table"]);
  });
});
