import { invariant } from "../../../base/assert.ts";
import type { StoreIterator, StoreReader, StoreView } from "../../ordered-store.ts";
import { LsmIterator } from "./lsm-iterator.ts";
import { getAt, type Moment, type MomentKeeper } from "./moment.ts";

/** A moment that is kept: the memtable keeps older versions in memory, the version keeps its tables on disk. */
export class LsmView implements StoreView {
  private readonly moment: Moment;
  private readonly keeper: MomentKeeper;
  private readonly onClose: () => void;
  private isClosed = false;

  constructor(moment: Moment, keeper: MomentKeeper, onClose: () => void) {
    this.moment = moment;
    this.keeper = keeper;
    this.onClose = onClose;
    moment.version.acquire();
  }

  get(key: Uint8Array): Uint8Array | null {
    invariant(!this.isClosed, "a view is read before it is closed");
    this.keeper.requireIntact();
    return getAt(this.moment, key);
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    invariant(!this.isClosed, "a view is read before it is closed");
    this.keeper.requireIntact();
    return new LsmIterator(this.moment, from, to, this.keeper);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClose();
    this.keeper.release(this.moment.version);
  }
}

/** The present contents for people and oracles: nothing is kept for it, and nothing changes by it. */
export class LsmInspection implements StoreReader {
  private readonly moment: Moment;

  constructor(moment: Moment) {
    this.moment = moment;
  }

  get(key: Uint8Array): Uint8Array | null {
    return getAt(this.moment, key);
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    return new LsmIterator(this.moment, from, to, null);
  }
}
