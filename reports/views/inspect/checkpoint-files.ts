import type { CheckpointMetadata } from "../../../engine/checkpoint/checkpoint-metadata.ts";
import { decodeMetadata, filesOf, sharedFilesOfCheckpoint } from "../../../engine/checkpoint/checkpoint-metadata.ts";
import type { FileHandle } from "../../../engine/checkpoint/checksummed-file.ts";
import { parseSavepoint, savepointPrefix } from "../../../engine/checkpoint/savepoint-record.ts";
import type { World } from "../../../simulator/world/world.ts";
import { JOB_ID } from "../../../simulator/world/world.ts";

/** A record in Coordination that says that a checkpoint or savepoint is complete, and what it consists of. */
export interface RecordedSnapshot {
  readonly kind: "checkpoint" | "savepoint";
  readonly checkpointId: number;
  readonly metadataKey: string;
  /** Null where the metadata file is missing or damaged. */
  readonly metadata: CheckpointMetadata | null;
  /** Keys of all its files, the metadata file first; just that one where it cannot be read. */
  readonly files: readonly string[];
  /** Those of them that others may share. */
  readonly shared: ReadonlySet<string>;
}

/** What Coordination and the blob store say now, whoever leads. Ascending by id. */
export function recordedSnapshots(world: World): readonly RecordedSnapshot[] {
  const prefix = `${JOB_ID}/checkpoints/`;
  const found: RecordedSnapshot[] = [];
  for (const { key, value } of world.coordination.registers(prefix)) {
    if (value !== null) found.push(read(world, "checkpoint", Number(key.slice(prefix.length)), JSON.parse(value) as FileHandle));
  }
  for (const { value } of world.coordination.registers(savepointPrefix(JOB_ID))) {
    if (value === null) continue;
    const { checkpointId, file } = parseSavepoint(value);
    found.push(read(world, "savepoint", checkpointId, file));
  }
  return found.sort((left, right) => left.checkpointId - right.checkpointId);
}

function read(world: World, kind: RecordedSnapshot["kind"], checkpointId: number, file: FileHandle): RecordedSnapshot {
  const bytes = world.blobs.peek(file.key);
  const result = bytes === null ? null : decodeMetadata(bytes, file);
  const metadata = result !== null && result.ok ? result.metadata : null;
  const files = metadata === null ? [file.key] : filesOf({ metadata, file });
  const shared = new Set(metadata === null ? [] : sharedFilesOfCheckpoint(metadata).map(({ key }) => key));
  return { kind, checkpointId, metadataKey: file.key, metadata, files, shared };
}
