import type { Disk } from "../ports/disk.ts";
import { EEXIST, EISDIR, ENOENT, ENOSPC } from "../ports/disk.ts";
import { StateStorageError } from "./state-errors.ts";

/** Makes a directory and, where they are missing, those above it; their names are not synced. Throws StateStorageError. */
export function makeDirectories(disk: Disk, path: string): void {
  let result = disk.makeDirectory(path);
  const above = path.lastIndexOf("/");
  if (result === ENOENT && above > 0) {
    makeDirectories(disk, path.slice(0, above));
    result = disk.makeDirectory(path);
  }
  if (result >= 0 || result === EEXIST) return;
  throw new StateStorageError(result === ENOSPC ? "no-space" : "io", path, `the directory cannot be made (${result})`);
}

/** Removes a directory and all it holds, as far as the disk lets it: what is left is nobody's state any more. */
export function removeTree(disk: Disk, path: string): void {
  const names = disk.list(path);
  if (typeof names === "number") return;
  for (const name of names) {
    const below = `${path}/${name}`;
    if (disk.unlink(below) === EISDIR) removeTree(disk, below);
  }
  disk.removeDirectory(path);
}
