import { crc32 } from "#whitewater/engine/base/crc32.js";
import type {
  OrderedStore,
  RowFilter,
  StoreFile,
  StoreFilesSnapshot,
  StoreIterator,
  StoreReader,
  StoreView,
} from "#whitewater/engine/state/ordered-store.js";
import { UploadedFiles } from "#whitewater/engine/state/uploaded-files.js";
import type { FilesByContent } from "#whitewater/engine/state/uploaded-files.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";

interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const ROWS_PER_FILE = 8;
const GONE = 0xee;

function compare(left: Uint8Array, right: Uint8Array): number {
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
  return left.length - right.length;
}

/** Index of the first row whose key is not below `key`. */
function lowerBound(rows: readonly Row[], key: Uint8Array): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(rows[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a test watches of all stores of one kind. */
export class StoreWatch {
  /** Calls that reached a store. */
  calls = 0;
  /** The call, counted from 1, at which the disk fails; 0: never. */
  failAt = 0;
  /** Views, iterators and file snapshots that were opened and not closed. */
  open = 0;
  files = 0;
}

/**
 * An ordered store in memory, as strict as the contract lets it be: what an iterator hands out is overwritten
 * as soon as it may be, keys and values are copied, a failed store refuses everything but `close` and
 * `destroy`, and files of confirmed snapshots come without bytes.
 */
export class MemoryStore implements OrderedStore {
  readonly watch: StoreWatch;
  /** Asked by `maintain`, which drops what it accepts. */
  rowFilter: RowFilter | null = null;
  needsMaintenance = false;
  destroyed = false;
  /** Sorted; replaced before the next change while `shared`. */
  private rows: Row[] = [];
  private shared = false;
  private failed = false;
  private readonly uploads: UploadedFiles<string> = new UploadedFiles();

  constructor(watch: StoreWatch = new StoreWatch()) {
    this.watch = watch;
  }

  get size(): number {
    return this.rows.length;
  }

  get(key: Uint8Array): Uint8Array | null {
    this.enter();
    return find(this.rows, key);
  }

  iterate(from: Uint8Array, to: Uint8Array | null): StoreIterator {
    this.enter();
    this.shared = true;
    return new MemoryIterator(this.watch, this.rows, from, to, () => this.enter());
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.enter();
    this.own();
    const at = lowerBound(this.rows, key);
    const known = this.rows[at];
    if (known !== undefined && compare(known.key, key) === 0) this.rows[at] = { key: known.key, value: value.slice() };
    else if (at === this.rows.length) this.rows.push({ key: key.slice(), value: value.slice() });
    else this.rows.splice(at, 0, { key: key.slice(), value: value.slice() });
  }

  delete(key: Uint8Array): void {
    this.enter();
    this.own();
    const at = lowerBound(this.rows, key);
    const known = this.rows[at];
    if (known !== undefined && compare(known.key, key) === 0) this.rows.splice(at, 1);
  }

  view(): StoreView {
    this.enter();
    this.shared = true;
    const rows = this.rows;
    const { watch } = this;
    watch.open++;
    let open = true;
    return {
      get: (key) => {
        this.enter();
        return find(rows, key);
      },
      iterate: (from, to) => {
        this.enter();
        return new MemoryIterator(watch, rows, from, to, () => this.enter());
      },
      close: () => {
        if (open) watch.open--;
        open = false;
      },
    };
  }

  flush(): void {
    this.enter();
  }

  snapshotFiles(checkpointId: number): StoreFilesSnapshot {
    this.enter();
    this.shared = true;
    const { rows, watch } = this;
    const known = this.uploads.begin(checkpointId);
    const uploaded = new Map<string, StoreFile>();
    const files: StoreFile[] = [];
    let at = 0;
    let open = true;
    watch.open++;
    return {
      step: () => {
        this.enter();
        if (at < rows.length) files.push(this.fileOf(rows.slice(at, at + ROWS_PER_FILE), known, uploaded));
        at = Math.min(rows.length, at + ROWS_PER_FILE);
        if (at === rows.length) this.uploads.complete(checkpointId, uploaded);
        return rows.length - at;
      },
      files: () => files,
      close: () => {
        if (open) watch.open--;
        open = false;
      },
    };
  }

  confirm(checkpointId: number): void {
    this.enter();
    this.uploads.confirm(checkpointId);
  }

  abort(checkpointId: number): void {
    this.enter();
    this.uploads.forget(checkpointId);
  }

  restoreFiles(files: readonly StoreFile[], areKept: boolean = false): void {
    this.enter();
    for (const { bytes, checksum, name } of files) {
      if (bytes === null || crc32(bytes) !== checksum) throw new StateStorageError("corrupt", name, "a checksum differs");
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < bytes.length; ) {
        const keyEnd = at + 8 + view.getUint32(at);
        const end = keyEnd + view.getUint32(at + 4);
        this.rows.push({ key: bytes.slice(at + 8, keyEnd), value: bytes.slice(keyEnd, end) });
        at = end;
      }
    }
    if (!areKept) return;
    this.uploads.restored(new Map(files.map((file) => [contentOf(file.bytes!), { ...file, bytes: null }])));
  }

  maintain(): void {
    this.enter();
    this.own();
    const { rowFilter } = this;
    if (rowFilter !== null) this.rows = this.rows.filter(({ key, value }) => !rowFilter(key, value));
    this.needsMaintenance = false;
  }

  statistics(): Readonly<Record<string, number>> {
    return { rows: this.rows.length };
  }

  inspect(): StoreReader {
    const rows = this.rows;
    this.shared = true;
    return {
      get: (key) => find(rows, key),
      iterate: (from, to) => new MemoryIterator(this.watch, rows, from, to, () => {}),
    };
  }

  close(): void {}

  destroy(): void {
    this.destroyed = true;
  }

  private fileOf(rows: readonly Row[], known: FilesByContent<string>, uploaded: Map<string, StoreFile>): StoreFile {
    const bytes = fileBytes(rows);
    const content = contentOf(bytes);
    const file = known.get(content) ?? { name: `file-${++this.watch.files}`, sizeBytes: bytes.length, checksum: crc32(bytes), bytes };
    uploaded.set(content, { ...file, bytes: null });
    return file;
  }

  private own(): void {
    if (!this.shared) return;
    this.rows = this.rows.slice();
    this.shared = false;
  }

  private enter(): void {
    if (this.destroyed) throw new Error("a destroyed store is used");
    this.watch.calls++;
    this.failed ||= this.watch.calls === this.watch.failAt;
    if (this.failed) throw new StateStorageError("io", "/store", "the disk failed");
  }
}

function find(rows: readonly Row[], key: Uint8Array): Uint8Array | null {
  const row = rows[lowerBound(rows, key)];
  return row !== undefined && compare(row.key, key) === 0 ? row.value : null;
}

function contentOf(bytes: Uint8Array): string {
  return bytes.join();
}

function fileBytes(rows: readonly Row[]): Uint8Array {
  const bytes = new Uint8Array(rows.reduce((sum, { key, value }) => sum + 8 + key.length + value.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { key, value } of rows) {
    view.setUint32(at, key.length);
    view.setUint32(at + 4, value.length);
    bytes.set(key, at + 8);
    bytes.set(value, at + 8 + key.length);
    at += 8 + key.length + value.length;
  }
  return bytes;
}

class MemoryIterator implements StoreIterator {
  key: Uint8Array = new Uint8Array(0);
  value: Uint8Array = new Uint8Array(0);
  private readonly watch: StoreWatch;
  private readonly rows: readonly Row[];
  private readonly enter: () => void;
  private at: number;
  private readonly end: number;
  private open = true;

  constructor(watch: StoreWatch, rows: readonly Row[], from: Uint8Array, to: Uint8Array | null, enter: () => void) {
    this.watch = watch;
    this.rows = rows;
    this.enter = enter;
    this.at = lowerBound(rows, from);
    this.end = to === null ? rows.length : lowerBound(rows, to);
    watch.open++;
  }

  next(): boolean {
    this.enter();
    this.forget();
    if (!this.open || this.at >= this.end) return false;
    const row = this.rows[this.at++]!;
    this.key = row.key.slice();
    this.value = row.value.slice();
    return true;
  }

  close(): void {
    if (this.open) this.watch.open--;
    this.open = false;
    this.forget();
  }

  private forget(): void {
    this.key.fill(GONE);
    this.value.fill(GONE);
  }
}
