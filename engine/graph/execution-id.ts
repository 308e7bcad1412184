import type { VertexId } from "./job-graph.ts";

/** Which attempt of which subtask. Attempts are unique and grow over the life of a job, also across leaders. */
export interface ExecutionId {
  readonly attempt: number;
  readonly vertex: VertexId;
  readonly subtask: number;
}
