import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError, parseFlights, readFlightsFile } from "#whitewater/scenarios/flights-input.js";

const HEADER = "date,delay,distance,origin,destination";
const ROW = "2001/01/01 06:55,-19,1797,LAX,BNA";
const OBJECT = '{"date":"2001/01/01 06:55","delay":-19,"distance":1797,"origin":"LAX","destination":"BNA"}';
const FLIGHT = { departureMs: Date.UTC(2001, 0, 1, 6, 55), delay: -19, distance: 1797, origin: "LAX", destination: "BNA" };

function errorOf(run: () => unknown): InputError {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error("nothing was wrong");
}

describe("the three formats give the same flights", () => {
  test.each([
    ["a JSON array", "f.json", `[\n  ${OBJECT},\n  ${OBJECT}\n]`],
    ["NDJSON", "f.ndjson", `${OBJECT}\n\n${OBJECT}`],
    ["NDJSON in a file called .json", "f.json", `${OBJECT}\n${OBJECT}\n`],
    ["CSV", "f.csv", `${HEADER}\n${ROW}\n${ROW}\n`],
    ["CSV with Windows line ends", "f.csv", `${HEADER}\r\n${ROW}\r\n\r\n${ROW}`],
    ["CSV with quotes, other columns and another order", "f.csv", [
      'destination,note,origin,distance,delay,"date"',
      'BNA,"a ""note"", with\nlines",LAX,1797,-19,2001-01-01T06:55',
      '"BNA",,"LAX","1797","-19","2001/01/01 06:55"',
    ].join("\n")],
    ["CSV by content, with a byte order mark", "flights", `\uFEFF${HEADER}\n${ROW}\n${ROW}`],
    ["JSON by content", "flights.txt", `[${OBJECT},${OBJECT}]`],
  ])("%s", (_name, file, text) => {
    expect(parseFlights(text, file)).toEqual([FLIGHT, FLIGHT]);
  });

  test("escapes in JSON strings are those of JSON", () => {
    const text = OBJECT.replace("LAX", "\\u004cAX").replace("/01/01", "\\/01\\/01");
    expect(parseFlights(text, "f.ndjson")).toEqual([FLIGHT]);
  });

  test("minus zero is zero", () => {
    const flights = parseFlights(`${HEADER}\n2001/01/01 06:55,-0,5,LAX,BNA`, "f.csv");
    expect(Object.is(flights[0]?.delay, 0)).toBe(true);
  });
});

