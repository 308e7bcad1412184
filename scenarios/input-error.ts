/** A place in a text, both counted from 1; the column in UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Something is wrong with an input file. The message is for people: "file:line:column: reason; way out".
 * Line and column are null where there is none (the file cannot be read).
 */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly reason: string;
  readonly wayOut: string;

  constructor(file: string, position: TextPosition | null, reason: string, wayOut: string) {
    const place = position === null ? file : `${file}:${position.line}:${position.column}`;
    super(`${place}: ${reason}; ${wayOut}`);
    this.file = file;
    this.line = position?.line ?? null;
    this.column = position?.column ?? null;
    this.reason = reason;
    this.wayOut = wayOut;
  }
}

/** The position of an offset. Lines end with LF (a CR before it belongs to the line). */
export function positionOf(text: string, offset: number): TextPosition {
  let line = 1;
  let lineStart = 0;
  for (let end = text.indexOf("\n"); end !== -1 && end < offset; end = text.indexOf("\n", lineStart)) {
    line++;
    lineStart = end + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** A value as an error message shows it: short, quoted, on one line. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
