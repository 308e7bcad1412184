import type { Line } from "../views/line.ts";
import { line, span } from "../views/line.ts";
import { visible } from "../text/visible.ts";
import { PANELS } from "./panel-name.ts";
import type { UiState } from "./ui-state.ts";
import { SPEEDS } from "./ui-state.ts";

const PROMPTS = { command: ":", search: "/", filter: "&", entries: "& key: " } as const;
const LETTERS = { mark: "mark: a letter", jump: "go to mark: a letter", compare: "compare state with mark: a letter" } as const;
/** What leads to all the rest stands first: a narrow terminal cuts the end off. */
const HINTS = "? keys  q quit  tab panel  h l step  c checkpoint  f fault  v violation  : go to  / search  H L leap";

/** The last line: what is being typed, what was just said, or which keys there are. */
export function statusLine({ prompt, awaiting, count, message, playing, speed, filter }: UiState): Line {
  if (prompt !== null) return line(span(PROMPTS[prompt.kind], "strong"), visible(prompt.text), span("_", "dim"));
  if (awaiting !== null) return line(span(LETTERS[awaiting], "strong"));
  if (count !== null) return line(span(`${count}`, "strong"), span(`  steps (h l), times, or G${panelHint(count)}`, "dim"));
  if (message !== null) return line(span(message.tone === "bad" ? `! ${visible(message.text)}` : visible(message.text), message.tone));
  if (playing) return line(span(`playing ${SPEEDS[speed]} steps a second`, "strong"), span("  space pauses, + - speed", "dim"));
  const filtered = filter === "" ? [] : [span(`only events with ${visible(JSON.stringify(filter))}  `, "warn")];
  return line(...filtered, span(HINTS, "dim"));
}

function panelHint(count: number): string {
  const panel = PANELS[count - 1];
  return panel === undefined ? "" : `; alone: panel ${panel}`;
}
