import { crc32 } from "../base/crc32.ts";
import type { Disk } from "../ports/disk.ts";
import type { FileHandle } from "./checksummed-file.ts";
import type { LocalCopyFault } from "./local-copies.ts";

/** Reads a local file that should hold what the handle names, or says why it does not. */
export function readIntact(disk: Disk, path: string, handle: FileHandle): Uint8Array | LocalCopyFault {
  const descriptor = disk.open(path, "read");
  if (descriptor < 0) return "unreadable";
  const bytes = readSized(disk, descriptor, handle.sizeBytes);
  disk.close(descriptor);
  if (typeof bytes !== "string" && crc32(bytes) !== handle.checksum) return "damaged";
  return bytes;
}

function readSized(disk: Disk, descriptor: number, sizeBytes: number): Uint8Array | LocalCopyFault {
  const size = disk.size(descriptor);
  if (size < 0) return "unreadable";
  if (size !== sizeBytes) return "damaged";
  const bytes = new Uint8Array(sizeBytes);
  let length = 0;
  // A read may return less than there is: only none at all is the end.
  while (length < sizeBytes) {
    const count = disk.read(descriptor, bytes, length, sizeBytes - length, length);
    if (count < 0) return "unreadable";
    if (count === 0) return "damaged";
    length += count;
  }
  return bytes;
}
