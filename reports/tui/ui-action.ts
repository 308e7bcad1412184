import type { Tone } from "../views/line.ts";
import type { PanelName } from "./panel-name.ts";

/** Something in a run that one goes to, from one to the next. */
export type Landmark = "checkpoint" | "fault" | "event" | "match" | "finding";
/** The line of text at the bottom that somebody types into. */
export type PromptKind = "command" | "search" | "filter" | "entries";
/** What is asked of whoever holds the run: it needs more than the state of the screen. */
export type Request = "copy" | "export" | "restore" | "toggle" | "back" | "compare" | "quit";

/** Everything that can happen to the screen: what keys stand for, and what the program reports. */
export type UiAction =
  | { readonly type: "step"; readonly by: number }
  | { readonly type: "leap"; readonly direction: 1 | -1 }
  | { readonly type: "next"; readonly what: Landmark; readonly direction: 1 | -1 }
  | { readonly type: "go"; readonly to: "start" | "end" | "violation" }
  /** To a step that the program found. */
  | { readonly type: "jump"; readonly step: number }
  | { readonly type: "digit"; readonly digit: number }
  /** No more digits came for a while. */
  | { readonly type: "digits-ended" }
  | { readonly type: "focus"; readonly panel: PanelName }
  | { readonly type: "focus-next"; readonly direction: 1 | -1 }
  | { readonly type: "choose"; readonly by: number }
  | { readonly type: "page"; readonly pages: number }
  | { readonly type: "shift"; readonly direction: 1 | -1 }
  | { readonly type: "open" }
  | { readonly type: "zoom" }
  | { readonly type: "fold" }
  | { readonly type: "await"; readonly what: "mark" | "jump" | "compare" }
  /** State is compared with the step before, or with the reference: the other one. */
  | { readonly type: "against" }
  | { readonly type: "letter"; readonly letter: string }
  | { readonly type: "prompt"; readonly what: PromptKind }
  | { readonly type: "type"; readonly text: string }
  | { readonly type: "erase"; readonly what: "character" | "all" }
  | { readonly type: "submit" }
  | { readonly type: "cancel" }
  | { readonly type: "play" }
  | { readonly type: "speed"; readonly by: 1 | -1 }
  /** Time passed while it plays: so many steps of it. */
  | { readonly type: "tick"; readonly steps: number }
  /** To the next or the previous stop of the guided tour, or out of it. */
  | { readonly type: "tour"; readonly to: "next" | "previous" | "end" }
  | { readonly type: "help" }
  | { readonly type: "request"; readonly what: Request }
  | { readonly type: "resize"; readonly columns: number; readonly rows: number }
  | { readonly type: "say"; readonly text: string; readonly tone: Tone }
  /** Another run is looked at: a branch, or the one that it came from. */
  | { readonly type: "run-changed"; readonly step: number };
