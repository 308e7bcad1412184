import stringWidth from "string-width";
import type { Line, Span } from "../views/line.ts";

const ASCII = /^[\u0020-\u007e]*$/;
const SEGMENTER = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/**
 * What of a line stands in the columns `from` … `from + width - 1`: never wider. A wide character that would be cut in
 * two is left out, with a space in the place of its half. Where something to the right is missing, `more` is the last
 * character.
 */
export function cutLine(line: Line, width: number, from = 0, more = "…"): Line {
  if (width <= 0) return [];
  const isLonger = lineWidth(line) > from + width;
  const kept = columns(line, from, isLonger ? width - widthOf(more) : width);
  return isLonger ? [...kept, { text: more, tone: "dim" }] : kept;
}

/** The same, filled with spaces to exactly that width. */
export function fitLine(line: Line, width: number, from = 0, more = "…"): Line {
  const cut = cutLine(line, width, from, more);
  const missing = width - lineWidth(cut);
  return missing > 0 ? [...cut, { text: " ".repeat(missing), tone: "plain" }] : cut;
}

/** The end of a text, where all of it is wider. */
export function tailOf(text: string, width: number): string {
  const over = widthOf(text) - width;
  return over <= 0 ? text : `…${textColumns(text, over + 1, widthOf(text))}`;
}

/** A text in rows of that width, broken where words end. A word that is wider has a row of its own. */
export function wrappedText(text: string, width: number): readonly string[] {
  const rows: string[] = [];
  let row: string | null = null;
  for (const word of text.split(" ")) {
    const longer: string = row === null ? word : `${row} ${word}`;
    if (row === null || widthOf(longer) <= width) {
      row = longer;
      continue;
    }
    rows.push(row);
    row = word;
  }
  return [...rows, row ?? ""];
}

function columns(line: Line, from: number, width: number): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const { text, tone } of line) {
    const total = widthOf(text);
    if (at < from + width && at + total > from) spans.push({ text: textColumns(text, from - at, from + width - at), tone });
    at += total;
    if (at >= from + width) break;
  }
  return spans;
}

/** The columns `from` … `to - 1` of a text. */
function textColumns(text: string, from: number, to: number): string {
  if (ASCII.test(text)) return text.slice(Math.max(0, from), Math.max(0, to));
  let at = 0;
  let kept = "";
  for (const { segment } of SEGMENTER.segment(text)) {
    const end = at + stringWidth(segment);
    if (at >= from && end <= to) kept += segment;
    else if (end > from && at < to) kept += " ".repeat(Math.min(end, to) - Math.max(at, from));
    at = end;
    if (at >= to) break;
  }
  return kept;
}

const PLAIN: Readonly<Record<string, string>> = {
  "…": "~", "─": "-", "━": "=", "│": "|", "┃": "|", "┼": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+",
  "╭": "+", "╮": "+", "╰": "+", "╯": "+", "═": "=", "║": "|", "▶": ">", "►": ">", "◀": "<", "◄": "<", "▲": "^", "△": "^", "▼": "v", "▽": "v",
  "→": ">", "←": "<", "↑": "^", "↓": "v", "•": "*", "·": ".", "●": "*", "○": "o", "◆": "*", "◇": "o", "█": "#", "▓": "#", "▒": ":", "░": ".",
  "▏": "|", "▎": "|", "▍": "|", "▌": "|", "▋": "#", "▊": "#", "▉": "#", "✓": "v", "✔": "v", "✗": "x", "✘": "x", "×": "x", "µ": "u", "–": "-", "—": "-",
  "▁": "_", "▂": "_", "▃": "_", "▄": "=", "▅": "=", "▆": "#", "▇": "#", "⚡": "! ", "≤": "<", "≥": ">", "≠": "#", "Δ": "d",
};

/** The line in ASCII alone, as wide as before: for terminals that know no more. */
export function asciiLine(line: Line): Line {
  return line.map((span) => (ASCII.test(span.text) ? span : { ...span, text: asciiText(span.text) }));
}

function asciiText(text: string): string {
  let plain = "";
  for (const { segment } of SEGMENTER.segment(text)) {
    const width = stringWidth(segment);
    const known = ASCII.test(segment) ? segment : (PLAIN[segment] ?? "?");
    plain += known.padEnd(width, "?").slice(0, width);
  }
  return plain;
}

