import { readFileSync, statSync } from "node:fs";
import { parseDateMs } from "./calendar.ts";
import { CsvTextError, readCsv } from "./csv-text.ts";
import type { CsvField } from "./csv-text.ts";
import { DAY_MS } from "./flight.ts";
import type { Flight } from "./flight.ts";
import { InputError, positionOf, shown } from "./input-error.ts";
import { JsonTextError, readJson } from "./json-text.ts";
import type { JsonNode } from "./json-text.ts";

export { InputError };

/**
 * The user's own flights (`--input FILE`): JSON (an array of objects), NDJSON (an object a line) or CSV (a
 * header, then rows), with the columns date, delay, distance, origin and destination; further ones are
 * ignored. The order of the rows does not matter.
 */

/** Most bytes of an input file, and most flights in it. */
const INPUT_BYTES_LIMIT = 256 * 1024 * 1024;
const INPUT_FLIGHTS_LIMIT = 1_000_000;
const COLUMNS = ["date", "delay", "distance", "origin", "destination"] as const;
type Column = (typeof COLUMNS)[number];

/** What numbers may be: a week late, half around the Earth. */
const RANGES = {
  delay: { least: -1440, most: 10_080, unit: "minutes" },
  distance: { least: 0, most: 12_500, unit: "miles" },
} as const;
const FIRST_DATE_MS = -25_567 * DAY_MS; // 1900-01-01
const LAST_DATE_MS = 47_482 * DAY_MS; // 2100-01-01
const AIRPORT = /^[A-Za-z0-9]{2,8}$/;

/** A cell of the input, whatever its format. JSON values keep their type, CSV has only text. */
interface Cell {
  readonly value: unknown;
  readonly offset: number;
}

/** Reads a file of flights; throws {@link InputError}. */
export function readFlightsFile(path: string): readonly Flight[] {
  let bytes: Uint8Array;
  try {
    const { size } = statSync(path);
    if (size > INPUT_BYTES_LIMIT) {
      throw new InputError(path, null, `${size} bytes are too many`, `give a file of at most ${INPUT_BYTES_LIMIT} bytes`);
    }
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(path, null, unreadable(error), "give the path of a JSON, NDJSON or CSV file of flights");
  }
  return parseFlights(decode(bytes, path), path);
}

