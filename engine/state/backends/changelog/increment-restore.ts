import { CorruptBytesError } from "../../../base/byte-reader.ts";
import { SNAPSHOT_ENTRIES_PER_STEP } from "../../../base/limits.ts";
import type { KeyedBackend, KeyGroupRange } from "../../keyed-backend.ts";
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import type { StoreFile } from "../../ordered-store.ts";
import { crc32 } from "../../../base/crc32.ts";
import type { ChangelogIncrement } from "./increment-reader.ts";
import { cutLogged } from "./restored-sections.ts";

/** An empty backend of the nested kind, for a while; null where that kind has no form of its own. */
export type TemporaryBackend = (range: KeyGroupRange) => KeyedBackend;

/**
 * What an increment holds of a range, as keyed-state sections that do not reach beyond it: its base, to which its
 * logs are applied one after the other. A base in the nested backend's own form is opened in a temporary one.
 */
export function incrementSections(
  increment: ChangelogIncrement,
  range: KeyGroupRange,
  openTemporary: TemporaryBackend,
): readonly Uint8Array[] {
  let sections = increment.isNative
    ? [canonicalOf(increment, openTemporary)]
    : increment.base.map(({ bytes }) => bytes);
  for (const { states, parts } of increment.logs) {
    const { maxParallelism, watermarkMs } = increment;
    const base = sections.map((bytes) => new KeyedSectionReader(bytes));
    if (base.some((section) => section.maxParallelism !== maxParallelism)) throw new CorruptBytesError("a base of another max parallelism");
    const logged = { maxParallelism, range: increment.range, watermarkMs, states, base, segments: parts.map(({ segment }) => segment) };
    sections = cutLogged(logged, range, maxParallelism);
  }
  return sections;
}

function canonicalOf(increment: ChangelogIncrement, openTemporary: TemporaryBackend): Uint8Array {
  const temporary = openTemporary(increment.range);
  if (temporary.incremental === null) throw new CorruptBytesError("a base in the own form of a backend that is not nested here");
  const files = increment.base.map(({ nestedName, bytes }): StoreFile => {
    return { name: nestedName, sizeBytes: bytes.length, checksum: crc32(bytes), bytes };
  });
  temporary.incremental.restore([files]);
  const writer = temporary.snapshot();
  while (writer.step(SNAPSHOT_ENTRIES_PER_STEP) > 0);
  const section = writer.bytes();
  writer.cancel();
  temporary.dispose();
  return section;
}
