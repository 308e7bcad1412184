import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../files/usage-error.ts";
import { shellQuoted } from "../text/format.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import type { RawTargetOptions } from "./replay-target.ts";
import { TOUR_RECORD } from "./tour-record.ts";

/** Records that failing runs leave, where nobody says otherwise. */
const RECORDS = ".whitewater";

/** The options of `ui` as the command line gives them. */
export interface RawUiOptions extends RawTargetOptions {
  readonly at?: string;
  readonly tour?: boolean;
  readonly ascii?: boolean;
  readonly color: boolean;
}

/** `whitewater ui`: a run on the screen, forwards and backwards; without one, what there is to open. */
export async function uiCommand(named: string | undefined, raw: RawUiOptions, host: Host): Promise<ExitCode> {
  const text = raw.tour === true ? tourRecord(named, raw.at) : named;
  const streams = host.terminal;
  if (streams === null) throw new UsageError("ui", "needs a terminal for its input and output", `the same as text: ${textCommand(text, raw)}`);
  const { Terminal } = await import("../tui/terminal.ts");
  const { themeOf } = await import("../tui/theme.ts");
  const terminal = new Terminal(streams);
  const theme = themeOf(host.env, { colour: raw.color, ascii: raw.ascii === true });
  if (text === undefined || isDirectory(resolve(host.cwd, text))) {
    const { pickRuns } = await import("./ui-picker.ts");
    return pickRuns(text ?? RECORDS, raw, host, terminal, theme);
  }
  const { openRun } = await import("./ui-run.ts");
  const { end, copied } = await openRun(text, raw, host, terminal, theme);
  for (const line of copied) host.stdout.write(`${line}\n`);
  if (end === "stale") return EXIT.stale;
  return end === "signal" ? EXIT.interrupted : EXIT.ok;
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function tourRecord(named: string | undefined, at: string | undefined): string {
  if (at !== undefined) throw new UsageError(`--tour --at ${at}`, "the tour begins at its first stop", "leave one of them out");
  if (named !== undefined) throw new UsageError(`--tour ${named}`, "the tour has a run of its own", "leave one of them out");
  return TOUR_RECORD;
}

function textCommand(text: string | undefined, { at }: RawUiOptions): string {
  return `npx whitewater replay ${shellQuoted(text ?? "<run>")} --at ${shellQuoted(at ?? "end")} --show events`;
}
