import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import { loadState } from "./load-state.ts";
import type { RestoreContext, RestoreOutcome, RestoreStrategy } from "./restore-strategy.ts";
import type { OperatorAssignment } from "./state-assignment.ts";
import { assignState } from "./state-assignment.ts";
import { SubtaskFiles } from "./subtask-files.ts";

/** `full`: reads every file that holds something of the subtask from remote storage. */
export const fullRestore: RestoreStrategy = {
  restore(context: RestoreContext, done: (outcome: RestoreOutcome) => void): void {
    const assignments = assignmentsOf(context);
    const files = new SubtaskFiles(context.ports);
    files.read(ownFilesNeeded(assignments), (reason) => {
      if (!context.isWanted()) return;
      const failure = reason ?? loadState(context, assignments, (file) => files.snapshotIn(file));
      if (failure === null) done({ ok: true, reads: files.reads() });
      else done({ ok: false, reason: failure });
    });
  },
};

/** One for each target; null for an operator that the checkpoint does not know. */
export function assignmentsOf(context: RestoreContext): readonly (OperatorAssignment | null)[] {
  return context.targets.map(({ uid }) => assignState(context.request.vertices, uid, context));
}

/** The own files of the old subtasks that something is needed of, each once. */
export function ownFilesNeeded(assignments: readonly (OperatorAssignment | null)[]): readonly FileHandle[] {
  const files = new Map<string, FileHandle>();
  for (const assignment of assignments) {
    if (assignment === null) continue;
    for (const old of [...assignment.keyed, ...assignment.lists]) {
      const file = assignment.subtasks[old]?.file ?? null;
      if (file !== null) files.set(file.key, file);
    }
  }
  return [...files.values()];
}
