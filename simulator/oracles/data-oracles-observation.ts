import type { Interpretation } from "../reference/interpreter.ts";
import { interpret } from "../reference/interpreter.ts";
import type { GraphRewriter, World } from "../world/world.ts";

interface ObservingRewriter extends GraphRewriter {
  readonly observation: DataObservation;
}

/** What the oracles over data share in one run: made once for a World, by the first that asks. */
export class DataObservation {
  readonly #world: World;
  #interpretation: Interpretation | null = null;

  private constructor(world: World) {
    this.#world = world;
  }

  /** The one of this World; it lives with the World's rewriter. */
  static of(world: World): DataObservation {
    const { observation } = world.rewriter as Partial<ObservingRewriter>;
    if (observation !== undefined) return observation;
    const made = new DataObservation(world);
    const rewriter: GraphRewriter = (graph) => graph;
    world.rewriter = Object.assign(rewriter, { observation: made });
    return made;
  }

  /** What the sequential interpreter says of the job, worked out once. */
  interpretation(): Interpretation {
    const { scenario, options, inputs } = this.#world.options;
    this.#interpretation ??= interpret(scenario.job(options), inputs);
    return this.#interpretation;
  }
}
