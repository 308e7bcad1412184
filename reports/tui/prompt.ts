import { unreachable } from "../../engine/base/assert.ts";
import type { Reduction } from "./reducer.ts";
import { back, land, nextOf } from "./moves.ts";
import type { RunContext } from "./run-context.ts";
import type { PromptKind } from "./ui-action.ts";
import { focusOn, type UiState } from "./ui-state.ts";

/** Characters that a prompt takes. */
const LENGTH_LIMIT = 200;
const QUIT: readonly string[] = ["q", "q!", "quit", "wq", "x"];

/** In the inspector a filter is one of its entries. */
export function prompted(state: UiState, what: PromptKind): UiState {
  const kind = what === "filter" && state.focus === "inspector" ? "entries" : what;
  const text = kind === "filter" ? state.filter : kind === "entries" ? state.entryFilter : "";
  return { ...state, count: null, message: null, playing: false, prompt: { kind, text } };
}

export function typed(state: UiState, text: string): UiState {
  if (state.prompt === null) return state;
  return { ...state, prompt: { ...state.prompt, text: `${state.prompt.text}${text}`.slice(0, LENGTH_LIMIT) } };
}

/** Nothing left to take away: the prompt goes. */
export function erased(state: UiState, what: "character" | "all"): UiState {
  const { prompt } = state;
  if (prompt === null) return state;
  if (what === "all") return { ...state, prompt: { ...prompt, text: "" } };
  return { ...state, prompt: prompt.text === "" ? null : { ...prompt, text: [...prompt.text].slice(0, -1).join("") } };
}

export function submitted(state: UiState, run: RunContext): Reduction {
  const { prompt } = state;
  const closed: UiState = { ...state, prompt: null, message: null };
  if (prompt === null) return { state, request: null };
  const { kind } = prompt;
  switch (kind) {
    case "command":
      return commanded(closed, prompt.text.trim(), run);
    case "search":
      return { state: nextOf({ ...closed, search: prompt.text === "" ? state.search : prompt.text }, "match", 1, 1, run), request: null };
    case "filter":
      return { state: filtered(closed, prompt.text.trim(), run), request: null };
    case "entries":
      return { state: { ...closed, entryFilter: prompt.text, scroll: { ...closed.scroll, inspector: 0 } }, request: null };
    default:
      return unreachable(kind, "submitted");
  }
}

function commanded(state: UiState, command: string, run: RunContext): Reduction {
  if (command === "") return { state, request: null };
  if (QUIT.includes(command)) return { state, request: "quit" };
  if (command === "help" || command === "h") return { state: { ...state, help: true }, request: null };
  const inspected = INSPECTED.exec(command);
  if (inspected !== null) return { state: inspecting(state, command.replace(/^record\s+/, "record:")), request: null };
  return { state: land(back(state), run.place(command), run), request: null };
}

/** What names something to look into: "record 31", "state:sum[1]~612", "host:host-1", "jm-1", "blobs", "log". */
const INSPECTED = /^(record[\s:]|state:|host:|job-manager$|jm-\d+$|blobs$|log$)/;

function inspecting(state: UiState, shown: string): UiState {
  const focused = focusOn(state, "inspector");
  return { ...focused, opened: { ...state.opened, inspector: shown }, chosen: { ...state.chosen, inspector: null }, scroll: { ...state.scroll, inspector: 0 } };
}

function filtered(state: UiState, filter: string, run: RunContext): UiState {
  run.checkFilter(filter);
  const message = filter === "" ? { text: "all events are shown", tone: "plain" as const } : null;
  return { ...focusOn(state, "events"), filter, message, scroll: { ...state.scroll, events: 0 }, chosen: { ...state.chosen, events: null } };
}
