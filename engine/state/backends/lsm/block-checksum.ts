import { crc32 } from "../../../base/crc32.ts";
import { xxh32 } from "../../../base/xxh32.ts";

/** Bytes of a checksum behind every block. */
export const CHECKSUM_BYTES = 4;

/** Which table a block belongs to, wherever its file lies now. */
export interface TableIdentity {
  /** CRC-32 of the id of the store that wrote the table. */
  readonly storeHash: number;
  /** Its number in that store. */
  readonly originNumber: number;
}

const LOCATION_BYTES = 16;
const TWO_32 = 4294967296;
/** Always written before it is read. */
const location = new Uint8Array(LOCATION_BYTES);

/**
 * XXH32 of the bytes [start, end) of a view. Its seed is the CRC-32 of the place where they belong: the table
 * and the offset in it. A block that is intact but lies in the wrong place has the wrong checksum.
 */
export function blockChecksum(
  view: DataView,
  start: number,
  end: number,
  identity: TableIdentity,
  offset: number,
): number {
  writeU32(location, 0, identity.storeHash);
  writeU32(location, 4, identity.originNumber);
  writeU32(location, 8, Math.floor(identity.originNumber / TWO_32));
  writeU32(location, 12, offset);
  return xxh32(view, start, end, crc32(location, 0, LOCATION_BYTES));
}

export function writeU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value;
  target[at + 1] = value >>> 8;
  target[at + 2] = value >>> 16;
  target[at + 3] = value >>> 24;
}

export function readU32(source: Uint8Array, at: number): number {
  return (source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)) >>> 0;
}

/** True if the four bytes behind the block are its checksum. */
export function isIntact(
  view: DataView,
  start: number,
  end: number,
  identity: TableIdentity,
  offset: number,
): boolean {
  return view.getUint32(end, true) === blockChecksum(view, start, end, identity, offset);
}
