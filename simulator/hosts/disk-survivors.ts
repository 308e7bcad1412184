import type { RandomStream } from "../../engine/ports/rng.ts";
import type { DiskContents } from "./disk-contents.ts";

/** Bytes that a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

/** What a file system promises beyond POSIX; the head of SimulatedDisk says it in full. */
export type DiskProfile = "ordered" | "adversarial";

/** A change of a file's contents that no fsync has made durable yet. */
export type FileChange =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly size: number };

/** How a draw of survivors begins: extremes are as likely as mixtures, however many changes there are. */
export const SURVIVAL = { none: 0, all: 1, prefix: 2, each: 3 } as const;
export const SURVIVALS = 4;

/**
 * Applies to the durable contents of a file what survives of its unsynced changes, which are in the order in
 * which they were made. A stream of zeros keeps nothing.
 */
export function applySurvivors(
  durable: DiskContents,
  changes: readonly FileChange[],
  profile: DiskProfile,
  random: RandomStream,
): void {
  if (changes.length === 0) return;
  const survival = random.below(SURVIVALS);
  if (survival === SURVIVAL.none) return;
  if (survival === SURVIVAL.all) for (const change of changes) applyWhole(durable, change);
  else if (profile === "ordered") applyOrdered(durable, changes, survival, random);
  else applyAdversarial(durable, changes, survival, random);
}

export function applyWhole(durable: DiskContents, change: FileChange): void {
  if (change.kind === "write") durable.write(change.bytes, change.position);
  else durable.truncate(change.size);
}

/* ---- adversarial ---- */

function applyAdversarial(
  durable: DiskContents,
  changes: readonly FileChange[],
  survival: number,
  random: RandomStream,
): void {
  const whole = survival === SURVIVAL.prefix ? random.below(changes.length) : 0;
  const last = survival === SURVIVAL.prefix ? whole : changes.length - 1;
  changes.forEach((change, index) => {
    if (index < whole) applyWhole(durable, change);
    else if (index <= last) applyPartly(durable, change, random);
  });
}

const TEAR = { lost: 0, whole: 1, prefix: 2, any: 3 } as const;
const TEARS = 4;

function applyPartly(durable: DiskContents, change: FileChange, random: RandomStream): void {
  if (change.kind === "truncate") {
    if (random.below(2) === 1) durable.truncate(change.size);
    return;
  }
  const { position, bytes } = change;
  if (bytes.length === 0) return;
  const end = position + bytes.length;
  const tear = random.below(TEARS);
  if (tear === TEAR.whole) durable.write(bytes, position);
  else if (tear === TEAR.prefix) applyPrefix(durable, position, bytes, random);
  else if (tear === TEAR.any) applyAny(durable, position, bytes, random);
  // The size may have grown although the bytes never came.
  if (end > durable.size && random.below(2) === 1) durable.truncate(end);
}

function applyPrefix(durable: DiskContents, position: number, bytes: Uint8Array, random: RandomStream): void {
  const first = Math.floor(position / SECTOR_BYTES);
  const sectors = Math.floor((position + bytes.length - 1) / SECTOR_BYTES) - first + 1;
  const end = (first + random.below(sectors + 1)) * SECTOR_BYTES;
  if (end > position) durable.write(bytes.subarray(0, Math.min(bytes.length, end - position)), position);
}

/** Sixteen sectors a draw. */
function applyAny(durable: DiskContents, position: number, bytes: Uint8Array, random: RandomStream): void {
  const first = Math.floor(position / SECTOR_BYTES);
  const last = Math.floor((position + bytes.length - 1) / SECTOR_BYTES);
  let bits = 0;
  for (let sector = first; sector <= last; sector += 1) {
    if ((sector - first) % 16 === 0) bits = random.below(1 << 16);
    if ((bits & 1) === 1) writeSector(durable, sector, position, bytes, Number.MAX_SAFE_INTEGER);
    bits >>= 1;
  }
}

/** The part of a write that lies in one sector and before `limit`. */
function writeSector(durable: DiskContents, sector: number, position: number, bytes: Uint8Array, limit: number): void {
  const from = Math.max(position, sector * SECTOR_BYTES);
  const to = Math.min(position + bytes.length, (sector + 1) * SECTOR_BYTES, limit);
  if (to > from) durable.write(bytes.subarray(from - position, to - position), from);
}

