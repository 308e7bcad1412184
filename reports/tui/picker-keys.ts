import { textOfKey } from "./key-names.ts";
import type { PickerAction, PickerState } from "./picker-state.ts";

interface PickerBinding {
  readonly keys: readonly string[];
  readonly help: string;
  readonly action: PickerAction;
}

function bind(keys: string, help: string, action: PickerAction): PickerBinding {
  return { keys: keys.split(" "), help, action };
}

/** All keys of the picker, in the order in which the help shows them. */
export const PICKER_KEYS: readonly PickerBinding[] = [
  bind("j down", "further down", { type: "move", by: 1 }),
  bind("k up", "further up", { type: "move", by: -1 }),
  bind("page-down ctrl-f", "a page down", { type: "page", pages: 1 }),
  bind("page-up ctrl-b", "a page up", { type: "page", pages: -1 }),
  bind("g home", "the first", { type: "ends", to: "first" }),
  bind("G end", "the last", { type: "ends", to: "last" }),
  bind("tab", "next section", { type: "section", direction: 1 }),
  bind("shift-tab", "previous section", { type: "section", direction: -1 }),
  bind("enter", "open: a record as it is, a scenario at a seed", { type: "open" }),
  bind("/", "filter, as you type (enter keeps it, escape drops it)", { type: "filter" }),
  bind("s", "sweep the chosen scenario", { type: "ask-seeds", of: "chosen" }),
  bind("S", "sweep all scenarios", { type: "ask-seeds", of: "all" }),
  bind("w", "watch the sweep", { type: "show", view: "sweep" }),
  bind("c", "cancel the sweep", { type: "request", request: { type: "cancel" } }),
  bind("T", "the guided tour: barriers, checkpoints and a restore in eight stops", { type: "request", request: { type: "tour" } }),
  bind("r", "read the directories again", { type: "request", request: { type: "read-again" } }),
  bind("escape", "back, or drop the filter", { type: "escape" }),
  bind("?", "these keys", { type: "help" }),
  bind("q ctrl-c", "quit (from the sweep: back to the list)", { type: "request", request: { type: "quit" } }),
];

const BY_KEY: ReadonlyMap<string, PickerAction> = new Map(PICKER_KEYS.flatMap(({ keys, action }) => keys.map((key) => [key, action])));

/** What a key stands for now; null: nothing. */
export function pickerAction(key: string, { prompt, help, view }: PickerState): PickerAction | null {
  if (key === "ctrl-c") return { type: "request", request: { type: "quit" } };
  if (prompt !== null) return actionInPrompt(key);
  if (help) return ["escape", "?", "q", "enter"].includes(key) ? { type: "help" } : null;
  if (key === "q" && view === "sweep") return { type: "show", view: "list" };
  return BY_KEY.get(key) ?? null;
}

function actionInPrompt(key: string): PickerAction | null {
  switch (key) {
    case "enter":
      return { type: "submit" };
    case "escape":
      return { type: "escape" };
    case "backspace":
      return { type: "erase", what: "character" };
    case "ctrl-u":
      return { type: "erase", what: "all" };
    case "down":
    case "up":
      return { type: "move", by: key === "down" ? 1 : -1 };
    default: {
      const text = textOfKey(key);
      return text === "" ? null : { type: "type", text };
    }
  }
}
