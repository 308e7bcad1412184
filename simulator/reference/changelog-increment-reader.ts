import { ByteReader } from "../../engine/base/bytes.ts";
import { decodeFrom } from "../../engine/base/codec.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MIN_WATERMARK } from "../../engine/base/units.ts";
import { ChangelogContents } from "./changelog-contents.ts";
import { applySegment, readLogStates, statesOf, wholeNumber } from "./changelog-operations.ts";
import type { LogState } from "./changelog-operations.ts";
import type { NativeFile } from "./native-rows.ts";
import { KeyedSectionReader } from "./snapshot-reader.ts";
import type { KeyedSection } from "./snapshot-reader.ts";

/*
 * A second reader of the increments of the changelog backend, made from the description of the format (head of
 * increment-format in engine/state/backends/changelog) and not from the engine's code. It applies the logs to the
 * base and gives what a section of the same state would give. Throws CorruptBytesError for whatever is not as
 * described.
 */

/** "WWCI", least byte first. */
const MAGIC = 0x49_43_57_57;
const VERSION = 1;
const MOST_KEY_GROUPS = 32_768;
const FORMS = ["sections", "native"] as const;

/** A base as the head names it. */
interface NamedBase {
  readonly form: (typeof FORMS)[number];
  readonly files: readonly { readonly file: NativeFile; readonly nestedName: string }[];
}

export function isChangelogIncrement(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new ByteReader(bytes).u32() === MAGIC;
}

/** Reads increments of one subtask one after another. `readNative`: a base in the nested backend's own form. */
export class ChangelogIncrementReader {
  readonly #readNative: (files: readonly NativeFile[]) => KeyedSection;
  /** Of the parts of a base. */
  readonly #readers: KeyedSectionReader[] = [];
  readonly #orders: WeakMap<object, string> = new WeakMap();

  constructor(readNative: (files: readonly NativeFile[]) => KeyedSection) {
    this.#readNative = readNative;
  }

  /** `files`: the head, then what it names, in any order. */
  read(files: readonly NativeFile[]): KeyedSection {
    const [head, ...others] = files;
    const reader = new ByteReader(head?.bytes ?? new Uint8Array(0));
    if (reader.u32() !== MAGIC) reader.corrupt("no increment of the changelog backend");
    const version = reader.u8();
    if (version !== VERSION) reader.corrupt(`an increment of the unknown version ${version}`);
    const [maxParallelism, firstKeyGroup, groups] = [reader.varuint(), reader.varuint(), reader.varuint()];
    if (maxParallelism < 1 || maxParallelism > MOST_KEY_GROUPS) reader.corrupt(`${maxParallelism} key groups in all`);
    if (firstKeyGroup + groups > maxParallelism) reader.corrupt(`${groups} key groups from ${firstKeyGroup} on are too many`);
    const watermarkMs = wholeNumber(reader, "the watermark");
    const contents = new ChangelogContents(this.#orders);
    const bases = this.#readBase(readBaseNames(reader, others));
    let next = firstKeyGroup;
    for (const base of bases) {
      if (base.maxParallelism !== maxParallelism) reader.corrupt("a base with another number of key groups in all");
      if (base.firstKeyGroup < next) reader.corrupt("a part of the base begins before the one before it ends");
      next = base.firstKeyGroup + base.watermarks.length;
      if (next > firstKeyGroup + groups) reader.corrupt("the base has key groups that are not the subtask's");
      contents.load(base);
    }
    const states = applyLogs(reader, others, contents, { firstKeyGroup, groups });
    if (reader.remaining > 0) reader.corrupt("something follows the last log");
    return {
      maxParallelism,
      firstKeyGroup,
      watermarks: new Array<TimestampMs>(groups).fill(watermarkMs),
      watermarkMs: groups === 0 ? MIN_WATERMARK : watermarkMs,
      states: statesOf(states, bases, reader),
      entries: contents.entries(),
      eventTimers: contents.timers(0),
      processingTimers: contents.timers(1),
    };
  }

  #readBase({ form, files }: NamedBase): readonly KeyedSection[] {
    if (form === "native") return [this.#readNative(files.map(({ file, nestedName }) => ({ ...file, name: nestedName })))];
    return files.map(({ file }, at) => (this.#readers[at] ??= new KeyedSectionReader()).read(file.bytes));
  }
}

function readBaseNames(reader: ByteReader, files: readonly NativeFile[]): NamedBase {
  const form = FORMS[reader.u8()] ?? reader.corrupt("a base of an unknown form");
  const named: { readonly file: NativeFile; readonly nestedName: string }[] = [];
  const count = reader.varuint();
  for (let i = 0; i < count; i++) {
    const file = fileNamed(reader, files);
    const nestedName = decodeFrom(reader);
    if (typeof nestedName !== "string") return reader.corrupt("the nested name of a file is no string");
    if ((nestedName === "") !== (form === "sections")) reader.corrupt("a section with a nested name, or a nested file without");
    named.push({ file, nestedName });
  }
  return { form, files: named };
}

/** Returns the states of all tables, the latest of each name. */
function applyLogs(
  reader: ByteReader,
  files: readonly NativeFile[],
  contents: ChangelogContents,
  range: { readonly firstKeyGroup: number; readonly groups: number },
): readonly LogState[] {
  const all = new Map<string, LogState>();
  const logs = reader.varuint();
  if (logs === 0) reader.corrupt("an increment without a log");
  for (let log = 0; log < logs; log++) {
    // Where an attempt's numbers begin matters to nobody but its writer.
    reader.varuint();
    const states = readLogStates(reader);
    for (const state of states) all.set(state.name, state);
    const segments = reader.varuint();
    for (let i = 0; i < segments; i++) {
      const operations = reader.varuint();
      if (operations === 0) reader.corrupt("an empty segment");
      applySegment(new ByteReader(fileNamed(reader, files).bytes), operations, states, range, contents);
    }
  }
  return [...all.values()];
}

function fileNamed(reader: ByteReader, files: readonly NativeFile[]): NativeFile {
  const name = decodeFrom(reader);
  return files.find((file) => file.name === name) ?? reader.corrupt(`${String(name)} is not among the files`);
}
