/** What damage is: one flipped bit, a write that never came, or one that was meant for another place. */
export type DamageKind = "bit-flip" | "lost-write" | "misdirected-write";

/** Bytes of a file that are not what they should be. */
export interface DiskDamage {
  /** Of what one fault did, all parts have the same id. */
  readonly id: number;
  /** The fault of the plan. */
  readonly fault: string;
  readonly kind: DamageKind;
  readonly inode: number;
  /** A name of the file, or null if it has none any more. */
  readonly path: string | null;
  readonly offset: number;
  readonly length: number;
}

/** Where damage comes from. */
export interface DamageCause {
  readonly id: number;
  readonly fault: string;
}

interface Patch {
  readonly cause: DamageCause;
  readonly kind: DamageKind;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The damaged places of one file, laid over its pristine bytes. Later damage lies over earlier. */
export class DamageOverlay {
  #patches: readonly Patch[] = [];

  get isEmpty(): boolean {
    return this.#patches.length === 0;
  }

  /** A mask for "bit-flip": its bytes are folded in by exclusive or. Else the bytes that are read instead. */
  add(cause: DamageCause, kind: DamageKind, offset: number, bytes: Uint8Array): void {
    this.#patches = [...this.#patches, { cause, kind, offset, bytes }];
  }

  /** Damages bytes of the file that begin at `position` and lie in `target` from `offset` on. */
  applyTo(target: Uint8Array, offset: number, length: number, position: number): void {
    for (const { kind, offset: start, bytes } of this.#patches) {
      const from = Math.max(start, position);
      const to = Math.min(start + bytes.length, position + length);
      for (let at = from; at < to; at += 1) {
        const damaged = bytes[at - start] as number;
        const index = offset + at - position;
        target[index] = kind === "bit-flip" ? (target[index] as number) ^ damaged : damaged;
      }
    }
  }

  /** Good bytes came to this range: the damage there is no more. */
  overwrite(from: number, to: number): void {
    if (this.isEmpty || to <= from) return;
    const left: Patch[] = [];
    for (const patch of this.#patches) {
      const end = patch.offset + patch.bytes.length;
      if (end <= from || patch.offset >= to) {
        left.push(patch);
        continue;
      }
      if (patch.offset < from) left.push(part(patch, patch.offset, from));
      if (end > to) left.push(part(patch, to, end));
    }
    this.#patches = left;
  }

  /** Switches damage off: that of one id, or all. */
  heal(id: number | null): void {
    this.#patches = id === null ? [] : this.#patches.filter((patch) => patch.cause.id !== id);
  }

  list(inode: number, path: string | null): readonly DiskDamage[] {
    return this.#patches.map(({ cause, kind, offset, bytes }) => ({ ...cause, kind, inode, path, offset, length: bytes.length }));
  }
}

function part(patch: Patch, from: number, to: number): Patch {
  return { ...patch, offset: from, bytes: patch.bytes.subarray(from - patch.offset, to - patch.offset) };
}
