import { crc32 } from "../../../base/crc32.ts";

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
 * CRC-32 of `bytes[start, end)` and of the place where they belong: the table and the offset in it. A block
 * that is intact but lies in the wrong place has the wrong checksum.
 */
export function blockChecksum(
  bytes: Uint8Array,
  start: number,
  end: number,
  identity: TableIdentity,
  offset: number,
): number {
  writeU32(location, 0, identity.storeHash);
  writeU32(location, 4, identity.originNumber);
  writeU32(location, 8, Math.floor(identity.originNumber / TWO_32));
  writeU32(location, 12, offset);
  return crc32(location, 0, LOCATION_BYTES, crc32(bytes, start, end));
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
  bytes: Uint8Array,
  start: number,
  end: number,
  identity: TableIdentity,
  offset: number,
): boolean {
  return readU32(bytes, end) === blockChecksum(bytes, start, end, identity, offset);
}
