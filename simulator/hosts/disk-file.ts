import type { RandomStream } from "../../engine/ports/rng.ts";
import { DiskContents } from "./disk-contents.ts";
import { DamageOverlay } from "./disk-damage.ts";
import type { DiskProfile, FileChange } from "./disk-survivors.ts";
import { applySurvivors, applyWhole } from "./disk-survivors.ts";

/**
 * A file: what processes see, what is durable, and the changes between the two in the order they were made.
 * Damage lies over both: what is seen here is pristine, and only reading shows the damage.
 */
export class DiskFile {
  readonly kind = "file";
  readonly inode: number;
  readonly damage: DamageOverlay = new DamageOverlay();
  readonly #seen: DiskContents = new DiskContents();
  readonly #durable: DiskContents = new DiskContents();
  #unsynced: FileChange[] = [];
  #unsyncedBytes = 0;
  #lostPages = false;

  constructor(inode: number) {
    this.inode = inode;
  }

  get size(): number {
    return this.#seen.size;
  }

  get unsyncedChanges(): number {
    return this.#unsynced.length;
  }

  /** Bytes of the unsynced writes. */
  get unsyncedBytes(): number {
    return this.#unsyncedBytes;
  }

  /** True if what processes see may differ from what is durable. */
  get differs(): boolean {
    return this.#lostPages || this.#unsynced.length > 0;
  }

  /** For inspection: its size after a power loss of which nothing that is unsynced survives. */
  get durableSize(): number {
    return this.#durable.size;
  }

  /** For inspection: a failed fsync left changes that are seen, count as clean, and may not be on the disk. */
  get hasLostPages(): boolean {
    return this.#lostPages;
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = this.#seen.read(target, offset, length, position);
    if (!this.damage.isEmpty) this.damage.applyTo(target, offset, count, position);
    return count;
  }

  write(source: Uint8Array, position: number): void {
    const bytes = source.slice();
    this.#seen.write(bytes, position);
    this.#unsynced.push({ kind: "write", position, bytes });
    this.#unsyncedBytes += bytes.length;
    this.damage.overwrite(position, position + bytes.length);
  }

  truncate(size: number): void {
    this.#seen.truncate(size);
    this.#unsynced.push({ kind: "truncate", size });
    this.damage.overwrite(size, Number.MAX_SAFE_INTEGER);
  }

  /** Makes every change durable. Pages that a failed fsync lost are not among them. */
  sync(): void {
    for (const change of this.#unsynced) applyWhole(this.#durable, change);
    this.#forgetUnsynced();
  }

  /** Some of the changes reach the disk; all count as written from now on, and go on being seen. */
  failSync(profile: DiskProfile, random: RandomStream): void {
    this.#lostPages ||= this.#unsynced.length > 0;
    applySurvivors(this.#durable, this.#unsynced, profile, random);
    this.#forgetUnsynced();
  }

  /** Keeps what survives of the unsynced changes, and shows what is durable. */
  losePower(profile: DiskProfile, random: RandomStream): void {
    applySurvivors(this.#durable, this.#unsynced, profile, random);
    this.#forgetUnsynced();
    this.#lostPages = false;
    this.#seen.copyFrom(this.#durable);
    this.damage.overwrite(this.#seen.size, Number.MAX_SAFE_INTEGER);
  }

  /** A copy of what processes see. */
  bytes(): Uint8Array {
    const bytes = this.#seen.bytes();
    this.damage.applyTo(bytes, 0, bytes.length, 0);
    return bytes;
  }

  /** A copy of what processes would see without damage. */
  pristineBytes(): Uint8Array {
    return this.#seen.bytes();
  }

  #forgetUnsynced(): void {
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
  }
}
