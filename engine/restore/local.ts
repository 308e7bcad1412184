import type { FileHandle } from "../checkpoint/checksummed-file.ts";
import type { TaskLocalState } from "../checkpoint/task-local-state.ts";
import { readAndLoad } from "./full.ts";
import type { RestoreContext, RestoreOutcome, RestoreRequest, RestoreStrategy } from "./restore-strategy.ts";
import { SubtaskFiles } from "./subtask-files.ts";

/**
 * `local`: reads what `full` reads, but each file from the copy on this host where that is, byte for byte, the file
 * that the checkpoint names; the others (missing, stale, damaged, of subtasks that ran elsewhere) from remote
 * storage. The subtask's own file, where it had to be fetched, is kept as a copy again, so that the next restore of
 * the same checkpoint finds it.
 */
export const localRestore: RestoreStrategy = {
  restore(context: RestoreContext, done: (outcome: RestoreOutcome) => void): void {
    const { localState, request } = context;
    const copyOf = (file: FileHandle): Uint8Array | null => (localState === null ? null : readCopy(localState, request, file));
    const files = new SubtaskFiles(context.ports, copyOf);
    readAndLoad(context, files, null, (outcome) => {
      if (!outcome.ok) {
        done(outcome);
        return;
      }
      keepOwnFile(context, files, () => {
        if (context.isWanted()) done(outcome);
      });
    });
  },
};

function readCopy(localState: TaskLocalState, { checkpointId, vertices }: RestoreRequest, file: FileHandle): Uint8Array | null {
  for (const { vertex, subtasks } of vertices) {
    const subtask = subtasks.findIndex((state) => state?.file?.key === file.key);
    if (subtask < 0) continue;
    const copy = localState.read({ vertex, subtask }, checkpointId, file);
    return copy.ok ? copy.bytes : null;
  }
  return null;
}

/** Of the subtask itself alone: after a change of parallelism, what others wrote is no state of its own. */
function keepOwnFile({ localState, request, parallelism }: RestoreContext, files: SubtaskFiles, done: () => void): void {
  const own = localState === null ? undefined : request.vertices.find(({ vertex }) => vertex === localState.owner.vertex);
  const state = own?.subtasks.length === parallelism ? own.subtasks[localState?.owner.subtask ?? 0] : null;
  const fetched = state?.file === undefined || state.file === null ? null : files.fetched(state.file);
  if (localState === null || fetched === null) done();
  else localState.store(request.checkpointId, fetched, done);
}