/** Reads flights from a text; the name of the file is for messages and, by its ending, for the format. */
export function parseFlights(text: string, fileName: string): readonly Flight[] {
  const start = text.startsWith("\uFEFF") ? 1 : 0;
  const first = text.slice(start).search(/\S/);
  if (first === -1) {
    throw new InputError(fileName, { line: 1, column: 1 }, "no flights: the file is empty", `give at least one flight`);
  }
  const reader = new FlightsReader(text, fileName);
  const opening = text[start + first];
  const csv = /\.csv$/i.test(fileName) || (!/\.(json|ndjson|jsonl)$/i.test(fileName) && !/[[{]/.test(opening ?? ""));
  if (csv) reader.csv(start);
  else if (opening === "{") reader.ndjson(start);
  else reader.json(start);
  return reader.flights();
}

class FlightsReader {
  readonly #text: string;
  readonly #file: string;
  readonly #flights: Flight[] = [];

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  flights(): readonly Flight[] {
    if (this.#flights.length === 0) this.#fail(0, "no flights", "give at least one");
    return Object.freeze(this.#flights);
  }

  json(start: number): void {
    const root = this.#json(start, this.#text.length);
    if (root.kind !== "array") {
      this.#fail(root.offset, "expected an array of flights", 'write [{"date": …}, …], or one object a line');
    }
    for (const item of root.items) this.#addObject(item);
  }

  ndjson(start: number): void {
    let lineStart = start;
    while (lineStart < this.#text.length) {
      const newline = this.#text.indexOf("\n", lineStart);
      const lineEnd = newline === -1 ? this.#text.length : newline;
      if (this.#text.slice(lineStart, lineEnd).trim() !== "") this.#addObject(this.#json(lineStart, lineEnd));
      lineStart = lineEnd + 1;
    }
  }

  csv(start: number): void {
    const [header, ...rows] = this.#csv(start);
    if (header === undefined) return;
    const indices = COLUMNS.map((column) => this.#headerIndex(header, column));
    for (const row of rows) {
      const cells = COLUMNS.map((column, i) => {
        const field = row[indices[i] ?? -1];
        if (field !== undefined) return { value: field.text.trim(), offset: field.offset };
        const end = (row.at(-1)?.offset ?? 0) + (row.at(-1)?.text.length ?? 0);
        return this.#fail(end, `the row ends before its ${column}`, `give ${header.length} fields, as in the header`);
      });
      this.#add(cells, true);
    }
  }

  #csv(start: number): readonly (readonly CsvField[])[] {
    try {
      return readCsv(this.#text, start);
    } catch (error) {
      if (!(error instanceof CsvTextError)) throw error;
      return this.#fail(error.offset, error.reason, "repair the quotes of the field");
    }
  }

  #headerIndex(header: readonly CsvField[], column: Column): number {
    const named = header.flatMap((field, index) => (field.text.trim() === column ? [index] : []));
    const [index, second] = named;
    if (second !== undefined) {
      return this.#fail(header[second]?.offset ?? 0, `two columns are called ${column}`, "rename one of them");
    }
    if (index !== undefined) return index;
    const names = header.map((field) => shown(field.text.trim())).join(", ");
    return this.#fail(
      header[0]?.offset ?? 0,
      `no column ${column} (there are ${names.length > 100 ? `${names.slice(0, 99)}…` : names})`,
      `let the first line name ${COLUMNS.join(", ")}, with commas between`,
    );
  }

  #json(start: number, end: number): JsonNode {
    try {
      return readJson(this.#text, start, end);
    } catch (error) {
      if (!(error instanceof JsonTextError)) throw error;
      return this.#fail(error.offset, `broken JSON: ${error.reason}`, "repair it there");
    }
  }

  #addObject(node: JsonNode): void {
    if (node.kind !== "object") this.#fail(node.offset, "expected an object, a flight", 'write {"date": …, …}');
    const cells = COLUMNS.map((column) => {
      const member = node.members.get(column);
      if (member === undefined) {
        return this.#fail(node.offset, `no column ${column} in this flight`, `give each flight ${COLUMNS.join(", ")}`);
      }
      if (member.kind === "scalar") return { value: member.value, offset: member.offset };
      return this.#fail(member.offset, `${column} is an ${member.kind}`, "give one value");
    });
    this.#add(cells, false);
  }

  /** Cells in the order of COLUMNS. */
  #add(cells: readonly Cell[], fromText: boolean): void {
    const [date, delay, distance, origin, destination] = cells;
    if (!date || !delay || !distance || !origin || !destination) throw new Error("a cell for each column");
    if (this.#flights.length >= INPUT_FLIGHTS_LIMIT) {
      this.#fail(date.offset, "too many flights", `give at most ${INPUT_FLIGHTS_LIMIT}`);
    }
    this.#flights.push(
      Object.freeze({
        departureMs: this.#date(date),
        delay: this.#whole("delay", delay, fromText),
        distance: this.#whole("distance", distance, fromText),
        origin: this.#airport("origin", origin),
        destination: this.#airport("destination", destination),
      }),
    );
  }

  #date(cell: Cell): number {
    const ms = typeof cell.value === "string" ? parseDateMs(cell.value) : null;
    if (ms === null) {
      return this.#fail(cell.offset, `no date: ${shown(cell.value)}`, 'write it like "2001/01/31 06:55"');
    }
    if (ms < FIRST_DATE_MS || ms >= LAST_DATE_MS) {
      this.#fail(cell.offset, `the date ${shown(cell.value)} is out of range`, "give one from 1900 to 2099");
    }
    return ms;
  }

  #whole(column: keyof typeof RANGES, cell: Cell, fromText: boolean): number {
    const { least, most, unit } = RANGES[column];
    const text = fromText && typeof cell.value === "string" && /^[+-]?\d{1,15}$/.test(cell.value);
    const value = text ? Number(cell.value) : cell.value;
    if (typeof value !== "number" || !Number.isInteger(value)) {
      return this.#fail(cell.offset, `${column} is no whole number: ${shown(cell.value)}`, `give whole ${unit}`);
    }
    if (value < least || value > most) {
      this.#fail(cell.offset, `${column} ${value} is out of range`, `give ${least} to ${most} ${unit}`);
    }
    // -0 would be another value to the codec.
    return value + 0;
  }

  #airport(column: Column, cell: Cell): string {
    if (typeof cell.value === "string" && AIRPORT.test(cell.value)) return cell.value;
    return this.#fail(cell.offset, `${column} is no airport code: ${shown(cell.value)}`, 'give 2 to 8 letters, like "ORD"');
  }

  #fail(offset: number, reason: string, wayOut: string): never {
    throw new InputError(this.#file, positionOf(this.#text, offset), reason, wayOut);
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    throw new InputError(path, positionOf(text, text.indexOf("\uFFFD")), "not UTF-8 text", "save the file as UTF-8");
  }
}

/** In our own words: the system's differ. */
function unreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return "no such file";
    case "EISDIR":
      return "a directory, not a file";
    case "EACCES":
    case "EPERM":
      return "no permission to read it";
    default:
      return code === "" ? "cannot be read" : `cannot be read (${code})`;
  }
}
