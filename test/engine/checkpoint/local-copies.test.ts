import { describe, expect, it } from "vitest";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import type { FileHandle } from "#whitewater/engine/checkpoint/checksummed-file.js";
import { handleOf } from "#whitewater/engine/checkpoint/checksummed-file.js";
import type { LocalCopyOwner, LocalCopyResult } from "#whitewater/engine/checkpoint/local-copies.js";
import { LocalCopies } from "#whitewater/engine/checkpoint/local-copies.js";
import { encodeSnapshotFile } from "#whitewater/engine/checkpoint/snapshot-file.js";
import { LOCAL_COPY_NOT_STORED, TaskLocalState } from "#whitewater/engine/checkpoint/task-local-state.js";
import { LOCAL_COPIES_LIMIT, LOCAL_COPY_BYTES_PER_STEP } from "#whitewater/engine/base/limits.js";
import { EIO, ENOSPC } from "#whitewater/engine/ports/disk.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { FakeProcess } from "../operators/fake-process.ts";
import { MemoryDisk } from "../state/memory-disk.ts";

const DIRECTORY = "/whitewater/worker-1/local";
const SUM: LocalCopyOwner = { allocation: 1, vertex: 2, subtask: 1 };
const SOURCE: LocalCopyOwner = { allocation: 1, vertex: 0, subtask: 1 };

/** The file of a subtask, different for every owner, checkpoint and attempt. */
function fileOf(owner: LocalCopyOwner, checkpointId: number, attempt = 1): { file: Uint8Array; handle: FileHandle } {
  const { vertex, subtask } = owner;
  const keyed = new Uint8Array(600).fill((checkpointId * 7 + vertex * 31 + subtask * 3 + attempt) % 251);
  const operators = [{ uid: "sum", keyed, files: null, lists: new Uint8Array(0) }];
  const file = encodeSnapshotFile({ checkpointId, vertex, subtask, operators, channels: null });
  return { file, handle: handleOf(`chk-${checkpointId}/v${vertex}-s${subtask}-a${attempt}`, file) };
}

function store(copies: LocalCopies, owner: LocalCopyOwner, checkpointId: number, attempt = 1): boolean {
  const writer = copies.write(owner, checkpointId, fileOf(owner, checkpointId, attempt).file);
  while (writer.step());
  return writer.isStored;
}

function read(copies: LocalCopies, owner: LocalCopyOwner, checkpointId: number, attempt = 1): LocalCopyResult {
  return copies.read(owner.allocation, owner, checkpointId, fileOf(owner, checkpointId, attempt).handle);
}

const isThere = (copies: LocalCopies, owner: LocalCopyOwner, checkpointId: number): boolean =>
  read(copies, owner, checkpointId).ok;

function idsOf(copies: LocalCopies, owner: LocalCopyOwner): readonly number[] {
  const own = copies.inspect().filter(({ vertex, subtask }) => vertex === owner.vertex && subtask === owner.subtask);
  return own.map(({ checkpointId }) => checkpointId).sort((left, right) => left - right);
}

const filesOn = (disk: MemoryDisk): string[] => [...disk.nodes].filter(([, node]) => node !== null).map(([path]) => path);
const pathOf = ({ allocation, vertex, subtask }: LocalCopyOwner, checkpointId: number): string =>
  `${DIRECTORY}/slot-${allocation}/v${vertex}-s${subtask}-chk-${checkpointId}.copy`;

