import type { CheckpointMetadata } from "../checkpoint/checkpoint-metadata.ts";
import type { SubtaskState } from "../checkpoint/subtask-state.ts";
import type { JobGraph } from "../graph/job-graph.ts";

/**
 * Why a job cannot start from a snapshot that perhaps another version of it took, or null. State is found by the uid of
 * its operator; what nobody claims is refused, unless it may be left behind, because it would be lost without a word
 * (Flink: allowNonRestoredState).
 */
export function refuseSnapshot(metadata: CheckpointMetadata, graph: JobGraph, allowNonRestoredState: boolean): string | null {
  const what = `${metadata.kind} ${metadata.checkpointId}`;
  if (metadata.maxParallelism !== graph.config.maxParallelism) {
    const wayOut = `Set the maximum parallelism to ${metadata.maxParallelism}`;
    return `${what} has ${metadata.maxParallelism} key groups, and the job has ${graph.config.maxParallelism}. ${wayOut}`;
  }
  const known = new Set(graph.vertices.flatMap(({ chain }) => chain.map(({ uid }) => uid)));
  for (const { uids, subtasks, isFinished } of metadata.vertices) {
    const lost = uids.filter((uid) => !known.has(uid));
    if (lost.length === 0) continue;
    if (isFinished && lost.length < uids.length) {
      return `${what}: "${lost[0]}" has finished with the operators that it was chained with. Keep the chain as it was`;
    }
    const stateful = lost.find((uid) => subtasks.some((state) => state !== null && holdsStateOf(state, uid)));
    if (stateful === undefined || allowNonRestoredState) continue;
    const wayOut = "Give the operator that takes it over this uid, or allow state that is not restored";
    return `${what} holds state of the operator with the uid "${stateful}", which the job does not have. ${wayOut}`;
  }
  return null;
}

function holdsStateOf({ file, lists, shared, keyed }: SubtaskState, uid: string): boolean {
  if (lists.some((one) => one.uid === uid) || shared.some((one) => one.uid === uid)) return true;
  return file !== null && (keyed === undefined || keyed.includes(uid));
}
