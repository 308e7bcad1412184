import { describe, expect, it } from "vitest";
import { handleOf } from "#whitewater/engine/checkpoint/checksummed-file.js";
import { LocalCopies, type LocalCopyOwner } from "#whitewater/engine/checkpoint/local-copies.js";
import { encodeSnapshotFile } from "#whitewater/engine/checkpoint/snapshot-file.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { DISKS, died, Machine, type MakeDisk } from "./doomed-machine.ts";

/** Local copies on disks that break: whatever happens, what is read is what the handle names, or nothing. */

const DIRECTORY = "/whitewater/worker-1/local";
const SEEDS = 250;
const ROUNDS = 12;
const OWNERS: readonly LocalCopyOwner[] = [
  { allocation: 0, vertex: 0, subtask: 0 },
  { allocation: 0, vertex: 1, subtask: 0 },
  { allocation: 2, vertex: 1, subtask: 2 },
];

function fileOf({ vertex, subtask }: LocalCopyOwner, checkpointId: number, sizeBytes: number): Uint8Array {
  const keyed = new Uint8Array(sizeBytes);
  for (let at = 0; at < keyed.length; at += 1) keyed[at] = (at * 13 + checkpointId * 7 + vertex + subtask * 5) & 255;
  return encodeSnapshotFile({ checkpointId, vertex, subtask, operators: [{ uid: "sum", keyed, files: null, lists: new Uint8Array(0) }], channels: null });
}

const isSame = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0;

function store(copies: LocalCopies, owner: LocalCopyOwner, checkpointId: number, file: Uint8Array): boolean {
  const writer = copies.write(owner, checkpointId, file);
  while (writer.step());
  return writer.isStored;
}

describe.each(DISKS)("on an %s disk, local copies", (_profile, make: MakeDisk) => {
  it("survive a power loss once they are stored", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const machine = new Machine(make, seed);
      const copies = new LocalCopies(machine.port(), DIRECTORY);
      for (const owner of OWNERS) expect(store(copies, owner, 1, fileOf(owner, 1, 1500))).toBe(true);
      // One of the next is under way.
      machine.dieAtCall(1 + machine.random.below(20));
      died(() => OWNERS.forEach((owner) => store(copies, owner, 2, fileOf(owner, 2, 1500))));
      machine.powerLoss();
      const after = new LocalCopies(machine.port(), DIRECTORY);
      for (const owner of OWNERS) {
        const file = fileOf(owner, 1, 1500);
        const found = after.read(owner.allocation, owner, 1, handleOf("f", file));
        expect(found.ok && isSame(found.bytes, file), `seed ${seed}`).toBe(true);
      }
      for (const { path } of machine.disk.inspect()) expect(path, `seed ${seed}`).not.toContain(".tmp");
    }
  });

  it("are read exactly or not at all, whatever the disk does", () => {
    const seen = { found: 0, missing: 0, damaged: 0, unreadable: 0 };
    for (let seed = 1; seed <= SEEDS; seed += 1) run(make, seed, seen);
    // Each of these happens, or the property says nothing.
    for (const [outcome, times] of Object.entries(seen)) expect(times, outcome).toBeGreaterThan(20);
  });
});

function run(make: MakeDisk, seed: number, seen: Record<"found" | "missing" | "damaged" | "unreadable", number>): void {
  const machine = new Machine(make, seed);
  const { random } = machine;
  const files = new Map<string, { readonly owner: LocalCopyOwner; readonly id: number; readonly file: Uint8Array }>();
  let copies = new LocalCopies(machine.port(), DIRECTORY);
  for (let round = 0; round < ROUNDS; round += 1) {
    armFaults(machine);
    if (random.below(4) === 0) machine.dieAtCall(1 + random.below(30));
    const isDead = died(() => {
      for (let step = 0; step < 4; step += 1) act(copies, machine, files, seen, seed);
    });
    if (isDead || random.below(4) === 0) {
      if (random.below(2) === 0) machine.powerLoss();
      else machine.restart();
      copies = new LocalCopies(machine.port(), DIRECTORY);
    }
  }
}

function act(
  copies: LocalCopies,
  { random }: Machine,
  files: Map<string, { readonly owner: LocalCopyOwner; readonly id: number; readonly file: Uint8Array }>,
  seen: Record<"found" | "missing" | "damaged" | "unreadable", number>,
  seed: number,
): void {
  const owner = OWNERS[random.below(OWNERS.length)] as LocalCopyOwner;
  const id = 1 + random.below(3);
  const what = random.below(10);
  if (what === 0) copies.confirm(owner, id);
  else if (what === 1) copies.abort(owner, id);
  else if (what === 2) copies.restoring(owner, id);
  else if (what <= 5) {
    // The same id again may have other contents, of another size or of the same.
    const file = fileOf(owner, random.below(2) === 0 ? id : id + 10, random.below(2) === 0 ? 700 : 1600);
    files.set(`${owner.vertex}/${owner.subtask}/${id}`, { owner, id, file });
    store(copies, owner, id, file);
  } else {
    const known = files.get(`${owner.vertex}/${owner.subtask}/${id}`);
    if (known === undefined) return;
    const result = copies.read(owner.allocation, owner, id, handleOf("f", known.file));
    seen[result.ok ? "found" : result.fault] += 1;
    if (result.ok) expect(isSame(result.bytes, known.file), `seed ${seed}`).toBe(true);
  }
}

/** Now and then one call of each kind goes wrong. */
function armFaults({ kernel, random }: Machine): void {
  const nth = (): number => 1 + random.below(12);
  const writes = PORT_TRACE.diskWritten;
  const draws: readonly (() => void)[] = [
    () => kernel.arm(writes, { kind: "disk-bit-flip", bit: random.below(4000) }, nth()),
    () => kernel.arm(PORT_TRACE.diskRead, { kind: "disk-bit-flip", bit: random.below(4000) }, nth()),
    () => kernel.arm(writes, { kind: "disk-misdirected-write", sectorsAway: random.below(3), elsewhere: random.below(3) }, nth()),
    () => kernel.arm(writes, { kind: "disk-error", code: "ENOSPC", partBytes: random.below(900) }, nth()),
    () => kernel.arm(PORT_TRACE.diskRead, { kind: "disk-error", code: "EIO", partBytes: 0 }, nth()),
    () => kernel.arm(PORT_TRACE.diskRead, { kind: "disk-short-read", bytes: 1 + random.below(600) }, nth()),
    () => kernel.arm(PORT_TRACE.diskOpened, { kind: "disk-error", code: "EIO", partBytes: 0 }, nth()),
    () => kernel.arm(PORT_TRACE.diskNamed, { kind: "disk-error", code: "EIO", partBytes: 0 }, nth()),
    () => kernel.arm(PORT_TRACE.diskLooked, { kind: "disk-error", code: "EIO", partBytes: 0 }, nth()),
    () => kernel.arm(PORT_TRACE.diskSynced, { kind: "disk-fsync-failure" }, nth()),
    () => kernel.arm(PORT_TRACE.diskDirectorySynced, { kind: "disk-fsync-failure" }, nth()),
  ];
  for (const draw of draws) if (random.below(6) === 0) draw();
}
