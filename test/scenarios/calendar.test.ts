import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDateMs } from "#whitewater/scenarios/calendar.js";

test("every moment of the years 1 to 9999 is read as Date.UTC has it", () => {
  const span = { min: new Date(Date.UTC(2000, 0, 1)).setUTCFullYear(1), max: Date.UTC(9999, 11, 31, 23, 59, 59) };
  fc.assert(
    fc.property(fc.integer(span), (ms) => {
      const [day, time] = new Date(ms).toISOString().split("T") as [string, string];
      expect(parseDateMs(`${day}T${time}`)).toBe(ms);
      const minute = Math.floor(ms / 60_000) * 60_000;
      expect(parseDateMs(`${day.replaceAll("-", "/")} ${time.slice(0, 5)}`)).toBe(minute);
    }),
  );
});

test.each([
  "2001/02/29 00:00",
  "1900-02-29",
  "2001/04/31 10:00",
  "2001/13/01 10:00",
  "2001/00/10 10:00",
  "2001/01/00 10:00",
  "2001/01/01 24:00",
  "2001/01/01 10:60",
  "2001/01-01 10:00",
  "2001/01/01 1000",
  "01/02/2001 10:00",
  "yesterday",
  "",
])("%j is no date", (text) => {
  expect(parseDateMs(text)).toBe(null);
});

test("leap days exist where they do", () => {
  expect(parseDateMs("2000/02/29 12:30")).toBe(Date.UTC(2000, 1, 29, 12, 30));
  expect(parseDateMs("2004-02-29")).toBe(Date.UTC(2004, 1, 29));
});
