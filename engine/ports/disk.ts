/**
 * Outcome of a disk call: a count or descriptor (>= 0), or one of the closed set of negative codes.
 */
export type DiskResult = number;
export const DISK_OK = 0;
export const ENOENT = -2;
export const EIO = -5;
export const EBADF = -9;
export const EEXIST = -17;
export const ENOTDIR = -20;
export const EISDIR = -21;
/** A directory moved into itself, or the root moved or removed. */
export const EINVAL = -22;
export const ENOSPC = -28;
export const ENOTEMPTY = -39;

export type OpenMode = "read" | "write" | "create";

/**
 * A host's local POSIX-like file system, synchronous.
 *
 * Promises: what was fsynced survives everything but the loss of the disk; a created, renamed, linked or
 * removed name survives a power loss once its directory was fsynced. A crash of the process alone loses
 * nothing. May go wrong: any call returns a negative code; a read returns fewer bytes than asked, a write
 * writes fewer. After an fsync that failed, what it should have made durable may be lost although it can still
 * be read, and a later fsync says ok: only writing it again helps. Bytes read may be damaged. The
 * caller must not assume that unsynced changes survive a power loss whole or in the order they were made.
 * Paths are absolute, separated by "/". A process that dies keeps no descriptor open.
 */
export interface Disk {
  /** "create" makes or truncates the file; "write" and "read" need it to exist. Returns a descriptor. */
  open(path: string, mode: OpenMode): DiskResult;
  /** Reads up to `length` bytes at `position` into `target` at `offset`; returns the count, 0 at the end. */
  read(descriptor: number, target: Uint8Array, offset: number, length: number, position: number): DiskResult;
  /** Writes `length` bytes at `position`; returns the count, which is smaller where space ran out on the way. */
  write(descriptor: number, source: Uint8Array, offset: number, length: number, position: number): DiskResult;
  truncate(descriptor: number, size: number): DiskResult;
  size(descriptor: number): DiskResult;
  fsync(descriptor: number): DiskResult;
  close(descriptor: number): DiskResult;
  makeDirectory(path: string): DiskResult;
  fsyncDirectory(path: string): DiskResult;
  rename(from: string, to: string): DiskResult;
  link(existing: string, added: string): DiskResult;
  unlink(path: string): DiskResult;
  removeDirectory(path: string): DiskResult;
  /** Names in a directory, sorted by UTF-16 code units; a negative code if there is none. */
  list(path: string): readonly string[] | DiskResult;
}
