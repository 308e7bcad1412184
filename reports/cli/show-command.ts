import type { LoadedScenario } from "../catalog/load-scenario.ts";
import { findJourney, type Journey } from "../travel/journey.ts";
import { parsePlace, placeOfInterest } from "../travel/place.ts";
import { grouped, seconds } from "../text/format.ts";
import { visible, visibleJson } from "../text/visible.ts";
import { textOf } from "../views/line.ts";
import { show } from "../views/show.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import type { RawReplayOptions } from "./replay-options.ts";
import { staleness, type ReplayTarget } from "./replay-target.ts";

/** Shown where nothing else is asked for. */
const DEFAULT_SHOWN = "events";

/** `whitewater replay … --at … --show …`: stops a run somewhere, and shows what is there. */
export async function showCommand(target: ReplayTarget, loaded: LoadedScenario, raw: RawReplayOptions, host: Host): Promise<ExitCode> {
  const { expected, requests } = target;
  const journey = findJourney(loaded.scenario, await host.libraries(), requests, expected?.digest ?? null);
  try {
    const stale = expected === null ? null : staleness(journey.tape.result, expected);
    print(journey, raw, stale, host);
    return stale === null ? EXIT.ok : EXIT.stale;
  } finally {
    journey.machine.release();
  }
}

function print(journey: Journey, { at, show: what = DEFAULT_SHOWN, json }: RawReplayOptions, stale: string | null, host: Host): void {
  const { tape } = journey;
  const step = at === undefined ? placeOfInterest(tape) : parsePlace(at, tape);
  const { facts, lines } = show(what, journey, step);
  const { scenario, combination, seed, digest, steps } = tape.result;
  const atUs = tape.timeUsOf(step);
  if (json === true) {
    const run = { scenario, combination, seed, digest };
    host.stdout.write(`${visibleJson(JSON.stringify({ run, step, atUs, shown: what, stale, facts }, null, 2))}\n`);
    return;
  }
  const head = `${visible(`${scenario}/${combination}`)}  seed ${seed}  step ${grouped(step)} of ${grouped(steps)}, t=${seconds(atUs)}`;
  const banner = stale === null ? [] : [`stale: ${visible(stale)}`];
  host.stdout.write(`${[head, ...banner, "", ...lines.map(textOf)].join("\n")}\n`);
}
