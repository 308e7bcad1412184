import type { Line, Span } from "../views/line.ts";
import { line, span } from "../views/line.ts";
import { visible } from "../text/visible.ts";
import { lineWidth, tailOf, wrappedText } from "./line-cut.ts";
import { PANELS } from "./panel-name.ts";
import type { Message, UiState } from "./ui-state.ts";
import { SPEEDS } from "./ui-state.ts";

const PROMPTS = { command: ":", search: "/", filter: "&", entries: "& key: " } as const;
const LETTERS = { mark: "mark: a letter", jump: "go to mark: a letter", compare: "compare state with mark: a letter" } as const;
/** What leads to all the rest stands first: a narrow terminal cuts the end off. */
const HINTS = "? keys  q quit  tab panel  h l step  c checkpoint  f fault  v violation  : go to  / search  H L leap";

/** Lines that what was just said may take: the end of an error says what to do about it. */
const MESSAGE_LINES = 5;

/** The last lines, `most` of them at most: what is being typed, what was just said, or which keys there are. */
export function statusLines(state: UiState, most: number): readonly Line[] {
  const { message, columns } = state;
  const isSaid = state.prompt === null && state.awaiting === null && state.count === null && message !== null;
  return isSaid ? messageLines(message, columns, Math.min(most, MESSAGE_LINES)) : [statusLine(state)];
}

/** What was just said, in as many lines as it needs; the last one may be too long, where there are no more. */
export function messageLines({ text, tone }: Message, columns: number, most: number): readonly Line[] {
  const rows = wrappedText(tone === "bad" ? `! ${visible(text)}` : visible(text), columns);
  const last = rows.slice(most - 1).join(" ");
  return [...rows.slice(0, most - 1), ...(last === "" ? [] : [last])].map((row) => line(span(row, tone)));
}

function statusLine({ prompt, awaiting, count, playing, speed, filter, columns }: UiState): Line {
  if (prompt !== null) return promptLine(span(PROMPTS[prompt.kind], "strong"), prompt.text, columns);
  if (awaiting !== null) return line(span(LETTERS[awaiting], "strong"));
  if (count !== null) return line(span(`${count}`, "strong"), span(`  steps (h l), times, or G${panelHint(count)}`, "dim"));
  if (playing) return line(span(`playing ${SPEEDS[speed]} steps a second`, "strong"), span("  space pauses, + - speed", "dim"));
  const filtered = filter === "" ? [] : [span(`only events with ${visible(JSON.stringify(filter))}  `, "warn")];
  return line(...filtered, span(HINTS, "dim"));
}

/** What is being typed: its end, where not all of it has room. */
export function promptLine(asked: Span, text: string, columns: number): Line {
  const room = columns - lineWidth([asked]) - 1;
  return line(asked, tailOf(visible(text), room), span("_", "dim"));
}

function panelHint(count: number): string {
  const panel = PANELS[count - 1];
  return panel === undefined ? "" : `; alone: panel ${panel}`;
}