/* ---- ordered ---- */

/** How far the size of a file got, and which bytes had to be there before it could. */
interface Growth {
  /** Changes before this one have had their effect on the size. */
  readonly stop: number;
  /** Bytes of the change at `stop` from there on are not in the file. */
  readonly partEnd: number;
  /** By sector: the last change that had to reach the disk before the size could grow. */
  readonly forced: ReadonlyMap<number, number>;
}

/**
 * The size changes survive as a prefix, and what they cover is there. Every other sector shows what the file
 * held there at some moment since the last fsync.
 */
function applyOrdered(
  durable: DiskContents,
  changes: readonly FileChange[],
  survival: number,
  random: RandomStream,
): void {
  const growth = drawGrowth(durable.size, changes, random);
  const moment = survival === SURVIVAL.prefix ? random.below(changes.length + 1) : -1;
  const moments = new Map<number, number>();
  const momentOf = (sector: number): number => {
    if (moment >= 0) return moment;
    let drawn = moments.get(sector);
    if (drawn === undefined) {
      drawn = random.below(changes.length + 1);
      moments.set(sector, drawn);
    }
    return drawn;
  };
  let limit = Number.MAX_SAFE_INTEGER;
  changes.forEach((change, index) => {
    if (index === growth.stop) limit = Math.max(durable.size, growth.partEnd);
    if (change.kind === "truncate") {
      // What was written where a lost truncation had cut went to other blocks, and is lost with it.
      if (index < growth.stop) durable.truncate(change.size);
      else if (change.size < limit) limit = change.size - (change.size % SECTOR_BYTES);
      return;
    }
    const { position, bytes } = change;
    const last = Math.floor((position + bytes.length - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(position / SECTOR_BYTES); sector <= last; sector += 1) {
      if (index <= (growth.forced.get(sector) ?? -1) || index < momentOf(sector)) {
        writeSector(durable, sector, position, bytes, limit);
      }
    }
  });
}

function drawGrowth(durableSize: number, changes: readonly FileChange[], random: RandomStream): Growth {
  let left = random.below(countSizings(durableSize, changes) + 1);
  const forced = new Map<number, number>();
  let size = durableSize;
  for (let i = 0; i < changes.length; i += 1) {
    const change = changes[i] as FileChange;
    const after = sizeAfter(size, change);
    if (after === size) continue;
    if (left === 0) {
      const partEnd = change.kind === "write" ? drawPartEnd(size, after, random) : size;
      force(forced, size, partEnd, i);
      return { stop: i, partEnd, forced };
    }
    left -= 1;
    // Cutting a sector writes it.
    if (change.kind === "write") force(forced, size, after, i);
    else force(forced, after - (after % SECTOR_BYTES), Math.min(size, after), i);
    size = after;
  }
  return { stop: changes.length, partEnd: size, forced };
}

function countSizings(durableSize: number, changes: readonly FileChange[]): number {
  let count = 0;
  let size = durableSize;
  for (const change of changes) {
    const after = sizeAfter(size, change);
    if (after !== size) count += 1;
    size = after;
  }
  return count;
}

function sizeAfter(size: number, change: FileChange): number {
  if (change.kind === "truncate") return change.size;
  return change.bytes.length === 0 ? size : Math.max(size, change.position + change.bytes.length);
}

/** A file that was growing from `size` to `after` may have grown up to any sector between. */
function drawPartEnd(size: number, after: number, random: RandomStream): number {
  const first = Math.floor(size / SECTOR_BYTES);
  const sectors = Math.ceil(after / SECTOR_BYTES) - first;
  const sector = first + random.below(sectors);
  return Math.max(size, sector * SECTOR_BYTES);
}

function force(forced: Map<number, number>, from: number, to: number, index: number): void {
  if (to <= from) return;
  const last = Math.floor((to - 1) / SECTOR_BYTES);
  for (let sector = Math.floor(from / SECTOR_BYTES); sector <= last; sector += 1) forced.set(sector, index);
}
