import type { Message } from "./ui-state.ts";
import { matching, SECTIONS, type PickerEntry } from "./picker-entry.ts";
import { NO_PROGRESS, type SweepEvent, type SweepProgress, type SweptFailure } from "./sweep-progress.ts";

/** What is typed at the bottom: a filter, the seed to open a scenario at, or the seeds to sweep. */
export type PickerPrompt =
  | { readonly kind: "filter"; readonly text: string }
  | { readonly kind: "seed"; readonly text: string; readonly scenario: string }
  /** `scenario` null: all of them. */
  | { readonly kind: "seeds"; readonly text: string; readonly scenario: string | null };

/** Everything that the picker's screen depends on. */
export interface PickerState {
  readonly columns: number;
  readonly rows: number;
  /** Where records are looked for, as the user would write it. */
  readonly directory: string;
  readonly entries: readonly PickerEntry[];
  readonly filter: string;
  /** The id of an entry; null: the first that is shown. */
  readonly chosen: string | null;
  readonly prompt: PickerPrompt | null;
  readonly message: Message | null;
  readonly help: boolean;
  /** The list, or the sweep that was begun from it. */
  readonly view: "list" | "sweep";
  readonly sweep: SweepProgress;
  /** Whether there was a sweep at all. */
  readonly hasSwept: boolean;
  /** Of the sweep's failures: which is chosen. */
  readonly failure: number;
}

/** What is asked of whoever holds the files and the threads. */
export type PickerRequest =
  | { readonly type: "open"; readonly target: string }
  | { readonly type: "tour" }
  /** `scenario` null: all of them. */
  | { readonly type: "sweep"; readonly scenario: string | null; readonly seeds: string }
  | { readonly type: "cancel" }
  | { readonly type: "read-again" }
  | { readonly type: "quit" };

export type PickerAction =
  | { readonly type: "move"; readonly by: number }
  | { readonly type: "page"; readonly pages: 1 | -1 }
  | { readonly type: "ends"; readonly to: "first" | "last" }
  | { readonly type: "section"; readonly direction: 1 | -1 }
  | { readonly type: "open" }
  | { readonly type: "filter" }
  | { readonly type: "ask-seeds"; readonly of: "chosen" | "all" }
  | { readonly type: "show"; readonly view: "list" | "sweep" }
  | { readonly type: "type"; readonly text: string }
  | { readonly type: "erase"; readonly what: "character" | "all" }
  | { readonly type: "submit" }
  | { readonly type: "escape" }
  | { readonly type: "help" }
  | { readonly type: "request"; readonly request: PickerRequest }
  | { readonly type: "resize"; readonly columns: number; readonly rows: number }
  | { readonly type: "entries"; readonly entries: readonly PickerEntry[] }
  | { readonly type: "swept"; readonly event: SweepEvent }
  | { readonly type: "say"; readonly message: Message };

export function firstPicker(directory: string, entries: readonly PickerEntry[], size: { readonly columns: number; readonly rows: number }): PickerState {
  return {
    columns: size.columns,
    rows: size.rows,
    directory,
    entries,
    filter: "",
    chosen: null,
    prompt: null,
    message: null,
    help: false,
    view: "list",
    sweep: NO_PROGRESS,
    hasSwept: false,
    failure: 0,
  };
}

/** What the filter leaves, section by section. While one is typed it counts already. */
export function shownEntries({ entries, filter, prompt }: PickerState): readonly PickerEntry[] {
  const left = matching(entries, prompt?.kind === "filter" ? prompt.text : filter);
  return SECTIONS.flatMap((section) => left.filter((entry) => entry.section === section));
}

/** The entry that Enter opens; null: nothing is shown. */
export function chosenEntry(state: PickerState): PickerEntry | null {
  const shown = shownEntries(state);
  return shown.find(({ id }) => id === state.chosen) ?? shown[0] ?? null;
}

export function chosenFailure({ sweep, failure }: PickerState): SweptFailure | null {
  return sweep.failures[Math.min(failure, sweep.failures.length - 1)] ?? null;
}
