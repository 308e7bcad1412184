import { ByteReader } from "../../../base/bytes.ts";
import { CorruptBytesError } from "../../../base/byte-reader.ts";
import { decodeFrom } from "../../../base/codec.ts";
import type { TimestampMs } from "../../../base/units.ts";
import type { KeyGroupRange } from "../../keyed-backend.ts";
import type { StoreFile } from "../../ordered-store.ts";
import { readInteger, readRange, readStates } from "./container-reader.ts";
import { BASE_FORM, INCREMENT_MAGIC, INCREMENT_VERSION } from "./increment-format.ts";
import type { AttemptLog, BasePart, LogPart } from "./increment-format.ts";

/**
 * The files of one increment (see increment-format), each with its bytes. Opening it reads the head alone. Throws
 * CorruptBytesError for anything else.
 */
export class ChangelogIncrement {
  readonly maxParallelism: number;
  readonly range: KeyGroupRange;
  readonly watermarkMs: TimestampMs;
  readonly isNative: boolean;
  readonly base: readonly BasePart[];
  readonly logs: readonly AttemptLog[];
  /** By content of the parts above. */
  readonly files: ReadonlyMap<string, StoreFile>;

  constructor(files: readonly StoreFile[]) {
    const [head, ...others] = files;
    if (head === undefined || head.bytes === null) throw new CorruptBytesError("an increment without a head");
    const byName = new Map(others.map((file) => [file.name, file]));
    const used = new Map<string, StoreFile>();
    const bytesOf = (name: unknown): { readonly content: string; readonly bytes: Uint8Array } => {
      const file = typeof name === "string" ? byName.get(name) : undefined;
      if (file === undefined || file.bytes === null) throw new CorruptBytesError(`an increment without its file ${String(name)}`);
      const content = `restored:${file.name}`;
      used.set(content, file);
      return { content, bytes: file.bytes };
    };
    const reader = new ByteReader(head.bytes);
    if (reader.u32() !== INCREMENT_MAGIC) reader.corrupt("no increment of the changelog backend");
    const version = reader.u8();
    if (version !== INCREMENT_VERSION) reader.corrupt(`an increment of the changelog backend of version ${version}`);
    const { maxParallelism, range } = readRange(reader);
    this.maxParallelism = maxParallelism;
    this.range = range;
    this.watermarkMs = readInteger(reader, "a watermark");
    const form = reader.u8();
    if (form !== BASE_FORM.sections && form !== BASE_FORM.native) reader.corrupt("a base of an unknown form");
    this.isNative = form === BASE_FORM.native;
    const base: BasePart[] = [];
    for (let left = reader.count(2); left > 0; left--) {
      const part = bytesOf(decodeFrom(reader));
      const nestedName = decodeFrom(reader);
      if (typeof nestedName !== "string") reader.corrupt("a nested name that is no string");
      base.push({ ...part, nestedName: nestedName as string });
    }
    this.base = base;
    const logs: AttemptLog[] = [];
    for (let left = reader.count(3); left > 0; left--) logs.push(readAttemptLog(reader, bytesOf));
    if (logs.length === 0) reader.corrupt("an increment without a log");
    this.logs = logs;
    if (reader.remaining !== 0) reader.corrupt(`${reader.remaining} bytes follow the last log`);
    this.files = used;
  }
}

function readAttemptLog(
  reader: ByteReader,
  bytesOf: (name: unknown) => { readonly content: string; readonly bytes: Uint8Array },
): AttemptLog {
  const baseSqn = reader.varuint();
  const states = readStates(reader);
  const parts: LogPart[] = [];
  let sqn = baseSqn;
  for (let left = reader.count(2); left > 0; left--) {
    const operations = reader.varuint();
    if (operations === 0) reader.corrupt("a segment without operations");
    if (!Number.isSafeInteger(sqn + operations)) reader.corrupt("a number beyond the safe integers");
    const { content, bytes } = bytesOf(decodeFrom(reader));
    parts.push({ content, segment: { fromSqn: sqn, toSqn: sqn + operations, bytes } });
    sqn += operations;
  }
  return { states, baseSqn, parts };
}
