import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { flights20k, flights2k } from "#whitewater/scenarios/flights-data.js";

interface OriginalRow {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

function originalRows(size: string): readonly OriginalRow[] {
  const url = new URL(`../../node_modules/vega-datasets/data/flights-${size}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as OriginalRow[];
}

describe.each([
  {
    size: "2k",
    load: flights2k,
    rows: 2000,
    sha256: "8def004d7b456016d2ac5f55834dbc9b1b6c2989e42cef1209ef2a242e6c169d",
    first: { departureMs: Date.UTC(2001, 0, 1, 6, 55), delay: -19, distance: 1797, origin: "LAX", destination: "BNA" },
    last: { departureMs: Date.UTC(2001, 2, 31, 21, 42), delay: 36, distance: 1172, origin: "DFW", destination: "IAD" },
  },
  {
    size: "20k",
    load: flights20k,
    rows: 20_000,
    sha256: "ac582335bde9f4d1ad4a152a64ebd241939f6a628f4ff15de335638b8c79ece3",
    first: { departureMs: Date.UTC(2001, 0, 1, 0, 47), delay: 66, distance: 1750, origin: "DTW", destination: "LAS" },
    last: { departureMs: Date.UTC(2001, 2, 31, 22, 27), delay: -9, distance: 83, origin: "CLT", destination: "GSO" },
  },
])("the flight data of $size", ({ size, load, rows, sha256, first, last }) => {
  test("is the file that was made, with every row of the original in its order", () => {
    const bytes = readFileSync(new URL(`../../scenarios/data/flights-${size}.txt`, import.meta.url));
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    const flights = load();
    expect(flights.length).toBe(rows);
    expect(flights[0]).toEqual(first);
    expect(flights.at(-1)).toEqual(last);
    const expected = originalRows(size).map(({ date, ...rest }) => {
      const [year, month, day, hour, minute] = date.split(/[/ :]/).map(Number) as [number, number, number, number, number];
      return { departureMs: Date.UTC(year, month - 1, day, hour, minute), ...rest };
    });
    expect(flights).toEqual(expected);
  });

  test("names its origin, is sorted by date, and cannot be changed", () => {
    const text = readFileSync(new URL(`../../scenarios/data/flights-${size}.txt`, import.meta.url), "utf8");
    expect(text.slice(0, text.indexOf("@"))).toMatch(/US Bureau of Transportation Statistics[^]*vega-datasets 3\.2\.1/);
    const flights = load();
    expect(flights.every((flight, i) => i === 0 || flight.departureMs >= (flights[i - 1]?.departureMs ?? 0))).toBe(true);
    expect(load()).toBe(flights);
    expect(Object.isFrozen(flights) && flights.every((flight) => Object.isFrozen(flight))).toBe(true);
  });
});
