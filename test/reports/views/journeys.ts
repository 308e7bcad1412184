import { present } from "#whitewater/engine/base/assert.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { type Journey, journeyOf } from "#whitewater/reports/travel/journey.js";
import { type Line, textOf } from "#whitewater/reports/views/line.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import type { World } from "#whitewater/simulator/world/world.js";

const NO_LIBRARIES: StateLibraries = { sqlite: null };

/** A run of a scenario of the library, with its state on the heap. Whoever asks for it releases its machine. */
export function journeyTo(name: string, seed: string): Journey {
  const scenario = present(scenarioNamed(name), "the scenario exists");
  const request = { seed, profile: "swarm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 } as const;
  return journeyOf(new Simulator(scenario, NO_LIBRARIES), request);
}

/** The first step of a run, looked at in strides, at whose end something is true of the World. */
export function stepWhere({ machine, tape }: Journey, stride: number, isSo: (world: World) => boolean, from = 0): number {
  for (let step = from; step <= tape.steps; step += stride) if (isSo(machine.seek(step))) return step;
  throw new Error("no such step");
}

export function textsOf(lines: readonly Line[]): readonly string[] {
  return lines.map(textOf);
}
