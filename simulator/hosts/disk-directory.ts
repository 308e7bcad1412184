import type { DiskFile } from "./disk-file.ts";

export type DiskNode = DiskFile | DiskDirectory;

/** A directory: the names that processes see, and those that are durable. */
export class DiskDirectory {
  readonly kind = "directory";
  readonly inode: number;
  readonly entries: Map<string, DiskNode> = new Map();
  readonly durable: Map<string, DiskNode> = new Map();

  constructor(inode: number) {
    this.inode = inode;
  }

  /** Names, sorted by UTF-16 code units. */
  names(): readonly string[] {
    return Array.from(this.entries.keys()).sort();
  }

  /** Sees again what is durable, in every directory below. */
  losePower(): void {
    this.entries.clear();
    for (const [name, node] of this.durable) {
      this.entries.set(name, node);
      if (node.kind === "directory") node.losePower();
    }
  }

  /** True if `other` is this directory or lies below it. */
  holds(other: DiskDirectory): boolean {
    if (other === this) return true;
    for (const node of this.entries.values()) if (node.kind === "directory" && node.holds(other)) return true;
    return false;
  }
}

/** A change of names. Moving is one change of both directories: it survives in both or in neither. */
export type NameChange =
  | { readonly kind: "put"; readonly directory: DiskDirectory; readonly name: string; readonly node: DiskNode }
  | { readonly kind: "remove"; readonly directory: DiskDirectory; readonly name: string }
  | {
      readonly kind: "move";
      readonly from: DiskDirectory;
      readonly fromName: string;
      readonly to: DiskDirectory;
      readonly toName: string;
      readonly node: DiskNode;
    };

/** The changes of names that no fsync of a directory has made durable yet, in the order they were made. */
export class NameJournal {
  #unsynced: NameChange[] = [];

  /** What processes see changes at once. */
  add(change: NameChange): void {
    applyTo(change, (directory) => directory.entries);
    this.#unsynced.push(change);
  }

  /**
   * Makes the changes of one directory durable, and with them every earlier change that they build on in
   * another directory (a moved file takes its creation along). Returns how many there were.
   */
  sync(directory: DiskDirectory): number {
    const touched = new Set([directory]);
    const synced = new Set<NameChange>();
    for (let i = this.#unsynced.length - 1; i >= 0; i -= 1) {
      const change = this.#unsynced[i];
      if (change === undefined || !directoriesOf(change).some((each) => touched.has(each))) continue;
      synced.add(change);
      for (const each of directoriesOf(change)) touched.add(each);
    }
    for (const change of this.#unsynced) if (synced.has(change)) applyTo(change, (each) => each.durable);
    this.#unsynced = this.#unsynced.filter((change) => !synced.has(change));
    return synced.size;
  }

  /**
   * Of each directory's unsynced changes a prefix survives, whose length `draw` chooses (0 … `changes`); one
   * that moves a name between directories survives only within the prefixes of both.
   */
  losePower(draw: (changes: number) => number): void {
    const survivors = new Map<DiskDirectory, number>();
    for (const change of this.#unsynced) {
      for (const each of directoriesOf(change)) survivors.set(each, (survivors.get(each) ?? 0) + 1);
    }
    for (const [directory, changes] of survivors) survivors.set(directory, draw(changes));
    for (const change of this.#unsynced) {
      const directories = directoriesOf(change);
      const survives = directories.every((each) => (survivors.get(each) ?? 0) > 0);
      if (survives) applyTo(change, (each) => each.durable);
      for (const each of directories) survivors.set(each, survives ? (survivors.get(each) ?? 0) - 1 : 0);
    }
    this.#unsynced = [];
  }

  /** How many changes wait, in all directories. */
  get length(): number {
    return this.#unsynced.length;
  }
}

function directoriesOf(change: NameChange): readonly DiskDirectory[] {
  if (change.kind !== "move") return [change.directory];
  return change.from === change.to ? [change.from] : [change.from, change.to];
}

function applyTo(change: NameChange, names: (directory: DiskDirectory) => Map<string, DiskNode>): void {
  if (change.kind === "put") {
    names(change.directory).set(change.name, change.node);
  } else if (change.kind === "remove") {
    names(change.directory).delete(change.name);
  } else {
    names(change.from).delete(change.fromName);
    names(change.to).set(change.toName, change.node);
  }
}
