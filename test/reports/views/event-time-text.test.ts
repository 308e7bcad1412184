import { expect, test } from "vitest";
import { MAX_WATERMARK, MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import { eventTimeText, watermarkText } from "#whitewater/reports/views/event-time-text.js";

test.each([
  [0, "0s"],
  [-1, "-0.001s"],
  [12_500, "12.5s"],
  [978_307_200_000, "2001-01-01"],
  [978_307_200_000 + 5_000, "2001-01-01T00:00:05Z"],
  [978_307_200_000 - 1, "2000-12-31T23:59:59.999Z"],
  [MAX_WATERMARK, "9007199254740.99s"],
])("event time %i is %s", (timestampMs, text) => expect(eventTimeText(timestampMs)).toBe(text));

test("watermarks that are no time have words", () => {
  expect([MIN_WATERMARK, 12_500, MAX_WATERMARK].map(watermarkText)).toEqual(["none yet", "12.5s", "MAX"]);
});
