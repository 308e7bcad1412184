import { invariant } from "./assert.ts";

/** The reflected polynomial of CRC-32 as zip, gzip and PNG use it. */
const POLYNOMIAL = 0xedb88320;
const TABLE_SIZE = 256;
const TABLES = 16;
/** From here on it pays to make a view that reads whole words. */
const LONG_BYTES = 512;

/** Table t at t * 256: the checksum of a byte followed by t zero bytes, so that sixteen bytes go in one turn. */
const table: Int32Array = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(TABLES * TABLE_SIZE);
  for (let byte = 0; byte < TABLE_SIZE; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = TABLE_SIZE; i < tables.length; i++) {
    const before = tables[i - TABLE_SIZE] as number;
    tables[i] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}

/** CRC-32 of `bytes[start, end)`, as an unsigned 32-bit number; `before`: the one of what precedes them. */
export function crc32(bytes: Uint8Array, start: number = 0, end: number = bytes.length, before: number = 0): number {
  invariant(start >= 0 && start <= end && end <= bytes.length, "a checksum covers a range inside its bytes");
  const t = table;
  let crc = ~before;
  let i = start;
  if (end - start >= LONG_BYTES) {
    i = end - ((end - start) & 15);
    crc = ofSixteens(crc, new DataView(bytes.buffer, bytes.byteOffset + start, i - start));
  }
  for (const last = end - 8; i <= last; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t[1792 | (crc & 0xff)]! ^
      t[1536 | ((crc >>> 8) & 0xff)]! ^
      t[1280 | ((crc >>> 16) & 0xff)]! ^
      t[1024 | (crc >>> 24)]! ^
      t[768 | bytes[i + 4]!]! ^
      t[512 | bytes[i + 5]!]! ^
      t[256 | bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/** Takes a whole number of sixteen bytes into a checksum under way. */
function ofSixteens(before: number, view: DataView): number {
  const t = table;
  const length = view.byteLength;
  let crc = before;
  for (let i = 0; i < length; i += 16) {
    const a = crc ^ view.getInt32(i, true);
    const b = view.getInt32(i + 4, true);
    const c = view.getInt32(i + 8, true);
    const d = view.getInt32(i + 12, true);
    crc =
      t[3840 | (a & 0xff)]! ^
      t[3584 | ((a >>> 8) & 0xff)]! ^
      t[3328 | ((a >>> 16) & 0xff)]! ^
      t[3072 | (a >>> 24)]! ^
      t[2816 | (b & 0xff)]! ^
      t[2560 | ((b >>> 8) & 0xff)]! ^
      t[2304 | ((b >>> 16) & 0xff)]! ^
      t[2048 | (b >>> 24)]! ^
      t[1792 | (c & 0xff)]! ^
      t[1536 | ((c >>> 8) & 0xff)]! ^
      t[1280 | ((c >>> 16) & 0xff)]! ^
      t[1024 | (c >>> 24)]! ^
      t[768 | (d & 0xff)]! ^
      t[512 | ((d >>> 8) & 0xff)]! ^
      t[256 | ((d >>> 16) & 0xff)]! ^
      t[d >>> 24]!;
  }
  return crc;
}
