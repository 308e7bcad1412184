import type { DamageKind } from "./disk-damage.ts";
import type { DiskDirectory, DiskNode } from "./disk-directory.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

/** A name on a disk as a person sees it in a paused World: what processes see, and what a power loss would leave. */
export interface InspectedName {
  readonly path: string;
  readonly kind: "file" | "directory";
  /**
   * "durable"; "unsynced": it may be gone after a power loss, because its directory was not synced since; "removed":
   * processes do not see it any more, and it may come back.
   */
  readonly name: "durable" | "unsynced" | "removed";
  readonly sizeBytes: number;
  /** Of which nothing that is unsynced would survive. */
  readonly durableBytes: number;
  /** Writes and truncations that no fsync made durable, and the bytes of the writes. */
  readonly unsyncedChanges: number;
  readonly unsyncedBytes: number;
  /** A failed fsync left what is seen, counts as clean, and may not be on the disk. */
  readonly hasLostPages: boolean;
  readonly damage: readonly InspectedDamage[];
}

export interface InspectedDamage {
  readonly kind: DamageKind;
  /** The fault of the plan. */
  readonly fault: string;
  readonly offset: number;
  readonly length: number;
}

/** Everything on the disk, and what was removed from it for processes alone; sorted by path. Changes nothing. */
export function inspectDisk(disk: SimulatedDisk): readonly InspectedName[] {
  const damage = new Map<number, InspectedDamage[]>();
  for (const { inode, kind, fault, offset, length } of disk.damage()) {
    const known = damage.get(inode) ?? [];
    damage.set(inode, known);
    known.push({ kind, fault, offset, length });
  }
  const found: InspectedName[] = [];
  walk(disk.root, "", true, (path, node, name) => found.push(inspected(path, node, name, damage.get(node.inode) ?? [])));
  return found;
}

/** `isSeen`: by processes; below a directory that they removed nothing is. */
function walk(directory: DiskDirectory, path: string, isSeen: boolean, visit: (path: string, node: DiskNode, name: InspectedName["name"]) => void): void {
  const { entries, durable } = directory;
  const names = new Set([...(isSeen ? entries.keys() : []), ...durable.keys()]);
  for (const name of [...names].sort()) {
    const below = `${path}/${name}`;
    const seen = isSeen ? entries.get(name) : undefined;
    const kept = durable.get(name);
    if (seen !== undefined) {
      visit(below, seen, seen === kept ? "durable" : "unsynced");
      if (seen.kind === "directory") walk(seen, below, true, visit);
    }
    if (kept !== undefined && kept !== seen) {
      visit(below, kept, "removed");
      if (kept.kind === "directory") walk(kept, below, false, visit);
    }
  }
}

function inspected(path: string, node: DiskNode, name: InspectedName["name"], damage: readonly InspectedDamage[]): InspectedName {
  const file = node.kind === "file" ? node : null;
  return {
    path,
    kind: node.kind,
    name,
    sizeBytes: file?.size ?? 0,
    durableBytes: file?.durableSize ?? 0,
    unsyncedChanges: file?.unsyncedChanges ?? 0,
    unsyncedBytes: file?.unsyncedBytes ?? 0,
    hasLostPages: file?.hasLostPages ?? false,
    damage,
  };
}