describe("local copies", () => {
  it("give back what was stored, byte for byte, also to the next process and by short reads", () => {
    const disk = new MemoryDisk();
    expect(store(new LocalCopies(disk, DIRECTORY), SUM, 3)).toBe(true);
    disk.readLimit = 7;
    const found = read(new LocalCopies(disk, DIRECTORY), SUM, 3);
    expect(found).toEqual({ ok: true, bytes: fileOf(SUM, 3).file });
    expect(disk.openDescriptors).toBe(0);
  });

  it("of two vertices in one slot never share or delete each other's file", () => {
    const copies = new LocalCopies(new MemoryDisk(), DIRECTORY);
    for (const id of [1, 2]) for (const owner of [SUM, SOURCE]) store(copies, owner, id);
    copies.confirm(SUM, 2);
    expect([idsOf(copies, SUM), idsOf(copies, SOURCE)]).toEqual([[2], [1, 2]]);
    copies.abort(SOURCE, 2);
    copies.restoring(SOURCE, null);
    expect([isThere(copies, SUM, 2), isThere(copies, SOURCE, 1)]).toEqual([true, false]);
  });

  it("are pruned as in Flink: below a confirmed id, at an aborted one, all but a restored one", () => {
    const copies = new LocalCopies(new MemoryDisk(), DIRECTORY);
    for (const id of [1, 2, 3, 4]) store(copies, SUM, id);
    expect(copies.confirm(SUM, 2)).toBe(1);
    expect(idsOf(copies, SUM)).toEqual([2, 3, 4]);
    expect(copies.abort(SUM, 3)).toBe(1);
    expect(idsOf(copies, SUM)).toEqual([2, 4]);
    expect(copies.restoring(SUM, 2)).toBe(1);
    expect(idsOf(copies, SUM)).toEqual([2]);
    // The same checkpoint again.
    expect(copies.restoring(SUM, 2)).toBe(0);
    expect(isThere(copies, SUM, 2)).toBe(true);
    expect(copies.dispose(SUM)).toBe(1);
    expect(idsOf(copies, SUM)).toEqual([]);
  });

  it("of an allocation that is freed go with all that lies there, and no others", () => {
    const disk = new MemoryDisk();
    const copies = new LocalCopies(disk, DIRECTORY);
    const elsewhere = { ...SUM, allocation: 3, subtask: 3 };
    for (const owner of [SUM, SOURCE, elsewhere]) store(copies, owner, 5);
    expect(copies.keepAllocations([3, 4])).toBe(2);
    expect(copies.inspect()).toEqual([{ ...elsewhere, checkpointId: 5 }]);
    expect(disk.nodes.has(`${DIRECTORY}/slot-1`)).toBe(false);
    expect(filesOn(disk)).toEqual([pathOf(elsewhere, 5)]);
  });

  it("serve the pieces of other subtasks that this host happens to hold", () => {
    const copies = new LocalCopies(new MemoryDisk(), DIRECTORY);
    const other = { ...SUM, allocation: 3, subtask: 3 };
    store(copies, other, 5);
    expect(copies.read(1, other, 5, fileOf(other, 5).handle).ok).toBe(true);
    expect(copies.read(1, { ...other, subtask: 2 }, 5, fileOf(other, 5).handle)).toEqual({ ok: false, fault: "missing" });
  });

  it("are bounded: what was never confirmed or aborted goes, except the oldest", () => {
    const disk = new MemoryDisk();
    const copies = new LocalCopies(disk, DIRECTORY);
    for (let id = 1; id <= LOCAL_COPIES_LIMIT + 3; id += 1) store(copies, SUM, id);
    const ids = idsOf(copies, SUM);
    expect(ids).toHaveLength(LOCAL_COPIES_LIMIT);
    expect([ids[0], ids.at(-1)]).toEqual([1, LOCAL_COPIES_LIMIT + 3]);
    expect(filesOn(disk)).toHaveLength(LOCAL_COPIES_LIMIT);
  });

  it("of a large file are written in steps, and leave nothing when given up half-way", () => {
    const disk = new MemoryDisk();
    const copies = new LocalCopies(disk, DIRECTORY);
    const file = new Uint8Array(2 * LOCAL_COPY_BYTES_PER_STEP + 5).fill(9);
    const writer = copies.write(SUM, 1, file);
    expect([writer.step(), writer.step()]).toEqual([true, true]);
    expect(copies.inspect()).toEqual([]);
    writer.cancel();
    expect([writer.step(), writer.isStored]).toEqual([false, false]);
    expect(filesOn(disk)).toEqual([]);
    expect(disk.openDescriptors).toBe(0);
    const again = copies.write(SUM, 1, file);
    while (again.step());
    expect(copies.read(1, SUM, 1, { key: "f", sizeBytes: file.length, checksum: crc32(file) }).ok).toBe(true);
  });
});

