/**
 * How a piece of text is meant. Screens show it by colour or weight, plain text not at all: whatever it says must be
 * in the words too.
 */
export type Tone = "plain" | "dim" | "strong" | "changed" | "good" | "bad" | "warn";

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

/** One line of a view, without its end. */
export type Line = readonly Span[];

/** `line("checkpoint 4  ", span("complete", "good"))`. Text from outside has gone through `visible` before. */
export function line(...parts: readonly (string | Span)[]): Line {
  return parts.map((part) => (typeof part === "string" ? span(part) : part));
}

export function span(text: string, tone: Tone = "plain"): Span {
  return { text, tone };
}

export function textOf(spans: Line): string {
  return spans.map(({ text }) => text).join("");
}
