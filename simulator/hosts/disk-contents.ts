/** The bytes of a file: they grow at the end without being copied each time, and holes are zeros. */
export class DiskContents {
  size = 0;
  /** What lies behind `size` is zero, so that a file can grow over it. */
  #bytes: Uint8Array = new Uint8Array(0);

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.size - position));
    if (count > 0) target.set(this.#bytes.subarray(position, position + count), offset);
    return count;
  }

  write(source: Uint8Array, position: number): void {
    if (source.length === 0) return;
    const end = position + source.length;
    this.#reserve(end);
    this.#bytes.set(source, position);
    if (end > this.size) this.size = end;
  }

  truncate(size: number): void {
    this.#reserve(size);
    if (size < this.size) this.#bytes.fill(0, size, this.size);
    this.size = size;
  }

  copyFrom(other: DiskContents): void {
    this.#bytes = other.bytes();
    this.size = other.size;
  }

  /** A copy. */
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
