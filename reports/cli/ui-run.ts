import type { LoadedScenario } from "../catalog/load-scenario.ts";
import type { RecordContext } from "../record/run-record.ts";
import { findJourney, type Journey } from "../travel/journey.ts";
import { parsePlace, placeOfInterest } from "../travel/place.ts";
import { visible } from "../text/visible.ts";
import { Explorer } from "../tui/explorer.ts";
import { openUi, type UiEnd } from "../tui/open-ui.tsx";
import type { Terminal } from "../tui/terminal.ts";
import type { Theme } from "../tui/theme.ts";
import { tourSteps } from "../tui/tour-stops.ts";
import { UiRequests } from "../tui/ui-requests.ts";
import { reproduceArguments } from "./failures.ts";
import type { Host } from "./host.ts";
import { findTarget, loadTarget, stalenessOfOne } from "./replay-target.ts";
import type { RawUiOptions } from "./ui-command.ts";
import { toolVersion } from "./version.ts";

/** How a run on the screen ended. */
export interface UiRunEnd {
  /** "stale": it could not be opened any more, which was said on standard error. */
  readonly end: UiEnd | "stale";
  /** Commands that were copied: to be printed once the terminal is given back. */
  readonly copied: readonly string[];
}

/** Makes the run that is named, and shows it until somebody quits. */
export async function openRun(text: string, raw: RawUiOptions, host: Host, terminal: Terminal, theme: Theme): Promise<UiRunEnd> {
  const target = await findTarget(text, raw, host);
  const loaded = await loadTarget(target, host);
  if (loaded === null) return { end: "stale", copied: [] };
  const { expected, requests: asked } = target;
  const libraries = await host.libraries();
  const made = terminal.notice(`whitewater: makes the run ${visible(text)} once, to know all of it ...`);
  let journey: Journey;
  try {
    const found = findJourney(loaded.scenario, libraries, asked, expected?.digest ?? null);
    journey = { ...found, origin: { source: loaded.source, record: expected?.record ?? null } };
  } finally {
    made();
  }
  const requests = new UiRequests(terminal, host.cwd, { source: loaded.source, tool: toolVersion() });
  try {
    const step = raw.at === undefined ? placeOfInterest(journey.tape) : parsePlace(raw.at, journey.tape);
    const stale = expected === null ? null : stalenessOfOne(journey.tape.result, expected);
    const tour = raw.tour === true ? tourSteps(journey.tape) : null;
    const reproduce = reproduceArguments(journey.tape, contextOf(journey, loaded), expected?.record ?? null);
    const run = { explorer: new Explorer({ journey, stale, branch: null, reproduce, tour }), step };
    const end = await openUi(terminal, theme, run, (what, store) => requests.carryOut(what, store));
    return { end, copied: requests.copied };
  } finally {
    requests.release();
    journey.machine.release();
  }
}

function contextOf({ request }: Journey, { source }: LoadedScenario): RecordContext {
  const { profile, fixed, maxSteps } = request;
  return { tool: toolVersion(), source, profile, fixed, maxSteps };
}
