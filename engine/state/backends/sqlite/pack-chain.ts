import { invariant } from "../../../base/assert.ts";

/** A pack that was written, as the chain knows it. */
export interface Pack {
  readonly name: string;
  readonly sizeBytes: number;
  /** CRC-32 of its bytes. */
  readonly checksum: number;
  /** In ascending order. */
  readonly pages: Uint32Array;
}

/** What a new pack has to hold, and the packs that are needed beside it, in order. */
export interface PackPlan {
  readonly pages: Uint32Array;
  readonly kept: readonly Pack[];
}

/** A pack that has this many times as many pages as the new one (so far) is left alone. */
const SIZE_RATIO = 2;

/**
 * The packs that together hold a database, and which of them holds the present version of each page.
 *
 * A pack that no page needs any more is left out. So that neither their number nor what is dead in them grows,
 * a new pack takes over the live pages of packs that are at least half dead, and of the newest packs as long as
 * these are not twice its size: the chain's length grows with the logarithm of the database, and what is written
 * twice stays in proportion to what changed. When the last of them is taken over, the new pack is a full one.
 */
export class PackChain {
  private packs: readonly Pack[] = [];
  /** By page; undefined for one that no pack holds. */
  private readonly holder: (Pack | undefined)[] = [];
  private readonly live: Map<Pack, number> = new Map();

  /**
   * `changed`: all pages that the chain does not hold in their present version, ascending. `mustLeave`: a pack
   * that cannot be relied on.
   */
  plan(changed: Uint32Array, mustLeave: (pack: Pack) => boolean): PackPlan {
    const replaced = new Map<Pack, number>();
    for (const page of changed) {
      const pack = this.holder[page];
      if (pack !== undefined) replaced.set(pack, (replaced.get(pack) ?? 0) + 1);
    }
    let size = changed.length;
    const kept: Pack[] = [];
    const taken = new Set<Pack>();
    let newest = true;
    for (let i = this.packs.length - 1; i >= 0; i--) {
      const pack = this.packs[i]!;
      const left = this.liveIn(pack) - (replaced.get(pack) ?? 0);
      if (left === 0) continue;
      const small = newest && size > 0 && left < size * SIZE_RATIO;
      if (small || left * 2 <= pack.pages.length || mustLeave(pack)) {
        taken.add(pack);
        size += left;
      } else {
        newest = false;
        kept.push(pack);
      }
    }
    return { pages: taken.size === 0 ? changed : this.withLivePages(changed, taken), kept: kept.reverse() };
  }

  /** From now on the chain is `kept` and `added` (null: nothing was written), which holds what the plan said. */
  commit(kept: readonly Pack[], added: Pack | null): void {
    if (added !== null) {
      for (const page of added.pages) {
        const before = this.holder[page];
        if (before !== undefined) this.live.set(before, this.liveIn(before) - 1);
        this.holder[page] = added;
      }
      this.live.set(added, added.pages.length);
    }
    this.packs = added === null ? kept : [...kept, added];
    for (const [pack, count] of this.live) {
      if (this.packs.includes(pack)) continue;
      invariant(count === 0, "no page needs a pack that is left out");
      this.live.delete(pack);
    }
  }

  /** Of packs that are there already, as a restored database has them. */
  load(packs: readonly Pack[], pageCount: number): void {
    invariant(this.packs.length === 0, "only an empty chain is loaded");
    for (const pack of packs) {
      const pages = pack.pages.filter((page) => page < pageCount);
      this.commit([...this.packs], { ...pack, pages });
    }
  }

  get names(): readonly Pack[] {
    return this.packs;
  }

  private liveIn(pack: Pack): number {
    return this.live.get(pack) ?? 0;
  }

  private withLivePages(changed: Uint32Array, taken: ReadonlySet<Pack>): Uint32Array {
    const isChanged = new Set(changed);
    const pages: number[] = [...changed];
    for (const pack of taken) {
      for (const page of pack.pages) if (this.holder[page] === pack && !isChanged.has(page)) pages.push(page);
    }
    return Uint32Array.from(pages).sort();
  }
}
