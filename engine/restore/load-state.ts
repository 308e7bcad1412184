import { CorruptBytesError } from "../base/byte-reader.ts";
import { UnencodableValueError } from "../base/codec.ts";
import { present } from "../base/assert.ts";
import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { OperatorSnapshot, SubtaskSnapshot } from "../checkpoint/snapshot-file.ts";
import { redistributeOperatorState } from "../state/operator-state-redistribution.ts";
import { StateSchemaError, StateStorageError } from "../state/state-errors.ts";
import type { StoreFile } from "../state/ordered-store.ts";
import type { SharedFile } from "../checkpoint/subtask-state.ts";
import type { SharedFileReads } from "./shared-files.ts";
import type { RestoreContext, RestoreTarget } from "./restore-strategy.ts";
import type { AssignedSubtask, OperatorAssignment } from "./state-assignment.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * Fills the targets with what is assigned to each, and the task's channels with what was in flight. Null, or why the state was not taken: by local storage, or
 * because it does not fit the backend or the job.
 */
export function loadState(
  context: RestoreContext,
  assignments: readonly (OperatorAssignment | null)[],
  snapshotIn: SnapshotIn,
  shared: SharedFileReads,
): string | null {
  try {
    context.targets.forEach((target, index) => {
      const assignment = assignments[index] ?? null;
      if (assignment === null) return;
      loadKeyed(context, target, assignment, snapshotIn, shared);
      loadLists(target, assignment, context, snapshotIn);
    });
    return context.inFlight.load(snapshotIn);
  } catch (error) {
    if (error instanceof StateStorageError) return `writing local state failed: ${error.message}`;
    if (error instanceof StateSchemaError || error instanceof UnencodableValueError) return error.message;
    // Intact bytes that are not this backend's: another one wrote them.
    if (error instanceof CorruptBytesError) return `state cannot be read: ${error.message}`;
    throw error;
  }
}

export type SnapshotIn = (file: FileHandle) => SubtaskSnapshot;

function loadKeyed(
  context: RestoreContext,
  target: RestoreTarget,
  assignment: OperatorAssignment,
  snapshotIn: SnapshotIn,
  shared: SharedFileReads,
): void {
  const { keyed, uid } = target;
  const { checkpointId, isOwned } = context.request;
  if (keyed === null) return;
  const pieces: Uint8Array[] = [];
  const native: StoreFile[][] = [];
  for (const old of assignment.keyed) {
    const piece = operatorOf(assignment, old, snapshotIn)?.keyed ?? null;
    if (piece !== null) pieces.push(piece);
    const files = sharedFilesOf(assignment, old, snapshotIn);
    if (files === null) continue;
    if (isOwned) for (const file of files) context.sharedFiles?.restored(checkpointId, file);
    native.push(files.map((file) => ({ ...file.file, name: file.name, bytes: shared.bytesOf(file) })));
  }
  if (pieces.length > 0) keyed.restore(pieces);
  if (native.length === 0) return;
  if (keyed.incremental === null || pieces.length > 0) {
    throw new CorruptBytesError(`operator ${uid} has its state in files that its backend does not write`);
  }
  keyed.incremental.restore(native, isOwned);
}

/** What an old subtask of an operator shares, in the order in which its backend wants it; null: nothing, or no keyed state. */
export function sharedFilesOf(assignment: OperatorAssignment, old: number, snapshotIn: SnapshotIn): readonly SharedFile[] | null {
  const names = operatorOf(assignment, old, snapshotIn)?.files ?? null;
  const state = assignment.subtasks[old] ?? null;
  if (names === null || state === null) return null;
  const byName = new Map(state.shared.filter(({ uid }) => uid === assignment.uid).map((file) => [file.name, file]));
  return names.map((name) => present(byName.get(name), "a subtask acknowledges every file that its own file names"));
}

function loadLists(
  target: RestoreTarget,
  assignment: OperatorAssignment,
  { subtask, parallelism }: AssignedSubtask,
  snapshotIn: SnapshotIn,
): void {
  const { subtasks, lists, redistributes } = assignment;
  if (!redistributes) {
    for (const old of lists) target.lists.restore(operatorOf(assignment, old, snapshotIn)?.lists ?? NO_BYTES);
    return;
  }
  const sections = subtasks.map((_, old) => {
    const operator = lists.includes(old) ? operatorOf(assignment, old, snapshotIn) : null;
    return operator?.lists ?? NO_BYTES;
  });
  target.lists.restore(present(redistributeOperatorState(sections, parallelism)[subtask], "every subtask gets a section"));
}

/** What an old subtask's own file holds of the operator. */
function operatorOf({ uid, subtasks }: OperatorAssignment, old: number, snapshotIn: SnapshotIn): OperatorSnapshot | null {
  const file = subtasks[old]?.file ?? null;
  return file === null ? null : (snapshotIn(file).operators.find((one) => one.uid === uid) ?? null);
}
