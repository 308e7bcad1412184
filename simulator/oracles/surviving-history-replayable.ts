import { isKeyed, runsProcessFunction } from "../../engine/graph/keyed-node.ts";
import type { CheckpointMode } from "../../engine/graph/job-modes.ts";
import type { NodeId, StreamGraph, StreamNode } from "../../engine/graph/stream-graph.ts";

/** What is known of the records that a node emits. */
interface Emission {
  /** Sources that they come from. */
  readonly sources: ReadonlySet<NodeId>;
  /** Timers decide about them. */
  readonly isTimed: boolean;
  /** One id may stand for several records. */
  readonly isMultiplied: boolean;
  /** They went through a keyed operator. */
  readonly isKeyed: boolean;
}

/**
 * Null if the history of a job can be replayed, or why not: the records that a keyed operator sees must be
 * told apart by their ids and, where a flatMap made several of one, by the order in which they must come; in an
 * at-least-once job also where a record comes again.
 */
export function refuseReplay(graph: StreamGraph, mode: CheckpointMode = "aligned"): string | null {
  const emissions: Emission[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.flatMap(({ from }) => emissions[from] ?? []);
    const sources = new Set(node.kind === "source" ? [node.id] : inputs.flatMap((input) => [...input.sources]));
    const input: Emission = {
      sources,
      isTimed: inputs.some(({ isTimed }) => isTimed),
      isMultiplied: inputs.some(({ isMultiplied }) => isMultiplied),
      isKeyed: inputs.some(({ isKeyed }) => isKeyed),
    };
    const refusal = refuseNode(node, input, inputs) ?? (mode === "at-least-once" ? refuseAgain(node, input) : null);
    if (refusal !== null) return `${node.name} ${refusal}`;
    emissions.push({
      sources,
      isTimed: input.isTimed || node.kind === "window" || runsProcessFunction(node),
      isMultiplied: input.isMultiplied || node.kind === "flatMap",
      isKeyed: input.isKeyed || isKeyed(node),
    });
  }
  return null;
}

/** What an operator emits of a record that it sees again has the same id and another value. */
function refuseAgain(node: StreamNode, { isKeyed: isBehindState }: Emission): string | null {
  return isKeyed(node) && isBehindState ? "may see what another operator made of a record that came again" : null;
}

function refuseNode(node: StreamNode, input: Emission, inputs: readonly Emission[]): string | null {
  if (node.inputs.some(({ partitioning }) => partitioning === "broadcast")) return "gets every record several times";
  if (inputs.reduce((sum, { sources }) => sum + sources.size, 0) > input.sources.size) return "gets a record on two ways";
  if (input.isMultiplied && node.inputs.some(({ partitioning }) => partitioning === "rebalance")) {
    return "gets what a flatMap made of one record on several ways";
  }
  if (!isKeyed(node)) return null;
  if (input.isTimed) return "lies behind timers";
  return input.isMultiplied && input.isKeyed ? "gets what a flatMap made of one record on several ways" : null;
}
