import { fileURLToPath } from "node:url";
import type { LoadedScenario } from "../catalog/load-scenario.ts";
import type { RecordContext } from "../record/run-record.ts";
import { findJourney, type Journey } from "../travel/journey.ts";
import { parsePlace, placeOfInterest } from "../travel/place.ts";
import { UsageError } from "../files/usage-error.ts";
import { shellQuoted } from "../text/format.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import { reproduceArguments } from "./failures.ts";
import { findTarget, loadTarget, staleness, type RawTargetOptions } from "./replay-target.ts";
import { toolVersion } from "./version.ts";

/** The options of `ui` as the command line gives them. */
export interface RawUiOptions extends RawTargetOptions {
  readonly at?: string;
  readonly tour?: boolean;
  readonly ascii?: boolean;
  readonly color: boolean;
}

/** `whitewater ui`: a run on the screen, forwards and backwards. */
export async function uiCommand(named: string | undefined, raw: RawUiOptions, host: Host): Promise<ExitCode> {
  const text = raw.tour === true ? tourRecord(named) : named;
  const streams = host.terminal;
  if (streams === null) throw new UsageError("ui", "needs a terminal for its input and output", `the same as text: ${textCommand(text, raw)}`);
  if (text === undefined) throw new UsageError("ui", "needs a run", "give .whitewater/….json, ww1:scenario/combination@seed#digest or scenario@seed");
  const target = await findTarget(text, raw, host);
  const loaded = await loadTarget(target, host);
  if (loaded === null) return EXIT.stale;
  const { expected, requests } = target;
  const journey = findJourney(loaded.scenario, await host.libraries(), requests, expected?.digest ?? null);
  try {
    const step = raw.at === undefined ? placeOfInterest(journey.tape) : parsePlace(raw.at, journey.tape);
    const stale = expected === null ? null : staleness(journey.tape.result, expected);
    const { openUi } = await import("../tui/open-ui.tsx");
    const { Explorer } = await import("../tui/explorer.ts");
    const { Terminal } = await import("../tui/terminal.ts");
    const { UiRequests } = await import("../tui/ui-requests.ts");
    const { themeOf } = await import("../tui/theme.ts");
    const tour = raw.tour === true ? (await import("../tui/tour-stops.ts")).tourSteps(journey.tape) : null;
    const theme = themeOf(host.env, { colour: raw.color, ascii: raw.ascii === true });
    const reproduce = reproduceArguments(journey.tape, contextOf(journey, loaded), expected?.record ?? null);
    const terminal = new Terminal(streams);
    const requests = new UiRequests(terminal, host.cwd);
    const run = { explorer: new Explorer({ journey, stale, branch: null, reproduce, tour }), step };
    const end = await openUi(terminal, theme, run, (what, store) => requests.carryOut(what, store));
    for (const line of requests.copied) host.stdout.write(`${line}\n`);
    return end === "signal" ? EXIT.interrupted : EXIT.ok;
  } finally {
    journey.machine.release();
  }
}

function contextOf({ request }: Journey, { source }: LoadedScenario): RecordContext {
  const { profile, fixed, maxSteps } = request;
  return { tool: toolVersion(), source, profile, fixed, maxSteps };
}

/** The record that comes along for the guided tour. */
function tourRecord(named: string | undefined): string {
  if (named !== undefined) throw new UsageError(`--tour ${named}`, "the tour has a run of its own", "leave one of them out");
  return fileURLToPath(new URL("../../../scenarios/tour/tour.json", import.meta.url));
}

function textCommand(text: string | undefined, { at }: RawUiOptions): string {
  return `npx whitewater replay ${shellQuoted(text ?? "<run>")} --at ${shellQuoted(at ?? "<place>")} --show events`;
}
