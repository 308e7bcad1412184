import type { StreamNode } from "../../engine/graph/stream-graph.ts";
import { sameValue } from "../reference/structural-equality.ts";

/** What of the state of a rewritten job is the shadow, and what the user's. */

/** Count and sum of ids in a value of a keyed operator's state; zero where there is none. */
export function shadowOf(node: StreamNode, value: unknown): readonly [count: number, sum: number] {
  if (value === undefined) return [0, 0];
  if (node.kind === "window") {
    const [, applied, sum] = value as readonly [unknown, number, number];
    return [applied, sum];
  }
  const shadowed = value as { readonly id: number; readonly node?: number; readonly count?: number; readonly sum?: number };
  if (node.kind === "reduce" && shadowed.node !== node.id) return [1, shadowed.id];
  return [shadowed.count ?? 0, shadowed.sum ?? 0];
}

/** The user's part of a value in the state of a rewritten job. */
export function userValue(node: StreamNode, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (node.kind === "window") return (value as readonly unknown[])[0];
  return node.kind === "reduce" ? (value as { readonly value: unknown }).value : value;
}

export function sameShadow(node: StreamNode, left: unknown, right: unknown): boolean {
  const [count, sum] = shadowOf(node, left);
  const [otherCount, otherSum] = shadowOf(node, right);
  return count === otherCount && sum === otherSum;
}

/** Shadow and value, and not which record a reduce saw last: that depends on how its inputs interleave. */
export function sameShadowed(node: StreamNode, left: unknown, right: unknown): boolean {
  return sameShadow(node, left, right) && sameValue(userValue(node, left), userValue(node, right));
}
