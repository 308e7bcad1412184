import { unreachable } from "../../engine/base/assert.ts";
import { counted } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { Line } from "../views/line.ts";
import { line, span } from "../views/line.ts";
import { topLine } from "./layout.ts";
import type { ScreenLine } from "./panel-lines.ts";
import { RECORDS_LIMIT, SECTIONS, type PickerEntry, type Section } from "./picker-entry.ts";
import { PICKER_KEYS } from "./picker-keys.ts";
import { chosenEntry, chosenFailure, shownEntries, type PickerState } from "./picker-state.ts";
import { messageLines, promptLine } from "./status-line.ts";
import { failureLine, sweepLines } from "./sweep-lines.ts";
import { isOver } from "./sweep-progress.ts";

const HEAD_LINES = 2;
/** Lines that what was just said may take. */
const MESSAGE_LINES = 5;
/** Names are padded to this width, so that what is said of them stands below each other. */
const NAME_COLUMNS = 26;

/** The picker's whole screen: one line less than the terminal has. Lines are not cut yet. */
export function pickerScreen(state: PickerState): readonly ScreenLine[] {
  const status = pickerStatus(state);
  const height = state.rows - 1 - HEAD_LINES - status.length;
  const body = state.help ? helpBody() : state.view === "sweep" ? sweepBody(state) : listBody(state);
  const top = topLine(body.lines.length, Math.max(1, height), body.anchor, 0);
  const lines = body.lines.slice(top, top + Math.max(1, height));
  while (lines.length < height) lines.push({ line: [], reversed: false });
  return [...head(state).map(plain), ...lines, ...status.map(plain)];
}

interface Body {
  readonly lines: ScreenLine[];
  /** The line to have in sight. */
  readonly anchor: number | null;
}

function plain(one: Line): ScreenLine {
  return { line: one, reversed: false };
}

function head({ filter, prompt, view, entries, directory }: PickerState): readonly Line[] {
  const now = prompt?.kind === "filter" ? prompt.text : filter;
  const filtered = now === "" ? [] : [span(`  only with ${visible(JSON.stringify(now))}`, "warn")];
  const count = entries.filter(({ section }) => section === "failures").length;
  const what = view === "sweep" ? "a sweep" : "choose a run";
  return [line(span("Whitewater  ", "strong"), what, span(`  ${counted(count, "record")} in ${visible(directory)}`, "dim"), ...filtered), []];
}

function listBody(state: PickerState): Body {
  const shown = shownEntries(state);
  const chosen = chosenEntry(state);
  const lines: ScreenLine[] = [];
  let anchor: number | null = null;
  for (const section of SECTIONS) {
    const entries = shown.filter((entry) => entry.section === section);
    if (entries.length === 0 && section === "regressions") continue;
    lines.push(plain(line(span(titleOf(section, state), "strong"))));
    if (entries.length === 0) lines.push(plain(line(span(`  ${emptyText(section, state)}`, "dim"))));
    for (const entry of entries) {
      const isChosen = entry.id === chosen?.id;
      if (isChosen) anchor = lines.length;
      lines.push({ line: entryLine(entry, isChosen), reversed: isChosen });
    }
    lines.push(plain([]));
  }
  return { lines, anchor };
}

function titleOf(section: Section, { directory, entries }: PickerState): string {
  const isMore = entries.filter((entry) => entry.section === section).length >= RECORDS_LIMIT;
  switch (section) {
    case "scenarios":
      return "Scenarios";
    case "failures":
      return `Records in ${visible(directory)}, ${isMore ? `the newest ${RECORDS_LIMIT}` : "newest first"}`;
    case "regressions":
      return "Regressions";
    default:
      return unreachable(section, "titleOf");
  }
}

function emptyText(section: Section, { entries }: PickerState): string {
  if (entries.some((entry) => entry.section === section)) return "none with that";
  return section === "failures" ? "none yet: a sweep that finds something leaves them there; T is the tour" : "none";
}

function entryLine({ name, about, isSound }: PickerEntry, isChosen: boolean): Line {
  const mark = isChosen ? "> " : "  ";
  if (!isSound) return line(mark, span(`! ${visible(name)}`, "bad"), `  ${visible(about)}`);
  return line(mark, span(visible(name).padEnd(NAME_COLUMNS), "strong"), ` ${visible(about)}`);
}

function sweepBody(state: PickerState): Body {
  const { sweep } = state;
  const lines = sweepLines(sweep).map(plain);
  lines.push(plain([]));
  if (sweep.failures.length > 0) lines.push(plain(line(span("Failing runs", "strong"), span("  enter opens", "dim"))));
  const chosen = chosenFailure(state);
  let anchor: number | null = null;
  for (const failure of sweep.failures) {
    const isChosen = failure === chosen;
    if (isChosen) anchor = lines.length;
    lines.push({ line: line(isChosen ? "> " : "  ", ...failureLine(failure)), reversed: isChosen });
  }
  if (sweep.failing > sweep.failures.length) lines.push(plain(line(span(`  and ${sweep.failing - sweep.failures.length} more`, "dim"))));
  return { lines, anchor };
}

function helpBody(): Body {
  return { lines: PICKER_KEYS.map(({ keys, help }) => plain(line("  ", span(keys.join(" ").padEnd(18), "changed"), help))), anchor: null };
}

const LIST_HINTS = "? keys  q quit  j k choose  enter open  / filter  s sweep  S sweep all  tab section  T tour";
const SWEEP_HINTS = "? keys  j k choose  enter open  c cancel  escape back to the list";

function pickerStatus(state: PickerState): readonly Line[] {
  const { prompt, message, columns } = state;
  return prompt === null && message !== null ? messageLines(message, columns, MESSAGE_LINES) : [pickerStatusLine(state)];
}

function pickerStatusLine({ prompt, view, sweep, hasSwept, columns }: PickerState): Line {
  if (prompt !== null) {
    if (prompt.kind === "filter") return promptLine(span("/", "strong"), prompt.text, columns);
    const asked = prompt.kind === "seed" ? `open ${visible(prompt.scenario)} at seed: ` : `sweep ${prompt.scenario === null ? "all scenarios" : visible(prompt.scenario)}, seeds: `;
    return promptLine(span(asked, "strong"), prompt.text, columns);
  }
  if (view === "sweep") return line(span(SWEEP_HINTS, "dim"));
  const running = hasSwept && !isOver(sweep) ? [span(`sweeping: ${sweep.runs} of ${sweep.planned} runs, ${sweep.failing} failing (w)  `, "changed")] : [];
  return line(...running, span(LIST_HINTS, "dim"));
}
