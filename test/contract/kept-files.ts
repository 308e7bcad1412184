import { deepEqual, equal } from "node:assert/strict";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import type { StoreFile } from "#whitewater/engine/state/ordered-store.js";

/** What a checkpoint store does with the files of native snapshots: keeps each once, by name. */
export class KeptFiles {
  private readonly kept: Map<string, StoreFile> = new Map();
  private readonly confirmed: Set<string> = new Set();

  /** Takes a snapshot's files over; every promise about them is checked. Returns the bytes that were new. */
  add(files: readonly StoreFile[]): number {
    let newBytes = 0;
    equal(new Set(files.map((file) => file.name)).size, files.length);
    for (const file of files) {
      const known = this.kept.get(file.name);
      if (file.bytes === null) {
        deepEqual([file.name, this.confirmed.has(file.name)], [file.name, true]);
      } else {
        deepEqual([file.name, file.bytes.length, crc32(file.bytes)], [file.name, file.sizeBytes, file.checksum]);
        newBytes += file.sizeBytes;
      }
      if (known === undefined) this.kept.set(file.name, { ...file, bytes: file.bytes?.slice() ?? null });
      else deepEqual([file.name, file.sizeBytes, file.checksum], [known.name, known.sizeBytes, known.checksum]);
    }
    return newBytes;
  }

  confirm(files: readonly StoreFile[]): void {
    for (const file of files) this.confirmed.add(file.name);
  }

  /** The same files, each with its bytes. */
  resolved(files: readonly StoreFile[]): readonly StoreFile[] {
    return files.map((file) => this.kept.get(file.name)!);
  }
}
