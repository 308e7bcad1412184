import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError, fileErrorReason } from "./usage-error.ts";

/**
 * Writes a file so that its path never holds a part of it: into a temporary file of the same directory,
 * synced, then renamed over the target. Missing directories are made. `wayOut` ends the error's line.
 */
export function writeFileAtomically(path: string, pieces: Iterable<string>, wayOut: string): void {
  const temporary = temporaryFor(path);
  try {
    makeDirectory(dirname(path));
    writePieces(temporary, pieces);
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw notWritable(path, error, wayOut);
  }
}

/** Throws the UsageError of `writeFileAtomically` now, where it would throw one later. Writes nothing. */
export function checkWritable(path: string, wayOut: string): void {
  const temporary = temporaryFor(path);
  try {
    makeDirectory(dirname(path));
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error("is a directory");
    writePieces(temporary, []);
  } catch (error) {
    throw notWritable(path, error, wayOut);
  } finally {
    removeQuietly(temporary);
  }
}

/**
 * With all that lead to it. Not by the recursive option, which on Node 20 tries for ever where a file system refuses
 * a directory by saying that there is none (as /proc does).
 */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

function notWritable(path: string, error: unknown, wayOut: string): UsageError {
  return new UsageError(path, `cannot be written (${fileErrorReason(error)})`, wayOut);
}

/** Where it was never made there is nothing to remove. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
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
