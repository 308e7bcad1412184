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
