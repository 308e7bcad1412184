import type { RandomStream } from "../../engine/ports/rng.ts";
import type { DiskDirectory, DiskNode } from "./disk-directory.ts";
import type { DiskFile } from "./disk-file.ts";
import type { DiskProfile } from "./disk-survivors.ts";
import { SURVIVAL, SURVIVALS } from "./disk-survivors.ts";

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

interface Unsynced {
  readonly change: NameChange;
  /** The empty directory that it removed or replaced. */
  readonly gone: DiskDirectory | null;
}

/**
 * The changes of names that no fsync has made durable yet, in the order they were made.
 *
 * In the profile "adversarial" they are independent of each other except for what keeps a tree a tree: the
 * changes of one name stay in order; a name moves only into a directory that exists; a directory goes only
 * after everything was moved out of it; directories move in order. What an fsync makes durable and what a
 * power loss spares is closed under these rules.
 */
export class NameJournal {
  readonly #profile: DiskProfile;
  #unsynced: Unsynced[] = [];

  constructor(profile: DiskProfile) {
    this.#profile = profile;
  }

  /** What processes see changes at once. */
  add(change: NameChange): void {
    const replaced = change.kind === "put" ? undefined : targetOf(change);
    const gone = replaced?.kind === "directory" ? replaced : null;
    applyTo(change, (directory) => directory.entries);
    this.#unsynced.push({ change, gone });
  }

  /** How many changes wait, in all directories. */
  get length(): number {
    return this.#unsynced.length;
  }

  /** True if a name of this file waits. */
  concerns(file: DiskFile): boolean {
    return this.#unsynced.some(({ change }) => change.kind !== "remove" && change.node === file);
  }

  /** Makes every change durable. */
  commit(): void {
    for (const { change } of this.#unsynced) applyTo(change, (each) => each.durable);
    this.#unsynced = [];
  }

  /** fsync of a directory: makes its changes durable, and with them every earlier change that they need. */
  sync(directory: DiskDirectory): void {
    if (this.#profile === "ordered") {
      this.commit();
      return;
    }
    const needed = new Needed(directory);
    const isSynced = this.#unsynced.map(() => false);
    for (let i = this.#unsynced.length - 1; i >= 0; i -= 1) {
      isSynced[i] = needed.take(this.#unsynced[i] as Unsynced);
    }
    this.#unsynced.forEach(({ change }, i) => {
      if (isSynced[i] === true) applyTo(change, (each) => each.durable);
    });
    this.#unsynced = this.#unsynced.filter((_, i) => isSynced[i] !== true);
  }

  /** What survives becomes durable, the rest is forgotten. A stream of zeros keeps nothing. */
  losePower(random: RandomStream): void {
    const changes = this.#unsynced;
    this.#unsynced = [];
    if (changes.length === 0) return;
    if (this.#profile === "ordered") {
      keepFirst(changes, random.below(changes.length + 1));
      return;
    }
    const survival = random.below(SURVIVALS);
    if (survival === SURVIVAL.all) keepFirst(changes, changes.length);
    else if (survival === SURVIVAL.prefix) keepFirst(changes, random.below(changes.length + 1));
    else if (survival === SURVIVAL.each) keepEach(changes, random);
  }
}

function keepFirst(changes: readonly Unsynced[], count: number): void {
  for (let i = 0; i < count; i += 1) applyTo((changes[i] as Unsynced).change, (each) => each.durable);
}

function keepEach(changes: readonly Unsynced[], random: RandomStream): void {
  const lost = new Lost();
  for (const one of changes) {
    const survives = random.below(2) === 1 && !lost.bars(one);
    if (survives) applyTo(one.change, (each) => each.durable);
    else lost.add(one);
  }
}

/** What changes that were lost forbid later ones. */
class Lost {
  readonly #names: Set<string> = new Set();
  /** Directories in which something was lost. */
  readonly #touched: Set<DiskDirectory> = new Set();
  /** Directories that were made and lost. */
  readonly #unborn: Set<DiskDirectory> = new Set();
  #movesDirectories = false;

  bars({ change, gone }: Unsynced): boolean {
    if (placesOf(change).some(({ key }) => this.#names.has(key))) return true;
    if (gone !== null && this.#touched.has(gone)) return true;
    if (movesDirectory(change) && this.#movesDirectories) return true;
    if (change.kind === "move") return this.#unborn.has(change.to);
    return change.kind === "put" && change.node.kind === "directory" && this.#unborn.has(change.directory);
  }

  add({ change }: Unsynced): void {
    for (const { key, directory } of placesOf(change)) {
      this.#names.add(key);
      this.#touched.add(directory);
    }
    if (movesDirectory(change)) this.#movesDirectories = true;
    if (change.kind === "put" && change.node.kind === "directory") this.#unborn.add(change.node);
  }
}

/** Going back in time: what the changes taken so far need. */
class Needed {
  readonly #names: Set<string> = new Set();
  /** All of whose changes are needed. */
  readonly #whole: Set<DiskDirectory>;
  /** That must exist. */
  readonly #existing: Set<DiskNode> = new Set();
  #movesDirectories = false;

  constructor(directory: DiskDirectory) {
    this.#whole = new Set([directory]);
  }

  take({ change, gone }: Unsynced): boolean {
    const places = placesOf(change);
    const isNeeded =
      places.some(({ key, directory }) => this.#names.has(key) || this.#whole.has(directory)) ||
      (this.#movesDirectories && movesDirectory(change)) ||
      (change.kind === "put" && this.#existing.has(change.node));
    if (!isNeeded) return false;
    for (const { key } of places) this.#names.add(key);
    if (gone !== null) this.#whole.add(gone);
    if (movesDirectory(change)) this.#movesDirectories = true;
    if (change.kind === "move") this.#existing.add(change.to);
    if (change.kind === "put" && change.node.kind === "directory") this.#existing.add(change.directory);
    return true;
  }
}

function movesDirectory(change: NameChange): boolean {
  return change.kind === "move" && change.node.kind === "directory";
}

/** The names that a change touches; a name is known by its directory's inode. */
function placesOf(change: NameChange): readonly { readonly key: string; readonly directory: DiskDirectory }[] {
  if (change.kind !== "move") return [placeOf(change.directory, change.name)];
  return [placeOf(change.from, change.fromName), placeOf(change.to, change.toName)];
}

function placeOf(directory: DiskDirectory, name: string): { readonly key: string; readonly directory: DiskDirectory } {
  return { key: `${directory.inode}/${name}`, directory };
}

/** What processes see where a change puts or removes a name. */
function targetOf(change: Exclude<NameChange, { readonly kind: "put" }>): DiskNode | undefined {
  return change.kind === "remove" ? change.directory.entries.get(change.name) : change.to.entries.get(change.toName);
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