describe("a local copy that is not what the checkpoint holds", () => {
  const damages: readonly (readonly [string, (disk: MemoryDisk) => void])[] = [
    ["truncated", (disk) => disk.file(pathOf(SUM, 3)).resize(100)],
    ["grown", (disk) => disk.file(pathOf(SUM, 3)).resize(10_000)],
    ["empty", (disk) => disk.file(pathOf(SUM, 3)).resize(0)],
    ["silently damaged", (disk) => disk.file(pathOf(SUM, 3)).bytes.set([255], 40)],
    ["another subtask's", (disk) => {
      store(new LocalCopies(disk, DIRECTORY), { ...SUM, subtask: 0 }, 3);
      disk.rename(pathOf({ ...SUM, subtask: 0 }, 3), pathOf(SUM, 3));
    }],
    ["of another attempt, under the same id", (disk) => void store(new LocalCopies(disk, DIRECTORY), SUM, 3, 2)],
  ];
  it.each(damages)("is found out and removed: %s", (_name, damage) => {
    const disk = new MemoryDisk();
    store(new LocalCopies(disk, DIRECTORY), SUM, 3);
    damage(disk);
    const copies = new LocalCopies(disk, DIRECTORY);
    expect(read(copies, SUM, 3)).toEqual({ ok: false, fault: "damaged" });
    expect(filesOn(disk)).toEqual([]);
    expect(read(copies, SUM, 3)).toEqual({ ok: false, fault: "missing" });
    expect(disk.openDescriptors).toBe(0);
  });

  it("is left out where the disk does not give it", () => {
    for (const refused of ["open", "size", "read"]) {
      const disk = new MemoryDisk();
      const copies = new LocalCopies(disk, DIRECTORY);
      store(copies, SUM, 3);
      disk.judge = (call) => (call === refused ? EIO : 0);
      expect(read(copies, SUM, 3)).toEqual({ ok: false, fault: "unreadable" });
      expect(disk.openDescriptors).toBe(0);
    }
  });

  it("is removed with whatever else lies there that is no copy", () => {
    const disk = new MemoryDisk();
    store(new LocalCopies(disk, DIRECTORY), SUM, 3);
    const slot = `${DIRECTORY}/slot-1`;
    for (const name of ["v2-s1-chk-4.copy.tmp", "v02-s1-chk-3.copy", "notes"]) disk.close(disk.open(`${slot}/${name}`, "create"));
    disk.makeDirectory(`${slot}/v2-s1-chk-9`);
    disk.makeDirectory(`${DIRECTORY}/slot-x`);
    disk.close(disk.open(`${DIRECTORY}/slot-x/file`, "create"));
    const copies = new LocalCopies(disk, DIRECTORY);
    expect(copies.inspect()).toEqual([{ ...SUM, checkpointId: 3 }]);
    expect(filesOn(disk)).toEqual([pathOf(SUM, 3)]);
    expect(disk.nodes.has(`${DIRECTORY}/slot-x`)).toBe(false);
  });

  it("goes with its directory where that cannot be listed", () => {
    const disk = new MemoryDisk();
    store(new LocalCopies(disk, DIRECTORY), SUM, 3);
    let refusals = 1;
    disk.judge = (call, path) => (call === "list" && path.endsWith("slot-1") && refusals-- > 0 ? EIO : 0);
    const copies = new LocalCopies(disk, DIRECTORY);
    expect(copies.inspect()).toEqual([]);
    expect(filesOn(disk)).toEqual([]);
    expect(store(copies, SUM, 4)).toBe(true);
    expect(isThere(copies, SUM, 4)).toBe(true);
  });
});

