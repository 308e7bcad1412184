import { ByteReader, ByteWriter, CorruptBytesError, utf8Length } from "../../../base/bytes.ts";
import { crc32 } from "../../../base/crc32.ts";
import type { TableDescription } from "./table.ts";
import { LEVELS } from "./version.ts";

/** "WWLSML02" */
const MAGIC = [0x57, 0x57, 0x4c, 0x53, 0x4d, 0x4c, 0x30, 0x32] as const;
const CHECKSUM_BYTES = 4;
const LEAST_TABLE_BYTES = 14;

/** A table of a snapshot: also the name of its file there, and the CRC-32 of the whole file. */
export interface LevelsTable extends TableDescription {
  /** In a manifest: of its file in the directory; empty where that follows from the number. */
  readonly fileName: string;
  /** 0 in a manifest. */
  readonly fileChecksum: number;
}

/** What a manifest and the description file of a snapshot hold. */
export interface LevelsFile {
  /** No file of the store has this number or a greater one. */
  readonly nextNumber: number;
  /** By level: the largest key that a compaction took from it last; empty before any. */
  readonly compactedTo: readonly Uint8Array[];
  /** By level, in the order of a version. */
  readonly levels: readonly (readonly LevelsTable[])[];
}

export function writeLevelsFile(file: LevelsFile): Uint8Array {
  const out = new ByteWriter(1024);
  for (const byte of MAGIC) out.u8(byte);
  out.varuint(file.nextNumber);
  out.u8(file.levels.length);
  file.levels.forEach((tables, level) => {
    writeBytes(out, file.compactedTo[level]!);
    out.varuint(tables.length);
    for (const table of tables) {
      out.varuint(table.number);
      out.u32(table.storeHash);
      out.varuint(table.originNumber);
      out.varuint(table.sizeBytes);
      out.varuint(table.rows);
      out.varuint(table.tombstones);
      writeBytes(out, table.smallest);
      writeBytes(out, table.largest);
      const length = utf8Length(table.fileName);
      out.varuint(length);
      out.utf8(table.fileName, length);
      out.u32(table.fileChecksum);
    }
  });
  const checksum = crc32(out.toBytes());
  // Big endian: in little endian order the CRC-32 of every such file, which its handle has, would be the same number.
  for (let shift = 24; shift >= 0; shift -= 8) out.u8(checksum >>> shift);
  return out.take();
}

/** The contents, or what is wrong with them. */
export function readLevelsFile(bytes: Uint8Array): LevelsFile | string {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < MAGIC.length) return `has only ${bytes.length} bytes`;
  for (let i = 0; i < MAGIC.length; i++) if (bytes[i] !== MAGIC[i]) return "has no magic";
  let checksum = 0;
  for (let i = end; i < bytes.length; i++) checksum = (checksum << 8) | bytes[i]!;
  if (checksum >>> 0 !== crc32(bytes, 0, end)) return "fails its checksum";
  try {
    return parse(new ByteReader(bytes, MAGIC.length, end));
  } catch (error) {
    if (error instanceof CorruptBytesError) return error.message;
    throw error;
  }
}

function parse(reader: ByteReader): LevelsFile {
  const nextNumber = reader.varuint();
  if (reader.u8() !== LEVELS) reader.corrupt(`${LEVELS} levels expected`);
  const compactedTo: Uint8Array[] = [];
  const levels: LevelsTable[][] = [];
  for (let level = 0; level < LEVELS; level++) {
    compactedTo.push(readBytes(reader));
    const count = reader.count(LEAST_TABLE_BYTES);
    const tables: LevelsTable[] = [];
    for (let i = 0; i < count; i++) tables.push(parseTable(reader));
    levels.push(tables);
  }
  if (reader.remaining > 0) reader.corrupt("bytes behind the last level");
  return { nextNumber, compactedTo, levels };
}

function parseTable(reader: ByteReader): LevelsTable {
  return {
    number: reader.varuint(),
    storeHash: reader.u32(),
    originNumber: reader.varuint(),
    sizeBytes: reader.varuint(),
    rows: reader.varuint(),
    tombstones: reader.varuint(),
    smallest: readBytes(reader),
    largest: readBytes(reader),
    fileName: reader.utf8(reader.varuint()),
    fileChecksum: reader.u32(),
  };
}

function writeBytes(out: ByteWriter, bytes: Uint8Array): void {
  out.varuint(bytes.length);
  out.bytes(bytes);
}

function readBytes(reader: ByteReader): Uint8Array {
  return reader.bytes(reader.count(1));
}
