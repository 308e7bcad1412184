import { crc32 } from "../../engine/base/crc32.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import type { CheckpointMetadata } from "../../engine/checkpoint/checkpoint-metadata.ts";
import type { FileHandle } from "../../engine/checkpoint/checksummed-file.ts";
import { checkpointOfKey } from "../../simulator/hosts/sim-blob-store.ts";
import type { World } from "../../simulator/world/world.ts";
import type { RecordedSnapshot } from "./inspect/checkpoint-files.ts";

/** One file that a checkpoint consists of. */
export interface CheckpointFile {
  readonly key: string;
  readonly what: "metadata" | "own" | "shared";
  /** As its metadata says; null for the metadata file, where it cannot be read. */
  readonly sizeBytes: number | null;
  readonly checksum: number | null;
  /** "v1-s0": the vertex and subtask that it belongs to; null for the metadata. */
  readonly subtask: string | null;
  /** Other completed checkpoints and savepoints, whose records are there, that name it too. */
  readonly sharedWith: readonly CheckpointId[];
  /** In the blob store at this step. */
  readonly state: "there" | "missing" | "damaged";
}

/** The files of a checkpoint as they lie in the blob store. */
export interface CheckpointFiles {
  /** "no record": nothing in Coordination says that it is complete, so that what it consists of is not written down. */
  readonly metadata: "read" | "unreadable" | "no record";
  readonly files: readonly CheckpointFile[];
  /** Objects in its folder that its metadata does not name (all of them, where there is none). */
  readonly others: readonly { readonly key: string; readonly sizeBytes: number }[];
}

export function filesOfCheckpoint(world: World, checkpointId: CheckpointId, recorded: readonly RecordedSnapshot[]): CheckpointFiles {
  const snapshot = recorded.find((one) => one.checkpointId === checkpointId) ?? null;
  const files = snapshot === null ? [] : filesOfSnapshot(world, snapshot, recorded);
  const named = new Set(files.map(({ key }) => key));
  const others = world.blobs
    .inspect()
    .filter(({ key }) => checkpointOfKey(key) === checkpointId && !named.has(key) && !recorded.some((one) => one.files.includes(key)));
  return { metadata: snapshot === null ? "no record" : snapshot.metadata === null ? "unreadable" : "read", files, others };
}

function filesOfSnapshot(world: World, snapshot: RecordedSnapshot, recorded: readonly RecordedSnapshot[]): readonly CheckpointFile[] {
  const { metadata, metadataKey, checkpointId } = snapshot;
  const bytes = world.blobs.peek(metadataKey);
  const unreadable = bytes === null ? "missing" : "damaged";
  const files = new Map<string, CheckpointFile>();
  files.set(metadataKey, {
    key: metadataKey,
    what: "metadata",
    sizeBytes: metadata === null ? null : (bytes?.length ?? null),
    checksum: metadata === null || bytes === null ? null : crc32(bytes),
    subtask: null,
    sharedWith: [],
    state: metadata === null ? unreadable : "there",
  });
  for (const { file, what, subtask } of metadata === null ? [] : handlesIn(metadata)) {
    if (files.has(file.key)) continue;
    const sharers = recorded.filter((one) => one.checkpointId !== checkpointId && one.files.includes(file.key));
    const { key, sizeBytes, checksum } = file;
    files.set(key, { key, what, sizeBytes, checksum, subtask, sharedWith: sharers.map((one) => one.checkpointId), state: stateOf(world, file) });
  }
  return [...files.values()];
}

function* handlesIn({ vertices }: CheckpointMetadata): Generator<{ readonly file: FileHandle; readonly what: "own" | "shared"; readonly subtask: string }> {
  for (const { vertex, subtasks } of vertices) {
    for (const [index, state] of subtasks.entries()) {
      const subtask = `v${vertex}-s${index}`;
      if (state === null) continue;
      if (state.file !== null) yield { file: state.file, what: "own", subtask };
      for (const { file } of state.shared) yield { file, what: "shared", subtask };
    }
  }
}

function stateOf({ blobs }: World, { key, sizeBytes, checksum }: FileHandle): CheckpointFile["state"] {
  const bytes = blobs.peek(key);
  if (bytes === null) return "missing";
  return bytes.length === sizeBytes && crc32(bytes) === checksum ? "there" : "damaged";
}
