import { PassThrough } from "node:stream";
import { expect, it, test } from "vitest";
import { inkInput, withoutNamelessKeys } from "#whitewater/reports/tui/ink-input.js";

test.each([
  ["ctrl-F1 of xterm", "\u001b[1;5P"],
  ["ctrl-shift-F4", "\u001b[1;6S"],
  ["a colour that was pasted", "\u001b[31m"],
  ["a key beyond F12, with ctrl", "\u001b[33;5~"],
])("%s has no name that Ink knows, and is left out", (_what, sequence) => {
  expect(withoutNamelessKeys(`h${sequence}l`)).toBe("hl");
});

test.each(["\u001b[A", "\u001b[1;2D", "\u001b[1;5C", "\u001b[5;5~", "\u001b[15;5~", "\u001b[Z", "\u001bOP", "\u001b", ":612\r"])("%j stays as it is", (input) => {
  expect(withoutNamelessKeys(input)).toBe(input);
});

it("is the stream itself but for what is read", () => {
  const keys = new PassThrough({ encoding: "utf8" });
  const input = inkInput(keys as unknown as NodeJS.ReadStream);
  keys.write("a\u001b[1;5Pb");
  expect(input.read()).toBe("ab");
  expect(input.read()).toBe(null);
  expect(input.readableEncoding).toBe("utf8");
});
