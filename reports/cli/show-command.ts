import type { LoadedScenario } from "../catalog/load-scenario.ts";
import { findJourney, type Journey } from "../travel/journey.ts";
import { parsePlace, placeOfInterest } from "../travel/place.ts";
import { show } from "../views/show.ts";
import { viewJson, viewText } from "../views/view-document.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import type { RawReplayOptions } from "./replay-options.ts";
import { stalenessOfOne, type ReplayTarget } from "./replay-target.ts";

/** Shown where nothing else is asked for. */
const DEFAULT_SHOWN = "events";

/** `whitewater replay … --at … --show …`: stops a run somewhere, and shows what is there. */
export async function showCommand(target: ReplayTarget, loaded: LoadedScenario, raw: RawReplayOptions, host: Host): Promise<ExitCode> {
  const { expected, requests } = target;
  const found = findJourney(loaded.scenario, await host.libraries(), requests, expected?.digest ?? null);
  const journey: Journey = { ...found, origin: { source: loaded.source, record: expected?.record ?? null } };
  try {
    const stale = expected === null ? null : stalenessOfOne(journey.tape.result, expected);
    print(journey, raw, stale, host);
    return stale === null ? EXIT.ok : EXIT.stale;
  } finally {
    journey.machine.release();
  }
}

function print(journey: Journey, { at, show: shown = DEFAULT_SHOWN, json }: RawReplayOptions, stale: string | null, host: Host): void {
  const { tape } = journey;
  const step = at === undefined ? placeOfInterest(tape) : parsePlace(at, tape);
  const document = { journey, step, shown, stale, view: show(shown, journey, step) };
  host.stdout.write(json === true ? viewJson(document) : viewText(document));
}
