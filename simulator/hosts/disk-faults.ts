import type { DiskResult } from "../../engine/ports/disk.ts";
import { EIO, ENOSPC } from "../../engine/ports/disk.ts";
import type { InteractionFault } from "../faults/fault.ts";
import type { Kernel, SimProcess } from "../world/kernel.ts";
import type { DiskFile } from "./disk-file.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

/** Whether a call could fail for want of space. */
export type Need = "space" | "no space";

/** The code that a call fails with before it does anything, or null. A slow disk holds the process up. */
export function failureOfDiskCall(
  kernel: Kernel,
  process: SimProcess,
  fault: InteractionFault | null,
  need: Need,
): DiskResult | null {
  if (fault === null) return null;
  if (fault.kind === "disk-slow") kernel.stall(process, fault.delayUs);
  if (fault.kind !== "disk-error") return null;
  return fault.code === "ENOSPC" && need === "space" ? ENOSPC : EIO;
}

/** A read that a fault hits: it may be short, or find that a bit of what it reads has flipped. */
export function readFaulty(
  disk: SimulatedDisk,
  fault: InteractionFault,
  file: DiskFile,
  target: Uint8Array,
  offset: number,
  length: number,
  position: number,
): DiskResult {
  const available = Math.max(0, Math.min(length, file.size - position));
  if (fault.kind === "disk-bit-flip") disk.flipBit(fault.id, file, position, available, fault.bit);
  const count = fault.kind === "disk-short-read" ? Math.min(available, Math.max(1, fault.bytes)) : available;
  return file.read(target, offset, count, position);
}

/** A write that a fault hits: it may be cut short, land elsewhere, or be stored with a flipped bit. */
export function writeFaulty(
  disk: SimulatedDisk,
  fault: InteractionFault,
  file: DiskFile,
  bytes: Uint8Array,
  position: number,
): DiskResult {
  if (fault.kind === "disk-error") {
    const count = fault.code === "ENOSPC" ? Math.min(fault.partBytes, bytes.length - 1) : 0;
    if (count <= 0) return fault.code === "ENOSPC" ? ENOSPC : EIO;
    disk.write(file, bytes.subarray(0, count), position);
    return count;
  }
  if (fault.kind === "disk-misdirected-write") {
    disk.misdirect(fault.id, file, bytes, position, fault.sectorsAway, fault.elsewhere);
    return bytes.length;
  }
  disk.write(file, bytes, position);
  if (fault.kind === "disk-bit-flip") disk.flipBit(fault.id, file, position, bytes.length, fault.bit);
  return bytes.length;
}
