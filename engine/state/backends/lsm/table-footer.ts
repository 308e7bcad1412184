import { crc32 } from "../../../base/crc32.ts";
import { readU32, writeU32, type TableIdentity } from "./block-checksum.ts";

export const FOOTER_BYTES = 56;
/** "WWLSMT02" */
const MAGIC: readonly number[] = [0x57, 0x57, 0x4c, 0x53, 0x4d, 0x54, 0x30, 0x32];
const CHECKSUM_AT = 52;
const TWO_32 = 4294967296;

/** The last bytes of a table: what it is and where its parts are. Sizes are without the checksums behind parts. */
export interface TableFooter extends TableIdentity {
  readonly filterOffset: number;
  readonly filterBytes: number;
  readonly indexOffset: number;
  readonly indexBytes: number;
  readonly rows: number;
  readonly tombstones: number;
  readonly blocks: number;
  readonly fileBytes: number;
}

export function writeFooter(footer: TableFooter): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  bytes.set(MAGIC);
  writeU32(bytes, 8, footer.storeHash);
  writeU32(bytes, 12, footer.originNumber);
  writeU32(bytes, 16, Math.floor(footer.originNumber / TWO_32));
  writeU32(bytes, 20, footer.filterOffset);
  writeU32(bytes, 24, footer.filterBytes);
  writeU32(bytes, 28, footer.indexOffset);
  writeU32(bytes, 32, footer.indexBytes);
  writeU32(bytes, 36, footer.rows);
  writeU32(bytes, 40, footer.tombstones);
  writeU32(bytes, 44, footer.blocks);
  writeU32(bytes, 48, footer.fileBytes);
  writeU32(bytes, CHECKSUM_AT, crc32(bytes, 0, CHECKSUM_AT));
  return bytes;
}

/** The footer, or what is wrong with it. */
export function readFooter(bytes: Uint8Array, expected: TableIdentity, fileBytes: number): TableFooter | string {
  for (let i = 0; i < MAGIC.length; i++) if (bytes[i] !== MAGIC[i]) return "the footer has no magic";
  if (readU32(bytes, CHECKSUM_AT) !== crc32(bytes, 0, CHECKSUM_AT)) return "the footer fails its checksum";
  const footer: TableFooter = {
    storeHash: readU32(bytes, 8),
    originNumber: readU32(bytes, 12) + readU32(bytes, 16) * TWO_32,
    filterOffset: readU32(bytes, 20),
    filterBytes: readU32(bytes, 24),
    indexOffset: readU32(bytes, 28),
    indexBytes: readU32(bytes, 32),
    rows: readU32(bytes, 36),
    tombstones: readU32(bytes, 40),
    blocks: readU32(bytes, 44),
    fileBytes: readU32(bytes, 48),
  };
  if (footer.storeHash !== expected.storeHash || footer.originNumber !== expected.originNumber) {
    return "the footer is another table's";
  }
  if (footer.fileBytes !== fileBytes) return "the footer names another size";
  const filterEnd = footer.filterOffset + footer.filterBytes + 4;
  if (footer.indexOffset !== filterEnd || footer.indexOffset + footer.indexBytes + 4 + FOOTER_BYTES !== fileBytes) {
    return "the parts of the table do not meet";
  }
  return footer;
}
