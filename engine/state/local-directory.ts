import type { Disk } from "../ports/disk.ts";
import { EISDIR } from "../ports/disk.ts";

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
