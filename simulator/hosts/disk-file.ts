import { invariant } from "../../engine/base/assert.ts";

/** A change of a file's contents that no fsync has made durable yet. */
type FileChange =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly size: number };

/** Bytes that grow at the end without being copied each time. */
class Contents {
  size = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.size - position));
    target.set(this.#bytes.subarray(position, position + count), offset);
    return count;
  }

  write(source: Uint8Array, position: number): void {
    const end = position + source.length;
    this.#reserve(end);
    this.#bytes.set(source, position);
    if (source.length > 0) this.size = Math.max(this.size, end);
  }

  truncate(size: number): void {
    this.#reserve(size);
    // What lies behind the end reads as zeros once the file grows over it.
    if (size < this.size) this.#bytes.fill(0, size, this.size);
    this.size = size;
  }

  copyFrom(other: Contents): void {
    this.#bytes = other.bytes();
    this.size = other.size;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.size);
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.size));
    this.#bytes = grown;
  }
}

/**
 * A file: what processes see, what is durable, and the changes between the two in the order they were made.
 */
export class DiskFile {
  readonly kind = "file";
  readonly inode: number;
  readonly #seen: Contents = new Contents();
  readonly #durable: Contents = new Contents();
  #unsynced: FileChange[] = [];
  #unsyncedBytes = 0;

  constructor(inode: number) {
    this.inode = inode;
  }

  get size(): number {
    return this.#seen.size;
  }

  get unsyncedChanges(): number {
    return this.#unsynced.length;
  }

  /** Bytes of the unsynced writes. */
  get unsyncedBytes(): number {
    return this.#unsyncedBytes;
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    return this.#seen.read(target, offset, length, position);
  }

  write(source: Uint8Array, position: number): void {
    const bytes = source.slice();
    this.#seen.write(bytes, position);
    this.#unsynced.push({ kind: "write", position, bytes });
    this.#unsyncedBytes += bytes.length;
  }

  truncate(size: number): void {
    this.#seen.truncate(size);
    this.#unsynced.push({ kind: "truncate", size });
  }

  /** Makes every change durable. */
  sync(): void {
    this.#apply(this.#unsynced.length);
  }

  /** Keeps the first `survivors` unsynced changes and forgets the rest. */
  losePower(survivors: number): void {
    invariant(survivors <= this.#unsynced.length, "no more changes survive than there are");
    this.#apply(survivors);
    this.#seen.copyFrom(this.#durable);
  }

  /** A copy of what processes see. */
  bytes(): Uint8Array {
    return this.#seen.bytes();
  }

  #apply(count: number): void {
    for (const change of this.#unsynced.slice(0, count)) {
      if (change.kind === "write") this.#durable.write(change.bytes, change.position);
      else this.#durable.truncate(change.size);
    }
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
  }
}
