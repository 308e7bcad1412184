import { crc32 } from "../base/crc32.ts";
import type { Disk } from "../ports/disk.ts";
import { EEXIST } from "../ports/disk.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

const ROOT = "/whitewater";
/** The generation and the CRC-32 of its four bytes, both big endian. */
const FILE_BYTES = 8;
const CHECKED_BYTES = 4;

export interface WorkingDirectory {
  readonly path: string;
  /** How often a worker of this name was started with this directory: 1 on a new or replaced host. */
  readonly generation: number;
}

/**
 * The directory of a worker on its host's disk (Flink: process.taskmanager.working-dir). A worker started
 * again on the same host finds it, and with it whatever it keeps there; on a replaced host it is empty.
 * The generation is kept in a small file with a checksum, replaced by write, fsync, rename, fsync of the
 * directory, so that a power loss leaves the old or the new one. A disk that does not let us, or that gives
 * back what was never written, counts as empty.
 */
export function openWorkingDirectory(ports: ProcessPorts): WorkingDirectory {
  const { disk } = ports;
  const path = `${ROOT}/${ports.self}`;
  makeDirectory(disk, ROOT, "/");
  makeDirectory(disk, path, ROOT);
  const file = `${path}/generation`;
  const generation = readGeneration(disk, file) + 1;
  writeGeneration(disk, path, file, generation);
  return { path, generation };
}

/** A directory that is there already may be one whose name was never synced. */
function makeDirectory(disk: Disk, path: string, parent: string): void {
  const made = disk.makeDirectory(path);
  if (made >= 0 || made === EEXIST) disk.fsyncDirectory(parent);
}

function readGeneration(disk: Disk, file: string): number {
  const descriptor = disk.open(file, "read");
  if (descriptor < 0) return 0;
  const bytes = new Uint8Array(FILE_BYTES);
  let length = 0;
  // A read may return less than there is: only none at all is the end.
  while (length < FILE_BYTES) {
    const count = disk.read(descriptor, bytes, length, FILE_BYTES - length, length);
    if (count <= 0) break;
    length += count;
  }
  disk.close(descriptor);
  const view = new DataView(bytes.buffer);
  const isWhole = length === FILE_BYTES && view.getInt32(CHECKED_BYTES, false) === (crc32(bytes, 0, CHECKED_BYTES) | 0);
  return isWhole ? view.getUint32(0, false) : 0;
}

function writeGeneration(disk: Disk, directory: string, file: string, generation: number): void {
  const temporary = `${file}.new`;
  const descriptor = disk.open(temporary, "create");
  if (descriptor < 0) return;
  const bytes = new Uint8Array(FILE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, generation, false);
  view.setInt32(CHECKED_BYTES, crc32(bytes, 0, CHECKED_BYTES), false);
  const written = disk.write(descriptor, bytes, 0, FILE_BYTES, 0);
  const synced = disk.fsync(descriptor);
  disk.close(descriptor);
  if (written !== FILE_BYTES || synced < 0) return;
  if (disk.rename(temporary, file) >= 0) disk.fsyncDirectory(directory);
}
