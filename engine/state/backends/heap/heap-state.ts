import { refuseMerging } from "../../namespace-merging.ts";
import type { Namespace } from "../../state.ts";
import type { HeapTable } from "./heap-table.ts";
import type { HeapTtlCleaner } from "./heap-ttl.ts";
import { StateCell } from "./key-entry.ts";
import type { KeyEntry } from "./key-entry.ts";

/** What the state primitives of the heap backend share: finding the cell of the current key and namespace. */
export abstract class HeapState {
  protected readonly table: HeapTable;
  private readonly index: number;
  protected namespace: Namespace = "";
  /** The cell last found outside the void namespace. */
  private recent: StateCell | null = null;
  /** Of state with a time to live that is cleaned up incrementally. */
  cleaner: HeapTtlCleaner | null = null;

  constructor(table: HeapTable, index: number) {
    this.table = table;
    this.index = index;
  }

  setNamespace(namespace: Namespace): void {
    this.namespace = typeof namespace === "number" ? namespace + 0 : namespace;
  }

  mergeNamespaces(_target: Namespace, _sources: readonly Namespace[]): void {
    refuseMerging();
  }

  cleanUpExpired(): void {
    if (this.cleaner !== null) this.cleaner.run();
  }

  /** The cell, or null where nothing is kept. Its value may be null too. */
  protected cell(): StateCell | null {
    const entry = this.table.entry;
    if (entry === null) return null;
    return this.namespace === "" ? entry.cellAt(this.index) : this.namespacedCell(entry);
  }

  /** The cell, made where there is none; it must be written to now. */
  protected cellForWrite(): StateCell {
    const entry = this.table.entryForWrite();
    const cell = this.namespace === "" ? entry.cellAt(this.index) : this.namespacedCell(entry);
    return cell === null ? this.createCell(entry) : cell;
  }

  private namespacedCell(entry: KeyEntry): StateCell | null {
    const recent = this.recent;
    if (recent !== null && recent.entry === entry && recent.namespace === this.namespace && recent.attached) return recent;
    const cell = entry.namespacedCell(this.index, this.namespace);
    if (cell !== null) this.recent = cell;
    return cell;
  }

  private createCell(entry: KeyEntry): StateCell {
    const cell = new StateCell(entry, this.index, this.namespace);
    entry.attachCell(cell);
    if (this.namespace !== "") this.recent = cell;
    return cell;
  }
}
