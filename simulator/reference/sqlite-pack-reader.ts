import { ByteReader } from "../../engine/base/bytes.ts";
import type { NativeFile } from "./native-rows.ts";

/*
 * A second reader of packs of database pages, made from the description of the format (head of page-pack in
 * engine/state/backends/sqlite) and not from the engine's code. Throws CorruptBytesError for whatever is not as
 * described.
 */

const MAGIC = "WWPP";
const VERSION = 1;
const HEAD_BYTES = 17;
const PAGE_BYTES = 4096;

/** A database file as its pages. */
export interface DatabasePages {
  readonly pageBytes: number;
  /** Page 1 of SQLite's counting is the first. */
  readonly pages: readonly Uint8Array[];
  /** For each page: the same text as long as it lies in the same pack. */
  readonly homes: readonly string[];
}

export function isPack(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && [...MAGIC].every((letter, i) => bytes[i] === letter.charCodeAt(0));
}

/** The database that the packs make, the last one first: of a page that several hold, the last one counts. */
export function readPacks(files: readonly NativeFile[]): DatabasePages {
  const pages: (Uint8Array | undefined)[] = [];
  const homes: string[] = [];
  let count = 0;
  for (const { name, bytes } of files) {
    count = readPack(bytes, (page, content) => {
      pages[page] = content;
      homes[page] = `${name}/${page}`;
    });
  }
  const whole: Uint8Array[] = [];
  for (let page = 0; page < count; page++) {
    const content = pages[page];
    if (content === undefined) return new ByteReader(new Uint8Array(0)).corrupt(`page ${page} of ${count} is in none of the packs`);
    whole.push(content);
  }
  return { pageBytes: PAGE_BYTES, pages: whole, homes };
}

/** Gives every page of a pack to `visit`; returns how many pages the database has. */
function readPack(bytes: Uint8Array, visit: (page: number, content: Uint8Array) => void): number {
  const reader = new ByteReader(bytes);
  if (bytes.length < HEAD_BYTES || !isPack(bytes)) reader.corrupt("no pack of pages");
  reader.skip(MAGIC.length);
  const version = reader.u8();
  if (version !== VERSION) reader.corrupt(`a pack of the unknown version ${version}`);
  const pageBytes = reader.u32();
  if (pageBytes !== PAGE_BYTES) reader.corrupt(`pages of ${pageBytes} bytes`);
  const pageCount = reader.u32();
  const count = reader.u32();
  if (reader.remaining !== count * (4 + PAGE_BYTES)) reader.corrupt(`${count} pages are announced, and other bytes are there`);
  let before = -1;
  const first = reader.position + 4 * count;
  for (let i = 0; i < count; i++) {
    const page = reader.u32();
    if (page <= before || page >= pageCount) reader.corrupt(`page ${page} of ${pageCount} behind page ${before}`);
    before = page;
    const start = first + i * PAGE_BYTES;
    visit(page, bytes.subarray(start, start + PAGE_BYTES));
  }
  return pageCount;
}
