import { ByteReader } from "../../engine/base/bytes.ts";
import type { TimestampMs } from "../../engine/base/units.ts";
import { MIN_WATERMARK } from "../../engine/base/units.ts";
import { ChangelogContents } from "./changelog-contents.ts";
import { applySegment, readLogStates, statesOf, wholeNumber } from "./changelog-operations.ts";
import type { LogState } from "./changelog-operations.ts";
import { KeyedSectionReader } from "./snapshot-reader.ts";
import type { KeyedSection } from "./snapshot-reader.ts";

/*
 * A second reader of what the changelog backend keeps in checkpoints, made from the description of the format
 * (head of changelog-format in engine/state/backends/changelog) and not from the engine's code. It applies the
 * log to the base and gives what a section of the same state would give. Throws CorruptBytesError for whatever
 * is not as described. Which key group a key belongs to is left to the caller.
 */

/** "WWCL", least byte first. */
const MAGIC = 0x4c_43_57_57;
const VERSION = 1;
const MOST_KEY_GROUPS = 32_768;

/**
 * Reads the keyed state of one operator subtask from checkpoint to checkpoint, whichever backend wrote it. What
 * did not change since the checkpoint before comes as the same objects, as far as it stands in a section.
 */
export class KeyedStateReader {
  /** Of whole sections, or of the parts of a base. */
  readonly #readers: KeyedSectionReader[] = [];
  readonly #orders: WeakMap<object, string> = new WeakMap();
  #bytes: Uint8Array | null = null;
  #section: KeyedSection | null = null;

  read(bytes: Uint8Array): KeyedSection {
    if (this.#section !== null && this.#bytes === bytes) return this.#section;
    const isLog = bytes.length >= 4 && new ByteReader(bytes).u32() === MAGIC;
    this.#section = isLog ? new ContainerScan(bytes, this.#readers, this.#orders).section() : readerAt(this.#readers, 0).read(bytes);
    this.#bytes = bytes;
    return this.#section;
  }
}

/** Reads the keyed state of one operator subtask, whichever backend wrote it. */
export function readKeyedState(bytes: Uint8Array): KeyedSection {
  return new KeyedStateReader().read(bytes);
}

function readerAt(readers: KeyedSectionReader[], index: number): KeyedSectionReader {
  return (readers[index] ??= new KeyedSectionReader());
}

class ContainerScan {
  readonly #reader: ByteReader;
  readonly #readers: KeyedSectionReader[];
  #states: readonly LogState[] = [];
  readonly #contents: ChangelogContents;
  #maxParallelism = 0;
  #firstKeyGroup = 0;
  #groups = 0;

  constructor(bytes: Uint8Array, readers: KeyedSectionReader[], orders: WeakMap<object, string>) {
    this.#contents = new ChangelogContents(orders);
    this.#reader = new ByteReader(bytes);
    this.#readers = readers;
  }

  section(): KeyedSection {
    const reader = this.#reader;
    if (reader.u32() !== MAGIC) reader.corrupt("the first bytes are not those of a changelog");
    const version = reader.u8();
    if (version !== VERSION) reader.corrupt(`a changelog of the unknown version ${version}`);
    const maxParallelism = (this.#maxParallelism = reader.varuint());
    const firstKeyGroup = (this.#firstKeyGroup = reader.varuint());
    const groups = (this.#groups = reader.varuint());
    if (maxParallelism < 1 || maxParallelism > MOST_KEY_GROUPS) reader.corrupt(`${maxParallelism} key groups in all`);
    if (firstKeyGroup + groups > maxParallelism) reader.corrupt(`${groups} key groups from ${firstKeyGroup} on are too many`);
    const watermarkMs = wholeNumber(reader, "the watermark");
    // Which materialization the base comes from matters to nobody but its writer.
    reader.varuint();
    const baseSqn = reader.varuint();
    this.#states = readLogStates(reader);
    const bases = this.#readBase();
    this.#readSegments(baseSqn);
    if (reader.remaining > 0) reader.corrupt("something follows the last segment");
    const states = statesOf(this.#states, bases, reader);
    return {
      maxParallelism,
      firstKeyGroup,
      watermarks: new Array<TimestampMs>(groups).fill(watermarkMs),
      watermarkMs: groups === 0 ? MIN_WATERMARK : watermarkMs,
      states,
      entries: this.#contents.entries(),
      eventTimers: this.#contents.timers(0),
      processingTimers: this.#contents.timers(1),
    };
  }

  #readBase(): KeyedSection[] {
    const reader = this.#reader;
    const bases: KeyedSection[] = [];
    const count = reader.varuint();
    let next = this.#firstKeyGroup;
    for (let i = 0; i < count; i++) {
      const base = readerAt(this.#readers, i).read(reader.bytes(reader.varuint()));
      if (base.maxParallelism !== this.#maxParallelism) reader.corrupt("a base with another number of key groups in all");
      if (base.firstKeyGroup < next) reader.corrupt("a part of the base begins before the one before it ends");
      next = base.firstKeyGroup + base.watermarks.length;
      if (next > this.#firstKeyGroup + this.#groups) reader.corrupt("the base has key groups that are not the subtask's");
      this.#contents.load(base);
      bases.push(base);
    }
    return bases;
  }

  #readSegments(baseSqn: number): void {
    const reader = this.#reader;
    const count = reader.varuint();
    let next = baseSqn;
    for (let i = 0; i < count; i++) {
      const first = reader.varuint();
      if (first !== next) reader.corrupt(`a segment begins with operation ${first}, not ${next}`);
      const operations = reader.varuint();
      if (operations === 0) reader.corrupt("an empty segment");
      next = first + operations;
      const segment = reader.section(reader.varuint());
      applySegment(segment, operations, this.#states, { firstKeyGroup: this.#firstKeyGroup, groups: this.#groups }, this.#contents);
    }
  }
}
