import { PANELS } from "./panel-name.ts";
import { textOfKey } from "./key-names.ts";
import type { Landmark, Request, UiAction } from "./ui-action.ts";
import type { UiState } from "./ui-state.ts";

/** Keys that do the same, and what that is. The help shows all of them, in this order. */
export interface Binding {
  readonly group: "Move in time" | "Look around" | "Change the run" | "Program";
  readonly keys: readonly string[];
  readonly help: string;
  readonly action: UiAction;
}

type Group = Binding["group"];

function bind(group: Group, keys: string, help: string, action: UiAction): Binding {
  return { group, keys: keys.split(" "), help, action };
}

function toNext(what: Landmark, direction: 1 | -1): UiAction {
  return { type: "next", what, direction };
}

function ask(what: Request): UiAction {
  return { type: "request", what };
}

const IN_TIME = "Move in time";
const AROUND = "Look around";
const RUN = "Change the run";
const PROGRAM = "Program";

export const KEYMAP: readonly Binding[] = [
  bind(IN_TIME, "l right", "one step on (10l: ten)", { type: "step", by: 1 }),
  bind(IN_TIME, "h left", "one step back", { type: "step", by: -1 }),
  bind(IN_TIME, "L shift-right", "a larger step on", { type: "leap", direction: 1 }),
  bind(IN_TIME, "H shift-left", "a larger step back", { type: "leap", direction: -1 }),
  bind(IN_TIME, "c", "next checkpoint", toNext("checkpoint", 1)),
  bind(IN_TIME, "C", "previous checkpoint", toNext("checkpoint", -1)),
  bind(IN_TIME, "f", "next fault", toNext("fault", 1)),
  bind(IN_TIME, "F", "previous fault", toNext("fault", -1)),
  bind(IN_TIME, "e", "next event of what is selected in the graph or inspector", toNext("event", 1)),
  bind(IN_TIME, "E", "previous event of it", toNext("event", -1)),
  bind(IN_TIME, "n", "next match of the search", toNext("match", 1)),
  bind(IN_TIME, "N", "previous match", toNext("match", -1)),
  bind(IN_TIME, "v", "the violation (again: the next finding)", { type: "go", to: "violation" }),
  bind(IN_TIME, "g home", "the start", { type: "go", to: "start" }),
  bind(IN_TIME, "G end", "the end (612G: step 612)", { type: "go", to: "end" }),
  bind(IN_TIME, "space", "play, pause", { type: "play" }),
  bind(IN_TIME, "+ =", "play faster", { type: "speed", by: 1 }),
  bind(IN_TIME, "-", "play slower", { type: "speed", by: -1 }),
  bind(IN_TIME, "m", "set a mark (ma)", { type: "await", what: "mark" }),
  bind(IN_TIME, "' `", "go to a mark ('a; '': back to before the last jump)", { type: "await", what: "jump" }),
  bind(IN_TIME, ":", ":612 :t 1.7s :ckpt 4 go there; :record 31 :host:host-1 :jm-1 :log look into it", { type: "prompt", what: "command" }),
  bind(AROUND, "tab", "next panel", { type: "focus-next", direction: 1 }),
  bind(AROUND, "shift-tab", "previous panel", { type: "focus-next", direction: -1 }),
  ...PANELS.map((panel, i) => bind(AROUND, String(i + 1), `panel ${panel}`, { type: "digit", digit: i + 1 })),
  bind(AROUND, "j down", "choose or scroll down", { type: "choose", by: 1 }),
  bind(AROUND, "k up", "choose or scroll up", { type: "choose", by: -1 }),
  bind(AROUND, "page-down ctrl-f", "a page down", { type: "page", pages: 1 }),
  bind(AROUND, "page-up ctrl-b", "a page up", { type: "page", pages: -1 }),
  bind(AROUND, "ctrl-d", "half a page down", { type: "page", pages: 0.5 }),
  bind(AROUND, "ctrl-u", "half a page up", { type: "page", pages: -0.5 }),
  bind(AROUND, ">", "see what is further to the right", { type: "shift", direction: 1 }),
  bind(AROUND, "<", "and back", { type: "shift", direction: -1 }),
  bind(AROUND, "enter", "open what is chosen", { type: "open" }),
  bind(AROUND, "z", "zoom the panel, and back", { type: "zoom" }),
  bind(AROUND, "o", "fold or unfold in the graph", { type: "fold" }),
  bind(AROUND, "d", "compare state with the reference, or again with the step before", { type: "against" }),
  bind(AROUND, "D", "compare state with a mark (Da)", { type: "await", what: "compare" }),
  bind(AROUND, "/", "search events, with the words of a filter", { type: "prompt", what: "search" }),
  bind(AROUND, "&", "filter events: kind:a,b subject:sum[1] process:jm-1 -word; in the inspector: entries by key", { type: "prompt", what: "filter" }),
  bind(AROUND, "escape", "leave what was begun", { type: "cancel" }),
  bind(RUN, "r", "restore the chosen checkpoint, as a branch", ask("restore")),
  bind(RUN, "t", "the chosen fault off or on, as a branch", ask("toggle")),
  bind(RUN, "b", "back to the run that the branch came from", ask("back")),
  bind(RUN, "B", "compare the branch with it: to the first difference", ask("compare")),
  bind(PROGRAM, "y", "copy the command that shows this again", ask("copy")),
  bind(PROGRAM, "x", "write this view to files, as text and JSON", ask("export")),
  bind(PROGRAM, "?", "these keys", { type: "help" }),
  bind(PROGRAM, "q ctrl-c", "quit", ask("quit")),
];

const BY_KEY: ReadonlyMap<string, UiAction> = new Map(KEYMAP.flatMap(({ keys, action }) => keys.map((key) => [key, action])));

/** While the guided tour is on, which says so itself. */
const TOUR_KEYS: ReadonlyMap<string, UiAction> = new Map([
  ["n", { type: "tour", to: "next" }],
  ["p", { type: "tour", to: "previous" }],
  ["T", { type: "tour", to: "end" }],
]);

/** What a key stands for now; null: nothing. */
export function actionOf(key: string, { prompt, awaiting, help, tour }: UiState): UiAction | null {
  if (key === "ctrl-c") return ask("quit");
  if (prompt !== null) return actionInPrompt(key);
  if (key === "escape") return { type: "cancel" };
  if (awaiting !== null) return { type: "letter", letter: key };
  if (help) return actionInHelp(key);
  const inTour = tour === null ? undefined : TOUR_KEYS.get(key);
  if (inTour !== undefined) return inTour;
  if (/^[0-9]$/.test(key)) return { type: "digit", digit: Number(key) };
  return BY_KEY.get(key) ?? null;
}

function actionInPrompt(key: string): UiAction | null {
  switch (key) {
    case "enter":
      return { type: "submit" };
    case "escape":
      return { type: "cancel" };
    case "backspace":
      return { type: "erase", what: "character" };
    case "ctrl-u":
      return { type: "erase", what: "all" };
    default: {
      const text = textOfKey(key);
      return text === "" ? null : { type: "type", text };
    }
  }
}

/** It can be scrolled, and left as it was come to. */
function actionInHelp(key: string): UiAction | null {
  if (key === "q" || key === "enter") return { type: "cancel" };
  const action = BY_KEY.get(key);
  return action !== undefined && ["choose", "page", "help"].includes(action.type) ? action : null;
}
