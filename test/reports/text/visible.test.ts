import { describe, expect, it } from "vitest";
import { visible, visibleJson } from "#whitewater/reports/text/visible.js";
import { longDuration, nearest, shellQuoted, table } from "#whitewater/reports/text/format.js";

describe("visible", () => {
  it.each([
    ["a clear screen", "a\u001b[2Jb", "a\\u{1b}[2Jb"],
    ["a window title (OSC)", "\u001b]0;root\u0007", "\\u{1b}]0;root\\u{7}"],
    ["an OSC and CSI of C1", "\u009d8;;x\u009c\u009b31m", "\\u{9d}8;;x\\u{9c}\\u{9b}31m"],
    ["line ends and tabs", "a\r\n\tb", "a\\u{d}\\u{a}\\u{9}b"],
    ["bidirectional overrides and isolates", "a\u202eb\u2066c\u200f", "a\\u{202e}b\\u{2066}c\\u{200f}"],
    ["zero-width characters", "a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"],
    ["line separators", "a\u2028b", "a\\u{2028}b"],
    ["tag characters", "a\u{e0041}b", "a\\u{e0041}b"],
    ["a lone surrogate", "a\ud800b", "a\\u{d800}b"],
    ["DEL and NUL", "\u007f\u0000", "\\u{7f}\\u{0}"],
  ])("shows %s instead of doing it", (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it("leaves ordinary text of any script alone", () => {
    const text = "Zürich → 東京 «ok» 🚰 \\u{41}";
    expect(visible(text)).toBe(text);
  });
});

describe("visibleJson", () => {
  it("says the same and shows everything", () => {
    const value = { message: "a\u001b[2J\u009b\u202e\u{e0041}\ud800b" };
    const json = visibleJson(JSON.stringify(value));
    expect(JSON.parse(json)).toEqual(value);
    expect(json).toMatch(/^[\x20-\x7e]*$/);
  });
});

describe("format", () => {
  it("quotes what a shell would change", () => {
    expect(shellQuoted("ww1:flights/heap/aligned/full/4to4/job@7#9f3ac1d2")).toBe(
      "ww1:flights/heap/aligned/full/4to4/job@7#9f3ac1d2",
    );
    expect(shellQuoted("my file's.csv")).toBe(`'my file'\\''s.csv'`);
    expect(shellQuoted("#x")).toBe("'#x'");
  });

  it("suggests what is near and nothing else", () => {
    expect(nearest("flihgts", ["word-count", "flights"])).toBe("flights");
    expect(nearest("payments", ["word-count", "flights"])).toBeNull();
  });

  it("aligns columns and names long durations", () => {
    expect(table([["a", "1"], ["bcd", "23"]], 1)).toEqual(["a     1", "bcd  23"]);
    expect([12.5e6, 250e6, 7_260e6, 180_000e6].map(longDuration)).toEqual(["12.5 s", "4 min 10 s", "2 h 1 min", "2 d 2 h"]);
  });
});
