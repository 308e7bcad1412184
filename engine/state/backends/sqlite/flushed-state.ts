import { ByteReader, ByteWriter, CorruptBytesError } from "../../../base/bytes.ts";
import { crc32 } from "../../../base/crc32.ts";
import type { Disk } from "../../../ports/disk.ts";
import { StateStorageError } from "../../state-errors.ts";
import { PackChain, type Pack } from "./pack-chain.ts";
import type { PageFile } from "./page-file.ts";
import { assemblePacks, PackWriter, readPack, type PackContents } from "./page-pack.ts";
import { SQLITE_OK } from "./sqlite-codes.ts";
import { expectDone, parentOf, readFile, writeDurableFile } from "./whole-file-io.ts";

const MANIFEST = "FLUSHED";
const MANIFEST_BYTES = 256;
const LEAST_PACK_BYTES = 6;

/**
 * What of a store survives a power loss: packs of pages, and a manifest that names them.
 *
 * Why it is crash-safe. The running database file is never relied on after the attempt, so nothing about the
 * order of its writes matters. A flush writes the pages that changed since the last one into a pack with a new
 * name and makes it durable (fsync of the file, then of the directory) before a manifest names it. The manifest
 * is written under another name, made durable, and renamed over the old one; the directory's fsync makes that
 * durable, and only then does the flush return and are packs removed that the new manifest does not name. So at
 * every moment the durable name FLUSHED leads to one whole manifest, the old or the new one, and all packs it
 * names are durable. A pack or a manifest that was never named is removed, or written over, by the next attempt.
 * Checksums cover the manifest itself and each pack.
 *
 * Manifest: varuint count; for each pack, in order: varuint number, varuint size, u32 CRC-32; then the u32 CRC-32 of all
 * that. Pack number n is the file "flush-n.pack".
 */
export class FlushedState {
  private readonly disk: Disk;
  private readonly directory: string;
  private readonly chain: PackChain = new PackChain();
  private nextNumber = 1;
  /** Whether the names of the directory and those above it are known to be durable. */
  private anchored = false;

  constructor(disk: Disk, directory: string) {
    this.disk = disk;
    this.directory = directory;
  }

  /** Puts the flushed database, if there is one, into the empty file. Throws StateStorageError. */
  recover(file: PageFile): void {
    const path = this.pathOf(MANIFEST);
    const manifest = readFile(this.disk, path);
    if (manifest === null) return;
    const packs: Pack[] = [];
    const contents: PackContents[] = [];
    for (const { number, sizeBytes, checksum } of decoded(path, () => readManifest(manifest))) {
      const name = packName(number);
      const bytes = readFile(this.disk, this.pathOf(name));
      if (bytes === null || bytes.length !== sizeBytes || crc32(bytes) !== checksum) {
        throw new StateStorageError("corrupt", this.pathOf(name), "not the pack that the manifest names");
      }
      const pack = decoded(this.pathOf(name), () => readPack(bytes));
      contents.push(pack);
      packs.push({ name, sizeBytes, checksum, pages: pack.pages });
      this.nextNumber = Math.max(this.nextNumber, number + 1);
    }
    decoded(path, () => assemblePacks(contents, file));
    this.chain.load(packs, file.pageCount);
    file.sinceFlush.keepWrittenAfter(file.endGeneration(), (page) => file.writtenIn(page));
  }

  /** Makes the present pages durable. */
  flush(file: PageFile): void {
    if (file.sinceFlush.count === 0) return;
    const before = this.chain.names;
    const plan = this.chain.plan(file.sinceFlush.sorted(), () => false);
    const generation = file.endGeneration();
    const writer = new PackWriter(file, plan.pages);
    if (writer.step(writer.remainingBytes) !== SQLITE_OK) throw file.failure!;
    const name = packName(this.nextNumber);
    this.nextNumber += 1;
    writeDurableFile(this.disk, this.pathOf(name), writer.bytes);
    const pack: Pack = { name, sizeBytes: writer.bytes.length, checksum: crc32(writer.bytes), pages: plan.pages };
    this.syncNames();
    this.nameAll([...plan.kept, pack]);
    this.chain.commit(plan.kept, pack);
    file.sinceFlush.keepWrittenAfter(generation, (page) => file.writtenIn(page));
    for (const old of before) {
      // What cannot be removed is in nobody's way.
      if (!plan.kept.includes(old)) this.disk.unlink(this.pathOf(old.name));
    }
  }

  private nameAll(packs: readonly Pack[]): void {
    const path = this.pathOf(MANIFEST);
    const written = `${path}.new`;
    writeDurableFile(this.disk, written, manifestOf(packs));
    expectDone(this.disk.rename(written, path), path, "putting it in place");
    expectDone(this.disk.fsyncDirectory(this.directory), this.directory, "making its names durable");
  }

  private syncNames(): void {
    let path = this.directory;
    expectDone(this.disk.fsyncDirectory(path), path, "making its names durable");
    while (!this.anchored && path !== "/") {
      path = parentOf(path);
      expectDone(this.disk.fsyncDirectory(path), path, "making its names durable");
    }
    this.anchored = true;
  }

  private pathOf(name: string): string {
    return `${this.directory}/${name}`;
  }
}

interface NamedPack {
  readonly number: number;
  readonly sizeBytes: number;
  readonly checksum: number;
}

function packName(number: number): string {
  return `flush-${number}.pack`;
}

function manifestOf(packs: readonly Pack[]): Uint8Array {
  const writer = new ByteWriter(MANIFEST_BYTES);
  writer.varuint(packs.length);
  for (const { name, sizeBytes, checksum } of packs) {
    writer.varuint(Number(name.slice("flush-".length, -".pack".length)));
    writer.varuint(sizeBytes);
    writer.u32(checksum);
  }
  writer.u32(crc32(writer.toBytes()));
  return writer.toBytes();
}

function readManifest(bytes: Uint8Array): NamedPack[] {
  const reader = new ByteReader(bytes);
  const count = reader.count(LEAST_PACK_BYTES);
  const packs: NamedPack[] = [];
  for (let i = 0; i < count; i++) {
    packs.push({ number: reader.varuint(), sizeBytes: reader.varuint(), checksum: reader.u32() });
  }
  const end = reader.position;
  if (reader.u32() !== crc32(bytes, 0, end) || reader.remaining > 0) reader.corrupt("the manifest's checksum differs");
  return packs;
}

/** What bytes of a file say; CorruptBytesError becomes StateStorageError. */
export function decoded<T>(path: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CorruptBytesError) throw new StateStorageError("corrupt", path, error.message);
    throw error;
  }
}
