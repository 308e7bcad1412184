import type { CheckpointMode, FailoverScope } from "../../engine/graph/job-modes.ts";
import type { BaseBackendName, StateBackendName } from "../../engine/state/state-backend.ts";
import type { Profile } from "../run-result.ts";
import type { RunOptions, Scenario } from "../scenario.ts";

/** The size of buffers hardly matters for a census; one stands for all. */
const BUFFER_ELEMENTS = 16;

/**
 * Options whose census stands for those that were drawn. With a census of its own for every combination, most of a
 * sweep would go into taking them. What a restore strategy, a mode and a backend add to the events of a run is much
 * the same whatever the others are; so the run that is counted has the first of these that is out of the ordinary,
 * and the ordinary rest, as far as the scenario runs with that.
 */
export function censusOptions(scenario: Scenario, drawn: RunOptions, profile: Profile): RunOptions {
  const ordinary: RunOptions = {
    ...drawn,
    parallelismAfter: drawn.parallelism,
    failover: orElse<FailoverScope>("job", scenario.failovers, drawn.failover),
    bufferElements: BUFFER_ELEMENTS,
  };
  const aligned = orElse<CheckpointMode>("aligned", scenario.modes, drawn.mode);
  const heap = orElse<StateBackendName>("heap", scenario.backends, innerOf(drawn.backend));
  // In the matrix, plans name nothing in which restore strategies differ.
  if (profile === "matrix") return { ...ordinary, restore: "full", backend: innerOf(drawn.backend) };
  if (drawn.restore === "incremental") return { ...ordinary, mode: aligned };
  // Where it is all about disks, what a backend does to them counts most.
  if (profile === "disk") return { ...ordinary, mode: aligned, backend: innerOf(drawn.backend) };
  if (drawn.restore === "local") return { ...ordinary, mode: aligned, backend: heap };
  return { ...ordinary, backend: drawn.mode === aligned ? innerOf(drawn.backend) : heap };
}

/** A changelog adds to a run what its inner backend does, and nothing that could be hit by name but shared files. */
function innerOf(backend: StateBackendName): StateBackendName {
  return backend.replace("changelog:", "") as BaseBackendName;
}

/** What is ordinary, where the scenario says nothing else; else what was drawn. */
function orElse<T>(ordinary: T, choices: readonly T[] | undefined, drawn: T): T {
  return choices === undefined || choices.includes(ordinary) ? ordinary : drawn;
}
