import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import type { InputTopic, Scenario } from "../scenario.ts";
import type { World } from "../world/world.ts";

/** What an oracle may look at. */
export interface OracleContext {
  readonly world: World;
  readonly scenario: Scenario;
  /** The job as the user wrote it, built once for the oracles, before any rewriting. */
  readonly graph: StreamGraph;
  readonly inputs: readonly InputTopic[];
  /** Says what is wrong, in one line; step and time are added. Bounded: an oracle keeps its first findings. */
  report(message: string): void;
  /** A declared path was reached. */
  sometimes(name: string): void;
}

/** How the run ended, when the oracles have their last word. */
export interface RunEnd {
  /** "finished": the job ended. "failed": it gave up. "cancelled": it was told to end. "stuck": none of them in time. */
  readonly job: "finished" | "failed" | "cancelled" | "stuck";
}

/**
 * A check over a whole run. It subscribes to the World's observers and trace listeners in `create`, before
 * the first step, and has its last word in `finish`, which runs on every verdict. It looks at ports, durable
 * bytes, messages and trace points, never at the engine's own counters, and changes nothing.
 */
export interface Oracle {
  readonly name: string;
  finish(end: RunEnd): void;
}

export interface OracleKind {
  readonly name: string;
  /** Null where the oracle does not apply to the scenario. */
  create(context: OracleContext): Oracle | null;
}
