import { checkpointStateAt, decisionOf, type CheckpointSpan } from "../travel/checkpoint-span.ts";
import { runIndexOf, type RunIndex } from "../travel/run-index.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { type Line, line, type Span, span, type Tone } from "./line.ts";
import type { View } from "./view.ts";

/** What a cell of the timeline shows, the least important first. */
export const TIMELINE_MARKS = [
  "quiet",
  "checkpoint running",
  "checkpoint subsumed",
  "checkpoint complete",
  "savepoint",
  "checkpoint abandoned",
  "checkpoint aborted",
  "restart",
  "leader",
  "version",
  "fault",
  "violation",
] as const;
export type TimelineMark = (typeof TIMELINE_MARKS)[number];

interface Glyph {
  readonly unicode: string;
  readonly ascii: string;
  readonly tone: Tone;
  /** What the legend calls it; null: it needs no word. */
  readonly word: string | null;
}

/** No two look alike, neither here nor where somebody puts ASCII in the place of the rest. */
const GLYPHS: Readonly<Record<TimelineMark, Glyph>> = {
  quiet: { unicode: "─", ascii: "-", tone: "dim", word: null },
  "checkpoint running": { unicode: "═", ascii: "=", tone: "plain", word: "checkpoint running" },
  "checkpoint subsumed": { unicode: "○", ascii: "o", tone: "dim", word: "subsumed" },
  "checkpoint complete": { unicode: "●", ascii: "*", tone: "good", word: "complete" },
  savepoint: { unicode: "S", ascii: "S", tone: "good", word: "savepoint" },
  "checkpoint abandoned": { unicode: "?", ascii: "?", tone: "warn", word: "abandoned" },
  "checkpoint aborted": { unicode: "✗", ascii: "x", tone: "warn", word: "aborted" },
  restart: { unicode: "R", ascii: "R", tone: "warn", word: "restart" },
  leader: { unicode: "L", ascii: "L", tone: "strong", word: "leader" },
  version: { unicode: "▶", ascii: ">", tone: "strong", word: "version" },
  fault: { unicode: "▼", ascii: "F", tone: "warn", word: "fault" },
  violation: { unicode: "!", ascii: "!", tone: "bad", word: "violation" },
};

const RANKS: ReadonlyMap<TimelineMark, number> = new Map(TIMELINE_MARKS.map((mark, rank) => [mark, rank]));

export interface TimelineCell {
  /** Steps that it stands for, both included. */
  readonly first: number;
  readonly last: number;
  /** The most important thing in it. */
  readonly mark: TimelineMark;
  readonly hasCursor: boolean;
}

export interface TimelineFacts {
  readonly steps: number;
  readonly step: number;
  readonly atUs: number;
  readonly endUs: number;
  readonly cells: readonly TimelineCell[];
}

export interface TimelineView extends View {
  readonly facts: TimelineFacts;
}

/** The whole run in so many cells, as it turned out; the cursor is where somebody looks at it. */
export function timelineFacts(tape: RunTape, width: number, step: number): TimelineFacts {
  const marks = marksOf(tape, Math.max(1, width));
  const cursor = cellOf(step, tape.steps, marks.length);
  const cells = marks.map((mark, cell) => ({ ...stepsOf(cell, tape.steps, marks.length), mark, hasCursor: cell === cursor }));
  return { steps: tape.steps, step, atUs: tape.timeUsOf(step), endUs: tape.timeUsOf(tape.steps), cells };
}

/** The line; and the cursor under it, with the legend of what is to be seen. `ascii`: without Unicode. */
export function timelineView(tape: RunTape, width: number, step: number, ascii = false): TimelineView {
  const facts = timelineFacts(tape, width, step);
  const cells = facts.cells.map(({ mark, hasCursor }): Span => {
    const { unicode, ascii: plain, tone } = GLYPHS[mark];
    return span(ascii ? plain : unicode, hasCursor ? "changed" : tone);
  });
  return { facts, lines: [merged(cells), cursorLine(facts, ascii)] };
}

/** The cell in which a step lies: the first step in the first cell, the last one in the last. */
export function cellOf(step: number, steps: number, width: number): number {
  return steps === 0 ? 0 : Math.min(width - 1, Math.floor((step * width) / (steps + 1)));
}

