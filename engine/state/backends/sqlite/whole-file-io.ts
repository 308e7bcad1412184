import type { Disk, DiskResult } from "../../../ports/disk.ts";
import { DISK_OK, EIO, ENOENT, ENOSPC } from "../../../ports/disk.ts";
import { StateStorageError } from "../../state-errors.ts";

/** Bytes that one disk call moves at most when a file is copied. */
const TRANSFER_BYTES = 1 << 18;

/** Reads until `length` bytes are there or the file ends: fewer than asked for does not mean the end, 0 does. */
export function readFully(
  disk: Disk,
  descriptor: number,
  target: Uint8Array,
  offset: number,
  length: number,
  position: number,
): DiskResult {
  let done = 0;
  while (done < length) {
    const count = disk.read(descriptor, target, offset + done, length - done, position + done);
    if (count < 0) return count;
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Writes all of it, in as many calls as the disk needs; DISK_OK or a negative code. */
export function writeFully(
  disk: Disk,
  descriptor: number,
  source: Uint8Array,
  offset: number,
  length: number,
  position: number,
): DiskResult {
  let done = 0;
  while (done < length) {
    const count = disk.write(descriptor, source, offset + done, length - done, position + done);
    if (count < 0) return count;
    if (count === 0) return EIO;
    done += count;
  }
  return DISK_OK;
}

/** The error of a disk call that did not work; `doing` as in "writing page 3". */
export function storageError(result: number, path: string, doing: string): StateStorageError {
  return new StateStorageError(result === ENOSPC ? "no-space" : "io", path, `the disk answers ${result} to ${doing}`);
}

/** A disk call's outcome, if it is one. */
export function expectDone(result: DiskResult, path: string, doing: string): number {
  if (result < 0) throw storageError(result, path, doing);
  return result;
}

/** As `expectDone`; closes the file where the call failed, however that goes. */
function doneOrClosed(disk: Disk, descriptor: number, result: DiskResult, path: string, doing: string): number {
  if (result < 0) disk.close(descriptor);
  return expectDone(result, path, doing);
}

/** A whole file, or null where there is none. */
export function readFile(disk: Disk, path: string): Uint8Array | null {
  const descriptor = disk.open(path, "read");
  if (descriptor === ENOENT) return null;
  expectDone(descriptor, path, "opening it");
  const size = doneOrClosed(disk, descriptor, disk.size(descriptor), path, "asking for its size");
  const bytes = new Uint8Array(size);
  const count = doneOrClosed(disk, descriptor, readFully(disk, descriptor, bytes, 0, size, 0), path, "reading it");
  expectDone(disk.close(descriptor), path, "closing it");
  if (count < size) throw new StateStorageError("corrupt", path, `${size} bytes expected, it ends at ${count}`);
  return bytes;
}

/** A new file, durable but for its name. */
export function writeDurableFile(disk: Disk, path: string, bytes: Uint8Array): void {
  const descriptor = expectDone(disk.open(path, "create"), path, "creating it");
  for (let at = 0; at < bytes.length; at += TRANSFER_BYTES) {
    const length = Math.min(TRANSFER_BYTES, bytes.length - at);
    doneOrClosed(disk, descriptor, writeFully(disk, descriptor, bytes, at, length, at), path, "writing it");
  }
  doneOrClosed(disk, descriptor, disk.fsync(descriptor), path, "making it durable");
  expectDone(disk.close(descriptor), path, "closing it");
}

export function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end <= 0 ? "/" : path.slice(0, end);
}
