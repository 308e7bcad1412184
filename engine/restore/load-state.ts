import { CorruptBytesError } from "../base/byte-reader.ts";
import { UnencodableValueError } from "../base/codec.ts";
import { present } from "../base/assert.ts";
import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { OperatorSnapshot, SubtaskSnapshot } from "../checkpoint/snapshot-file.ts";
import { redistributeOperatorState } from "../state/operator-state-redistribution.ts";
import { StateSchemaError, StateStorageError } from "../state/state-errors.ts";
import type { RestoreContext, RestoreTarget } from "./restore-strategy.ts";
import type { AssignedSubtask, OperatorAssignment } from "./state-assignment.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * Fills the targets with what is assigned to each. Null, or why the state was not taken: by local storage, or
 * because it does not fit the backend or the job.
 */
export function loadState(
  context: RestoreContext,
  assignments: readonly (OperatorAssignment | null)[],
  snapshotIn: SnapshotIn,
): string | null {
  try {
    context.targets.forEach((target, index) => {
      const assignment = assignments[index] ?? null;
      if (assignment === null) return;
      loadKeyed(target, assignment, snapshotIn);
      loadLists(target, assignment, context, snapshotIn);
    });
    return null;
  } catch (error) {
    if (error instanceof StateStorageError) return `writing local state failed: ${error.message}`;
    if (error instanceof StateSchemaError || error instanceof UnencodableValueError) return error.message;
    // Intact bytes that are not this backend's: another one wrote them.
    if (error instanceof CorruptBytesError) return `state cannot be read: ${error.message}`;
    throw error;
  }
}

type SnapshotIn = (file: FileHandle) => SubtaskSnapshot;

function loadKeyed(target: RestoreTarget, assignment: OperatorAssignment, snapshotIn: SnapshotIn): void {
  if (target.keyed === null) return;
  const pieces: Uint8Array[] = [];
  for (const old of assignment.keyed) {
    const piece = operatorOf(assignment, old, snapshotIn)?.keyed ?? null;
    if (piece !== null) pieces.push(piece);
  }
  if (pieces.length > 0) target.keyed.restore(pieces);
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
