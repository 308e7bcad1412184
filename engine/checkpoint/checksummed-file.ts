import { crc32 } from "../base/crc32.ts";
import { ByteWriter } from "../base/bytes.ts";
import { StructuralEncoder, decode } from "../base/codec.ts";

/**
 * Every file of a checkpoint:
 *
 *   offset 0   4 bytes  magic, four ASCII letters that name the kind of file
 *   offset 4   n bytes  one structurally encoded value (engine/base/codec)
 *   last 4     4 bytes  CRC-32 of everything before, big endian (little endian would make the CRC-32 of the
 *                       whole file the same number for every file, and a handle could not tell two apart)
 */
const MAGIC_BYTES = 4;
const TRAILER_BYTES = 4;
const FILE_BYTES_EXPECTED = 2048;

/** Names a file and what it must contain. */
export interface FileHandle {
  readonly key: string;
  readonly sizeBytes: number;
  /** CRC-32 of the whole file. */
  readonly checksum: number;
}

export type FileResult = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

/** Writes files one after the other; they share buffers. */
export class FileSealer {
  readonly #writer: ByteWriter = new ByteWriter(FILE_BYTES_EXPECTED);
  readonly #encoder: StructuralEncoder = new StructuralEncoder(this.#writer);

  seal(magic: string, value: unknown): Uint8Array {
    const writer = this.#writer;
    writer.truncate(0);
    for (let i = 0; i < MAGIC_BYTES; i += 1) writer.u8(magic.charCodeAt(i));
    this.#encoder.write(value);
    writer.u32(0);
    const file = writer.take();
    const at = file.length - TRAILER_BYTES;
    const checksum = crc32(file, 0, at);
    for (let i = 0; i < TRAILER_BYTES; i += 1) file[at + i] = checksum >>> (24 - 8 * i);
    return file;
  }
}

/** Of a sealed file: it ends with the checksum of everything before, so only that end is left to sum. */
export function handleOf(key: string, file: Uint8Array): FileHandle {
  const at = file.length - TRAILER_BYTES;
  let sealed = 0;
  for (let i = at; i < file.length; i += 1) sealed = (sealed << 8) | (file[i] as number);
  return { key, sizeBytes: file.length, checksum: crc32(file, at, file.length, sealed) };
}

/** Checks length, checksum and kind before anything is read as data. */
export function openFile(magic: string, file: Uint8Array, handle: FileHandle): FileResult {
  if (file.length !== handle.sizeBytes) {
    return { ok: false, reason: `${handle.key}: ${file.length} bytes where ${handle.sizeBytes} were written` };
  }
  if (crc32(file) !== handle.checksum) return { ok: false, reason: `${handle.key}: checksum differs` };
  for (let i = 0; i < MAGIC_BYTES; i += 1) {
    if (file[i] !== magic.charCodeAt(i)) return { ok: false, reason: `${handle.key}: not a ${magic} file` };
  }
  return { ok: true, value: decode(file.subarray(MAGIC_BYTES, file.length - TRAILER_BYTES)) };
}
