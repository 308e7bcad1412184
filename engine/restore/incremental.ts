import { readAndLoad } from "./full.ts";
import type { RestoreContext, RestoreOutcome, RestoreStrategy } from "./restore-strategy.ts";
import { SubtaskFiles } from "./subtask-files.ts";

/**
 * `incremental`: the subtask's own file from remote storage, and of the files that it shares with other checkpoints
 * (base and increments) only those that this host does not hold intact, judged by length and checksum. What was
 * fetched is kept on the host. After a change of parallelism the sets of several old subtasks are cut and merged by
 * the backend.
 */
export const incrementalRestore: RestoreStrategy = {
  restore(context: RestoreContext, done: (outcome: RestoreOutcome) => void): void {
    readAndLoad(context, new SubtaskFiles(context.ports), context.sharedFiles, done);
  },
};
