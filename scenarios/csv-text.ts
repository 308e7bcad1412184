/** A reader of comma-separated values (RFC 4180: quoted fields, doubled quotes) that knows where each field is. */

export interface CsvField {
  readonly text: string;
  readonly offset: number;
}

/** The text is no CSV. */
export class CsvTextError extends Error {
  override readonly name = "CsvTextError";
  readonly offset: number;
  readonly reason: string;

  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
    this.reason = reason;
  }
}

/** The rows of a text from `start` on; lines without anything on them are left out. */
export function readCsv(text: string, start: number): readonly (readonly CsvField[])[] {
  const rows: (readonly CsvField[])[] = [];
  let at = start;
  while (at < text.length) {
    const row: CsvField[] = [];
    at = readRow(text, at, row);
    if (row.length > 1 || row[0]?.text !== "") rows.push(row);
  }
  return rows;
}

/** Reads the fields of one row into `row`; returns where the next one begins. */
function readRow(text: string, start: number, row: CsvField[]): number {
  let at = start;
  for (;;) {
    at = text[at] === '"' ? readQuoted(text, at, row) : readPlain(text, at, row);
    if (text[at] === ",") {
      at++;
      continue;
    }
    if (text[at] === "\r") at++;
    if (at < text.length && text[at] !== "\n") {
      throw new CsvTextError(at, `expected a comma or the end of the line, found ${JSON.stringify(text[at])}`);
    }
    return at + 1;
  }
}

function readPlain(text: string, start: number, row: CsvField[]): number {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n") end++;
  if (text[end - 1] === "\r" && end > start && text[end] !== ",") end--;
  row.push({ text: text.slice(start, end), offset: start });
  return end;
}

function readQuoted(text: string, start: number, row: CsvField[]): number {
  let value = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) throw new CsvTextError(start, "a quoted field that is not closed");
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') {
      row.push({ text: value, offset: start });
      return at;
    }
    value += '"';
    at++;
  }
}
