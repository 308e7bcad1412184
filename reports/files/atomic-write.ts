import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError, fileErrorReason } from "./usage-error.ts";

/**
 * Writes a file so that its path never holds a part of it: into a temporary file of the same directory,
 * synced, then renamed over the target. Missing directories are made. `wayOut` ends the error's line.
 */
export function writeFileAtomically(path: string, pieces: Iterable<string>, wayOut: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writePieces(temporary, pieces);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(path, `cannot be written (${fileErrorReason(error)})`, wayOut);
  }
}

function writePieces(path: string, pieces: Iterable<string>): void {
  const descriptor = openSync(path, "w");
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, "utf8");
      let written = 0;
      while (written < bytes.length) written += writeSync(descriptor, bytes, written);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
