import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { SharedFile } from "../checkpoint/subtask-state.ts";
import type { TaskSharedFiles } from "../checkpoint/task-shared-files.ts";
import type { SnapshotIn } from "./load-state.ts";
import { loadState, sharedFilesOf } from "./load-state.ts";
import type { RestoreContext, RestoreOutcome, RestoreReads, RestoreStrategy } from "./restore-strategy.ts";
import type { OperatorAssignment } from "./state-assignment.ts";
import { assignState } from "./state-assignment.ts";
import { SharedFileReads } from "./shared-files.ts";
import { SubtaskFiles } from "./subtask-files.ts";

/** `full`: reads every file that holds something of the subtask from remote storage. */
export const fullRestore: RestoreStrategy = {
  restore(context: RestoreContext, done: (outcome: RestoreOutcome) => void): void {
    readAndLoad(context, new SubtaskFiles(context.ports), null, done);
  },
};

/**
 * Reads the own files that something is needed of, then the shared files that they name, and fills the targets.
 * `host`: where shared files are looked for first, and kept; null: all come from remote storage.
 */
export function readAndLoad(
  context: RestoreContext,
  files: SubtaskFiles,
  host: TaskSharedFiles | null,
  done: (outcome: RestoreOutcome) => void,
): void {
  const { ports, request } = context;
  const assignments = assignmentsOf(context);
  const shared = new SharedFileReads(ports, request.checkpointId, host, () => context.isWanted());
  const snapshotIn: SnapshotIn = (file) => files.snapshotIn(file);
  const load = (reason: string | null): void => {
    if (!context.isWanted()) return;
    const failure = reason ?? loadState(context, assignments, snapshotIn, shared);
    if (failure === null) done({ ok: true, reads: sumOf(files.reads(), shared.reads()) });
    else done({ ok: false, reason: failure, isLost: reason !== null && files.isLost });
  };
  files.read(ownFilesNeeded(context, assignments), (reason) => {
    if (reason !== null || !context.isWanted()) load(reason);
    else shared.read(sharedFilesNeeded(assignments, snapshotIn), load);
  });
}

function sharedFilesNeeded(
  assignments: readonly (OperatorAssignment | null)[],
  snapshotIn: SnapshotIn,
): readonly SharedFile[] {
  const needed: SharedFile[] = [];
  for (const assignment of assignments) {
    for (const old of assignment?.keyed ?? []) {
      if (assignment !== null) needed.push(...(sharedFilesOf(assignment, old, snapshotIn) ?? []));
    }
  }
  return needed;
}

function sumOf(left: RestoreReads, right: RestoreReads): RestoreReads {
  return {
    remoteBytes: left.remoteBytes + right.remoteBytes,
    localBytes: left.localBytes + right.localBytes,
    files: left.files + right.files,
    requests: left.requests + right.requests,
  };
}

/** One for each target; null for an operator that the checkpoint does not know. */
export function assignmentsOf(context: RestoreContext): readonly (OperatorAssignment | null)[] {
  return context.targets.map(({ uid }) => assignState(context.request.vertices, uid, context));
}

/** The own files of the old subtasks that something is needed of, each once. */
export function ownFilesNeeded(context: RestoreContext, assignments: readonly (OperatorAssignment | null)[]): readonly FileHandle[] {
  const files = new Map<string, FileHandle>();
  for (const assignment of assignments) {
    if (assignment === null) continue;
    for (const old of [...assignment.keyed, ...assignment.lists]) {
      const file = assignment.subtasks[old]?.file ?? null;
      if (file !== null) files.set(file.key, file);
    }
  }
  for (const file of context.inFlight.files()) files.set(file.key, file);
  return [...files.values()];
}
