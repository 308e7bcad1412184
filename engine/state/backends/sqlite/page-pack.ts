import { ByteReader, ByteWriter } from "../../../base/bytes.ts";
import { invariant, present } from "../../../base/assert.ts";
import { CorruptBytesError } from "../../../base/byte-reader.ts";
import type { PageFile, PageSource } from "./page-file.ts";
import { PAGE_BYTES } from "./page-file.ts";
import { SQLITE_OK } from "./sqlite-codes.ts";

/**
 * A pack: some pages of a database as they were at one moment.
 *
 *   4 bytes  magic "WWPP"
 *   1 byte   version, 1
 *   u32      bytes of a page
 *   u32      pages of the whole database at that moment
 *   u32      pages in this pack, n
 *   n x u32  their numbers, the first is 0, ascending
 *   n pages
 *
 * Numbers are little-endian. Packs in the order in which they were made give a database: of a page that several
 * hold, the last one counts; the last pack says how many pages there are. The checksum of a pack is kept where
 * the pack is named.
 */
const MAGIC = [0x57, 0x57, 0x50, 0x50] as const;
const VERSION = 1;
const HEADER_BYTES = 17;
/** Pages that are put back with one write. */
const PAGES_PER_WRITE = 64;

/** Fills a pack in steps. */
export class PackWriter {
  readonly bytes: Uint8Array;
  private readonly source: PageSource;
  private readonly pages: Uint32Array;
  private done = 0;
  private at: number;

  /** `pages` in ascending order. */
  constructor(source: PageSource, pages: Uint32Array) {
    this.source = source;
    this.pages = pages;
    const header = new ByteWriter(HEADER_BYTES + pages.length * 4);
    for (const byte of MAGIC) header.u8(byte);
    header.u8(VERSION);
    header.u32(PAGE_BYTES);
    header.u32(source.pageCount);
    header.u32(pages.length);
    for (const page of pages) header.u32(page);
    this.at = header.position;
    this.bytes = new Uint8Array(this.at + pages.length * PAGE_BYTES);
    this.bytes.set(header.take());
  }

  get remainingBytes(): number {
    return (this.pages.length - this.done) * PAGE_BYTES;
  }

  /** Takes the next pages, one at least; the code of the first that cannot be read. */
  step(byteBudget: number): number {
    const last = Math.min(this.pages.length, this.done + Math.max(1, Math.floor(byteBudget / PAGE_BYTES)));
    while (this.done < last) {
      const code = this.source.readPage(this.pages[this.done]!, this.bytes.subarray(this.at, this.at + PAGE_BYTES));
      if (code !== SQLITE_OK) return code;
      this.done += 1;
      this.at += PAGE_BYTES;
    }
    return SQLITE_OK;
  }
}

/** A pack that was read: its pages are looked at where they lie. */
export interface PackContents {
  readonly bytes: Uint8Array;
  readonly pageCount: number;
  readonly pages: Uint32Array;
  readonly firstPageAt: number;
}

/** Throws CorruptBytesError. */
export function readPack(bytes: Uint8Array): PackContents {
  const reader = new ByteReader(bytes);
  for (const byte of MAGIC) if (reader.u8() !== byte) reader.corrupt("not a pack of pages");
  if (reader.u8() !== VERSION) reader.corrupt("a pack of another version");
  if (reader.u32() !== PAGE_BYTES) reader.corrupt("a pack of pages of another size");
  const pageCount = reader.u32();
  const count = reader.u32();
  if (count * (PAGE_BYTES + 4) !== reader.remaining) reader.corrupt(`${count} pages announced, other bytes there`);
  const pages = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const page = reader.u32();
    if (page >= pageCount || (i > 0 && page <= pages[i - 1]!)) reader.corrupt("page numbers out of order");
    pages[i] = page;
  }
  return { bytes, pageCount, pages, firstPageAt: reader.position };
}

/** Writes the database that the packs hold into an empty file. Throws CorruptBytesError where a page is missing. */
export function assemblePacks(packs: readonly PackContents[], file: PageFile): void {
  invariant(file.pageCount === 0, "packs are put into an empty file");
  const pageCount = packs.at(-1)?.pageCount ?? 0;
  const packOf = new Int32Array(pageCount).fill(-1);
  const placeOf = new Int32Array(pageCount);
  packs.forEach(({ pages }, number) => {
    pages.forEach((page, place) => {
      if (page >= pageCount) return;
      packOf[page] = number;
      placeOf[page] = place;
    });
  });
  const buffer = new Uint8Array(Math.min(pageCount, PAGES_PER_WRITE) * PAGE_BYTES);
  let filled = 0;
  for (let page = 0; page < pageCount; page++) {
    const number = packOf[page]!;
    if (number < 0) throw new CorruptBytesError(`page ${page} of ${pageCount} is in none of the packs`);
    const { bytes, firstPageAt } = present(packs[number], "a page lies in one of the packs");
    const start = firstPageAt + placeOf[page]! * PAGE_BYTES;
    buffer.set(bytes.subarray(start, start + PAGE_BYTES), filled);
    filled += PAGE_BYTES;
    if (filled === buffer.length || page === pageCount - 1) {
      file.appendPages(buffer.subarray(0, filled));
      filled = 0;
    }
  }
}