describe("what is wrong is named with line and column", () => {
  test.each([
    ["an empty file", "f.json", "", 1, 1, /empty/],
    ["white space only", "f.csv", " \n\n", 1, 1, /empty/],
    ["an empty array", "f.json", "[]", 1, 1, /no flights/],
    ["a header alone", "f.csv", `${HEADER}\n`, 1, 1, /no flights/],
    ["a comma missing in JSON", "f.json", `[\n${OBJECT}\n${OBJECT}]`, 3, 1, /broken JSON: expected "," or "]", found "\{"/],
    ["JSON that ends early", "f.json", `[\n${OBJECT},\n`, 3, 1, /broken JSON: expected a value, found the end/],
    ["a string not closed", "f.json", '[\n  {"date": "2001', 2, 12, /not closed/],
    ["a single quote", "f.json", "[\n  {'date'", 2, 4, /expected a name in quotes/],
    ["a trailing comma", "f.json", `[${OBJECT},]`, 1, OBJECT.length + 3, /expected a value, found "\]"/],
    ["something after the array", "f.json", `[${OBJECT}]\n\n x`, 3, 2, /unexpected "x" after the value/],
    ["a number like 01", "f.json", '[{"delay":01}]', 1, 12, /expected "," or "}", found "1"/],
    ["JSON nested without end", "f.json", "[".repeat(100), 1, 66, /nested deeper/],
    ["a broken line of NDJSON", "f.ndjson", `${OBJECT}\n{"date":}\n`, 2, 9, /broken JSON: expected a value/],
    ["a JSON value that is no array", "f.json", "  7", 1, 3, /expected an array/],
    ["an array of something else", "f.json", `[${OBJECT},\n null]`, 2, 2, /expected an object/],
    ["a column missing in JSON", "f.json", `[\n  ${OBJECT},\n  ${OBJECT.replace('"delay"', '"Delay"')}]`, 3, 3, /no column delay/],
    ["a column missing in CSV", "f.csv", `date,delay,distance,origin\n${ROW}`, 1, 1, /no column destination \(there are "date", "delay"/],
    ["a column twice in CSV", "f.csv", `${HEADER},delay\n${ROW},1`, 1, 40, /two columns are called delay/],
    ["a row too short", "f.csv", `${HEADER}\n${ROW}\n2001/01/01 06:55,5,6`, 3, 21, /ends before its origin/],
    ["a quote not closed", "f.csv", `${HEADER}\n"2001/01/01 06:55,1,2,LAX,BNA\n${ROW}`, 2, 1, /not closed/],
    ["text after a quote", "f.csv", `${HEADER}\n"2001"x,1,2,LAX,BNA`, 2, 7, /expected a comma/],
    ["an unparsable date in CSV", "f.csv", `${HEADER}\n${ROW}\n01.02.2001,1,2,LAX,BNA`, 3, 1, /no date: "01\.02\.2001"/],
    ["an unparsable date in JSON", "f.json", `[${OBJECT.replace("06:55", "6h55")}]`, 1, 10, /no date/],
    ["a day that does not exist", "f.csv", `${HEADER}\n2001/02/30 06:55,1,2,LAX,BNA`, 2, 1, /no date/],
    ["a date out of range", "f.csv", `${HEADER}\n1899/12/31 23:59,1,2,LAX,BNA`, 2, 1, /out of range/],
    ["a delay that is text", "f.json", `[${OBJECT.replace("-19", '"-19"')}]`, 1, 37, /delay is no whole number: "-19"/],
    ["a delay that is null", "f.json", `[${OBJECT.replace("-19", "null")}]`, 1, 37, /delay is no whole number: null/],
    ["a fraction", "f.csv", `${HEADER}\n2001/01/01 06:55,1.5,2,LAX,BNA`, 2, 18, /delay is no whole number: "1\.5"/],
    ["a field left empty", "f.csv", `${HEADER}\n2001/01/01 06:55,,2,LAX,BNA`, 2, 18, /delay is no whole number: ""/],
    ["a delay of a year", "f.csv", `${HEADER}\n2001/01/01 06:55,525600,2,LAX,BNA`, 2, 18, /out of range/],
    ["a negative distance", "f.csv", `${HEADER}\n2001/01/01 06:55,1,-2,LAX,BNA`, 2, 20, /distance -2 is out of range/],
    ["an airport without a name", "f.csv", `${HEADER}\n2001/01/01 06:55,1,2,,BNA`, 2, 22, /origin is no airport code/],
    ["an airport that is a number", "f.json", `[${OBJECT.replace('"LAX"', "7")}]`, 1, 66, /origin is no airport code: 7/],
    ["an airport that is an object", "f.json", `[${OBJECT.replace('"LAX"', "{}")}]`, 1, 66, /origin is an object/],
  ])("%s", (_name, file, text, line, column, reason) => {
    const error = errorOf(() => parseFlights(text, file));
    expect(error.reason).toMatch(reason);
    expect({ file: error.file, line: error.line, column: error.column }).toEqual({ file, line, column });
    expect(error.message).toBe(`${file}:${line}:${column}: ${error.reason}; ${error.wayOut}`);
    expect(error.message).not.toContain("\n");
  });
});

describe("files", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "flights-input-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("a good one is read and frozen", () => {
    const path = join(folder, "good.csv");
    writeFileSync(path, `${HEADER}\n${ROW}\n`);
    const flights = readFlightsFile(path);
    expect(flights).toEqual([FLIGHT]);
    expect(Object.isFrozen(flights) && Object.isFrozen(flights[0])).toBe(true);
  });

  test("one that is not there, or is a folder, is named without a line", () => {
    const missing = errorOf(() => readFlightsFile(join(folder, "none.csv")));
    expect(missing.message).toBe(
      `${join(folder, "none.csv")}: no such file; give the path of a JSON, NDJSON or CSV file of flights`,
    );
    expect(missing.line).toBe(null);
    expect(errorOf(() => readFlightsFile(folder)).reason).toBe("a directory, not a file");
  });

  test("one that is not UTF-8 is refused at the first wrong byte", () => {
    const path = join(folder, "latin1.csv");
    writeFileSync(path, Buffer.concat([Buffer.from(`${HEADER}\n2001/01/01 06:55,1,2,`), Buffer.from([0xe9, 0x2c])]));
    const error = errorOf(() => readFlightsFile(path));
    expect([error.line, error.column, error.reason]).toEqual([2, 22, "not UTF-8 text"]);
  });
});