function stepsOf(cell: number, steps: number, width: number): { readonly first: number; readonly last: number } {
  const first = Math.ceil((cell * (steps + 1)) / width);
  return { first, last: Math.max(first, Math.ceil(((cell + 1) * (steps + 1)) / width) - 1) };
}

const KEPT = new WeakMap<RunTape, { readonly width: number; readonly marks: readonly TimelineMark[] }>();

/** By cell; kept for the last width, because only the cursor moves. */
function marksOf(tape: RunTape, width: number): readonly TimelineMark[] {
  const known = KEPT.get(tape);
  if (known !== undefined && known.width === width) return known.marks;
  const marks = drawMarks(runIndexOf(tape), width);
  KEPT.set(tape, { width, marks });
  return marks;
}

function drawMarks(index: RunIndex, width: number): readonly TimelineMark[] {
  const { steps } = index.tape;
  // A run with fewer steps than cells leaves some without a step: they show what is before them.
  const marks = new Array<TimelineMark>(width).fill("quiet");
  const put = (step: number, mark: TimelineMark): void => {
    const cell = cellOf(step, steps, width);
    if (rankOf(mark) > rankOf(marks[cell] as TimelineMark)) marks[cell] = mark;
  };
  for (const span of index.checkpoints) {
    const last = cellOf(decisionOf(span) ?? steps, steps, width);
    for (let cell = cellOf(span.triggerStep, steps, width); cell <= last; cell += 1) {
      if (rankOf("checkpoint running") > rankOf(marks[cell] as TimelineMark)) marks[cell] = "checkpoint running";
    }
    const mark = markOf(span, steps);
    if (mark !== null) put(decisionOf(span) ?? steps, mark);
  }
  for (const { step } of index.restarts) put(step, "restart");
  // The first leader is no event.
  for (const { step } of index.leaders.slice(1)) put(step, "leader");
  for (const { step } of index.versions) put(step, "version");
  for (const { step } of index.faults) put(step, "fault");
  for (const { step } of index.findings) put(step, "violation");
  return marks;
}

/** What became of a checkpoint by the end of the run; null: it is still running. */
function markOf(checkpoint: CheckpointSpan, steps: number): TimelineMark | null {
  const state = checkpointStateAt(checkpoint, steps);
  if (state === null || state === "running") return null;
  if (checkpoint.isSavepoint) return "savepoint";
  return `checkpoint ${state}`;
}

function rankOf(mark: TimelineMark): number {
  return RANKS.get(mark) ?? 0;
}

/** The cursor, and on the side where there is more room the legend, as much of it as fits. */
function cursorLine({ cells }: TimelineFacts, ascii: boolean): Line {
  const at = cells.findIndex(({ hasCursor }) => hasCursor);
  const pointer = span(ascii ? "^" : "▲", "changed");
  const right = cells.length - at - 1;
  const legend = legendOf(cells, Math.max(at, right) - GAP, ascii);
  if (right >= at) return legend.length === 0 ? line(" ".repeat(at), pointer) : line(" ".repeat(at), pointer, " ".repeat(GAP), ...legend);
  const length = legend.reduce((sum, { text }) => sum + text.length, 0);
  return line(...legend, " ".repeat(at - length), pointer);
}

const GAP = 2;

/** The most important marks first. */
function legendOf(cells: readonly TimelineCell[], room: number, ascii: boolean): Line {
  const seen = new Set(cells.map(({ mark }) => mark));
  const parts: Span[] = [];
  let length = 0;
  for (const mark of TIMELINE_MARKS.toReversed()) {
    const { unicode, ascii: plain, tone, word } = GLYPHS[mark];
    if (word === null || !seen.has(mark)) continue;
    const gap = length === 0 ? 0 : GAP;
    length += gap + 2 + word.length;
    if (length > room) break;
    parts.push(span(" ".repeat(gap)), span(ascii ? plain : unicode, tone), span(` ${word}`, "dim"));
  }
  return parts;
}

/** Neighbours of one tone become one span. */
function merged(cells: readonly Span[]): Line {
  const spans: Span[] = [];
  for (const cell of cells) {
    const last = spans.at(-1);
    if (last !== undefined && last.tone === cell.tone) spans[spans.length - 1] = span(last.text + cell.text, cell.tone);
    else spans.push(cell);
  }
  return spans;
}