describe("a disk that refuses", () => {
  it("at any call means no copy, nothing left behind, and no error", () => {
    const counted = new MemoryDisk();
    let calls = 0;
    counted.judge = () => ((calls += 1), 0);
    store(new LocalCopies(counted, DIRECTORY), SUM, 1);
    expect(calls).toBeGreaterThan(12);
    let stored = 0;
    for (let refused = 1; refused <= calls; refused += 1) {
      const disk = new MemoryDisk();
      let call = 0;
      disk.judge = () => ((call += 1) === refused ? ENOSPC : 0);
      const copies = new LocalCopies(disk, DIRECTORY);
      const isStored = store(copies, SUM, 1);
      disk.judge = null;
      expect(isThere(copies, SUM, 1), `call ${refused}`).toBe(isStored);
      expect(filesOn(disk), `call ${refused}`).toEqual(isStored ? [pathOf(SUM, 1)] : []);
      expect(disk.openDescriptors, `call ${refused}`).toBe(0);
      if (isStored) stored += 1;
    }
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(calls);
  });
});

describe("the local state of a task", () => {
  function task(disk: MemoryDisk): { process: FakeProcess; copies: LocalCopies; state: TaskLocalState } {
    const process = new FakeProcess();
    const copies = new LocalCopies(disk, DIRECTORY);
    return { process, copies, state: new TaskLocalState(process.ports, copies, SUM, 1) };
  }

  it("tells once that a copy is there, and says so in the trace", () => {
    const { process, copies, state } = task(new MemoryDisk());
    const { file, handle } = fileOf(SUM, 3);
    let told = 0;
    state.store(3, file, () => (told += 1));
    process.advance(1000);
    expect(told).toBe(1);
    expect(process.points(TRACE.localCopyStored)).toEqual([{ kind: TRACE.localCopyStored, x: 3, y: file.length }]);
    expect(state.read(SUM, 3, handle).ok).toBe(true);
    state.restoring(3);
    state.confirm(3);
    expect(process.points(TRACE.localCopiesPruned)).toEqual([]);
    state.confirm(4);
    expect(process.points(TRACE.localCopiesPruned)).toEqual([{ kind: TRACE.localCopiesPruned, x: 4, y: 1 }]);
    expect(copies.inspect()).toEqual([]);
  });

  it("goes on without a copy where the disk is full", () => {
    const disk = new MemoryDisk();
    const { process, state } = task(disk);
    disk.judge = (call) => (call === "write" ? ENOSPC : 0);
    let told = 0;
    state.store(3, fileOf(SUM, 3).file, () => (told += 1));
    process.advance(1000);
    expect([told, process.points(TRACE.localCopyStored)[0]?.y]).toEqual([1, LOCAL_COPY_NOT_STORED]);
    expect(filesOn(disk)).toEqual([]);
  });

  it("gives up what is being stored when its checkpoint is aborted or the attempt ends, and stores nothing after", () => {
    for (const end of ["abort", "close", "dispose"] as const) {
      const disk = new MemoryDisk();
      const { process, copies, state } = task(disk);
      const large = new Uint8Array(3 * LOCAL_COPY_BYTES_PER_STEP);
      let told = 0;
      state.store(2, fileOf(SUM, 2).file, () => undefined);
      state.store(3, large, () => (told += 1));
      if (end === "abort") state.abort(3);
      else state[end]();
      process.advance(1000);
      expect(told, end).toBe(1);
      expect(idsOf(copies, SUM), end).toEqual(end === "dispose" ? [] : [2]);
      expect(filesOn(disk), end).toHaveLength(end === "dispose" ? 0 : 1);
      expect(disk.openDescriptors, end).toBe(0);
      if (end === "abort") continue;
      state.store(4, fileOf(SUM, 4).file, () => (told += 1));
      expect([told, idsOf(copies, SUM).includes(4)], end).toEqual([2, false]);
    }
  });
});
