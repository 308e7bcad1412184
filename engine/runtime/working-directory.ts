import { invariant } from "../base/assert.ts";
import type { Disk } from "../ports/disk.ts";
import { ENOENT } from "../ports/disk.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

const ROOT = "/whitewater";

export interface WorkingDirectory {
  readonly path: string;
  /** How often a worker of this name was started with this directory: 1 on a new or replaced host. */
  readonly generation: number;
}

/**
 * The directory of a worker on its host's disk (Flink: process.taskmanager.working-dir). A worker started
 * again on the same host finds it, and with it whatever it keeps there; on a replaced host it is empty.
 * The generation is kept in a small file, replaced by write, fsync, rename, fsync of the directory, so
 * that a power loss leaves the old or the new one. A disk that does not let us counts as empty.
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

function makeDirectory(disk: Disk, path: string, parent: string): void {
  if (disk.makeDirectory(path) >= 0) disk.fsyncDirectory(parent);
}

function readGeneration(disk: Disk, file: string): number {
  const descriptor = disk.open(file, "read");
  if (descriptor < 0) return 0;
  const bytes = new Uint8Array(4);
  const count = disk.read(descriptor, bytes, 0, 4, 0);
  disk.close(descriptor);
  return count === 4 ? new DataView(bytes.buffer).getUint32(0, true) : 0;
}

function writeGeneration(disk: Disk, directory: string, file: string, generation: number): void {
  const temporary = `${file}.new`;
  const descriptor = disk.open(temporary, "create");
  if (descriptor < 0) {
    invariant(descriptor !== ENOENT, "the working directory was made before");
    return;
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, generation, true);
  const written = disk.write(descriptor, bytes, 0, 4, 0);
  const synced = disk.fsync(descriptor);
  disk.close(descriptor);
  if (written !== 4 || synced < 0) return;
  if (disk.rename(temporary, file) >= 0) disk.fsyncDirectory(directory);
}
