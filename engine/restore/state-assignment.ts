import { invariant } from "../base/assert.ts";
import type { VertexCheckpoint } from "../checkpoint/checkpoint-metadata.ts";
import type { SubtaskState } from "../checkpoint/subtask-state.ts";
import { keyGroupRange } from "../stream/key-groups.ts";

/** Which of the old subtasks' state goes to one operator of one new subtask (Flink: StateAssignmentOperation). */
export interface OperatorAssignment {
  readonly uid: string;
  /** The state of all subtasks that the operator had, in order; null where one had none. */
  readonly subtasks: readonly (SubtaskState | null)[];
  /** Old subtasks that hold key groups of the new one, in order. */
  readonly keyed: readonly number[];
  /** Old subtasks whose operator lists are needed: its own, or all where they are dealt out anew. */
  readonly lists: readonly number[];
  /** The lists are dealt out anew: the parallelism changed, or there is a union list. */
  readonly redistributes: boolean;
}

/** The new subtask that state is assigned to. */
export interface AssignedSubtask {
  readonly subtask: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/**
 * Finds the operator by its uid, in whatever chain it ran. Keyed state is cut by key-group ranges; with the same
 * parallelism a subtask gets exactly what it had. Null: the checkpoint does not know the operator, which starts
 * empty.
 */
export function assignState(
  vertices: readonly VertexCheckpoint[],
  uid: string,
  { subtask, parallelism, maxParallelism }: AssignedSubtask,
): OperatorAssignment | null {
  const vertex = vertices.find(({ uids }) => uids.includes(uid));
  if (vertex === undefined) return null;
  const { subtasks } = vertex;
  invariant(subtasks.length > 0, "a vertex had subtasks");
  const isRescaled = subtasks.length !== parallelism;
  const holders = subtasks.map((state) => state?.lists.find((one) => one.uid === uid));
  const redistributes = holders.some((one) => one !== undefined && (isRescaled || one.holdsUnion));
  return {
    uid,
    subtasks,
    keyed: overlapping(subtasks.length, { subtask, parallelism, maxParallelism }),
    lists: redistributes ? [...holders.keys()].filter((old) => holders[old] !== undefined) : isRescaled ? [] : [subtask],
    redistributes,
  };
}

/** Old subtasks whose key groups overlap the new subtask's. */
function overlapping(oldParallelism: number, { subtask, parallelism, maxParallelism }: AssignedSubtask): readonly number[] {
  if (oldParallelism === parallelism) return [subtask];
  const { start, end } = keyGroupRange(maxParallelism, parallelism, subtask);
  const found: number[] = [];
  for (let old = 0; old < oldParallelism; old += 1) {
    const range = keyGroupRange(maxParallelism, oldParallelism, old);
    if (range.start <= end && start <= range.end) found.push(old);
  }
  return found;
}
