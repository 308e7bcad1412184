import type { World } from "../../../simulator/world/world.ts";
import { counted, grouped } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import type { Line } from "../line.ts";
import { line, span } from "../line.ts";
import { recordedSnapshots } from "./checkpoint-files.ts";
import type { ListWindow, Windowed } from "./window.ts";
import { windowOf, windowText } from "./window.ts";

export interface BlobFacts {
  readonly key: string;
  readonly sizeBytes: number;
  /** Completed checkpoints and savepoints that need it: "checkpoint 4". Several: they share it. */
  readonly referencedBy: readonly string[];
  /** Pending checkpoints that were acknowledged with it. */
  readonly pendingFor: readonly number[];
  /** The leader keeps it in its registry of shared files: it may be named again, or is to be deleted later. */
  readonly isRegistered: boolean;
}

export interface BlobsFacts {
  readonly objects: number;
  readonly sizeBytes: number;
  /** Neither referenced, nor pending, nor registered. */
  readonly unreferenced: number;
  /** Files that completed checkpoints need and that are not there. */
  readonly missing: readonly { readonly key: string; readonly referencedBy: readonly string[] }[];
  readonly blobs: Windowed<BlobFacts>;
}

export function blobsFacts(world: World, window: ListWindow): BlobsFacts {
  const references = new Map<string, string[]>();
  for (const { kind, checkpointId, files } of recordedSnapshots(world)) {
    for (const key of new Set(files)) references.set(key, [...(references.get(key) ?? []), `${kind} ${checkpointId}`]);
  }
  const pending = new Map<string, number[]>();
  const registered = new Set<string>();
  for (const living of world.processes) {
    if (living.kind !== "job-manager" || !living.engine.leading || living.engine.master === null) continue;
    const { store, coordinator } = living.engine.master;
    for (const { file } of store.sharedFiles()) registered.add(file.key);
    for (const checkpoint of coordinator?.pending ?? []) {
      for (const key of filesOfPending(checkpoint)) pending.set(key, [...(pending.get(key) ?? []), checkpoint.checkpointId]);
    }
  }
  const all = world.blobs.inspect().map(({ key, sizeBytes }): BlobFacts => {
    return { key, sizeBytes, referencedBy: references.get(key) ?? [], pendingFor: pending.get(key) ?? [], isRegistered: registered.has(key) };
  });
  const present = new Set(all.map(({ key }) => key));
  return {
    objects: all.length,
    sizeBytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    unreferenced: all.filter(isUnreferenced).length,
    missing: [...references].filter(([key]) => !present.has(key)).map(([key, referencedBy]) => ({ key, referencedBy })),
    blobs: windowOf(all, window, ({ key }) => key, (one) => one),
  };
}

function filesOfPending(checkpoint: { files(): readonly string[]; readonly acknowledged: readonly { readonly state: { readonly shared: readonly { readonly file: { readonly key: string } }[] } | null }[] }): ReadonlySet<string> {
  const shared = checkpoint.acknowledged.flatMap(({ state }) => state?.shared.map(({ file }) => file.key) ?? []);
  return new Set([...checkpoint.files(), ...shared]);
}

function isUnreferenced({ referencedBy, pendingFor, isRegistered }: BlobFacts): boolean {
  return referencedBy.length === 0 && pendingFor.length === 0 && !isRegistered;
}

export function blobsLines({ objects, sizeBytes, unreferenced, missing, blobs }: BlobsFacts): readonly Line[] {
  const lines: Line[] = [line("  ", span("blob store", "strong"), `  ${counted(objects, "object")}, ${grouped(sizeBytes)} bytes, ${unreferenced} that nothing references`)];
  for (const { key, referencedBy } of missing) lines.push(line(span("! ", "bad"), `  ${visible(key)}  `, span(`missing, and ${referencedBy.join(", ")} needs it`, "bad")));
  for (const blob of blobs.items) lines.push(blobLine(blob));
  const bounds = windowText(blobs);
  if (bounds !== "") lines.push(line("    ", span(`objects ${bounds}`, "dim")));
  return lines;
}

/** "?": nothing references it. */
function blobLine(blob: BlobFacts): Line {
  const { key, sizeBytes, referencedBy, pendingFor, isRegistered } = blob;
  const said: string[] = [];
  if (referencedBy.length > 0) said.push(`${referencedBy.length > 1 ? "shared by " : ""}${referencedBy.join(", ")}`);
  if (pendingFor.length > 0) said.push(`acknowledged for pending ${pendingFor.join(", ")}`);
  if (isRegistered && referencedBy.length === 0) said.push("in the leader's registry of shared files");
  const isLeft = isUnreferenced(blob);
  if (isLeft) said.push("nothing references it (still to be acknowledged, to be deleted, or left behind)");
  return line(isLeft ? span("? ", "warn") : "  ", `  ${visible(key)}  ${grouped(sizeBytes)} bytes  `, span(said.join("; "), isLeft ? "warn" : referencedBy.length > 1 ? "strong" : "plain"));
}
