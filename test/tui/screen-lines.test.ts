import { describe, expect, it, test } from "vitest";
import { layoutOf, scrollRange, slotsOf, topLine, type LayoutWish } from "#whitewater/reports/tui/layout.js";
import { asciiLine, cutLine, fitLine, lineWidth, widthOf } from "#whitewater/reports/tui/line-cut.js";
import { PANELS } from "#whitewater/reports/tui/panel-name.js";
import { ScreenPainter } from "#whitewater/reports/tui/screen-painter.js";
import { painted, themeOf } from "#whitewater/reports/tui/theme.js";
import { line, span, textOf } from "#whitewater/reports/views/line.js";

describe("a line", () => {
  test.each([
    ["abcdef", 6, 0, "abcdef"],
    ["abcdef", 4, 0, "abc…"],
    ["abcdef", 4, 2, "cdef"],
    ["abcdef", 3, 1, "bc…"],
    ["abcdef", 3, 9, ""],
    ["漢字漢字", 8, 0, "漢字漢字"],
    ["漢字漢字", 4, 0, "漢 …"],
    ["漢字漢字", 4, 1, " 字…"],
    ["e\u0301e\u0301e\u0301", 2, 0, "e\u0301…"],
    ["👩‍👩‍👧x", 3, 0, "👩‍👩‍👧x"],
    ["abc", 0, 0, ""],
  ])("%j in %i columns from %i is %j", (text, width, from, expected) => {
    expect(textOf(cutLine(line(text), width, from))).toBe(expected);
  });

  it("is never wider than it may be, and keeps its tones", () => {
    const long = line("ab漢", span("字cd", "bad"), span("e\u0301🙂", "warn"));
    for (let width = 0; width < 14; width += 1) {
      for (let from = 0; from < 12; from += 1) {
        expect(lineWidth(cutLine(long, width, from))).toBeLessThanOrEqual(width);
        expect(lineWidth(fitLine(long, width, from))).toBe(width);
      }
    }
    expect(cutLine(long, 8)).toEqual([span("ab漢"), span("字c", "bad"), span("…", "dim")]);
  });

  it("is as wide in ASCII", () => {
    const unicode = line("─▶ 漢字 … é│");
    expect(textOf(asciiLine(unicode))).toBe("-> ???? ~ ?|");
    expect(lineWidth(asciiLine(unicode))).toBe(lineWidth(unicode));
  });
});

describe("a theme", () => {
  const wishes = { colour: true, ascii: false };
  test.each([
    [{ LANG: "en_US.UTF-8" }, wishes, { colour: true, unicode: true }],
    [{}, wishes, { colour: true, unicode: true }],
    [{ LANG: "C" }, wishes, { colour: true, unicode: false }],
    [{ LANG: "en_US.UTF-8", LC_ALL: "POSIX" }, wishes, { colour: true, unicode: false }],
    [{ NO_COLOR: "1" }, wishes, { colour: false, unicode: true }],
    [{ NO_COLOR: "" }, wishes, { colour: true, unicode: true }],
    [{ TERM: "dumb" }, wishes, { colour: false, unicode: false }],
    [{}, { colour: false, ascii: true }, { colour: false, unicode: false }],
  ])("of %j with %j is %j", (env, wish, theme) => expect(themeOf(env, wish)).toEqual(theme));

  it("uses the sixteen colours, or none", () => {
    const spans = line("a", span("b", "bad"), span("c", "warn"));
    expect(painted(spans, { colour: true, unicode: true })).toBe("a\u001b[1;31mb\u001b[0m\u001b[33mc\u001b[0m");
    expect(painted(spans, { colour: false, unicode: true })).toBe("a\u001b[1mb\u001b[0mc");
    expect(painted(line("…"), { colour: false, unicode: false }, true)).toBe("\u001b[7m~\u001b[0m");
  });
});

describe("a layout", () => {
  const sizes = [[40, 8], [80, 20], [80, 60], [109, 40], [110, 24], [120, 35], [159, 60], [160, 40], [200, 56], [500, 200]] as const;

  it("takes exactly the room it has, and always shows the panel that has the keys", () => {
    for (const [columns, lines] of sizes) {
      for (const focus of PANELS) {
        for (const zoomed of [false, true]) {
          const wish: LayoutWish = { columns, lines, focus, zoomed, recent: PANELS };
          const { tabs, shelves } = layoutOf(wish);
          expect((tabs ? 1 : 0) + shelves.reduce((sum, { height }) => sum + height, 0)).toBe(lines);
          for (const { height, stacks } of shelves) {
            expect(stacks.reduce((sum, stack) => sum + (stack[0]?.width ?? 0), stacks.length - 1)).toBe(columns);
            for (const stack of stacks) expect(stack.reduce((sum, slot) => sum + slot.height, 0)).toBe(height);
          }
          expect(slotsOf({ tabs, shelves }).map(({ panel }) => panel)).toContain(focus);
        }
      }
    }
  });

  test.each([
    [80, 20, "checkpoints", ["checkpoints"]],
    [80, 40, "checkpoints", ["checkpoints", "events"]],
    [120, 35, "graph", ["graph", "inspector", "events"]],
    [120, 35, "faults", ["graph", "inspector", "faults"]],
    [200, 56, "graph", ["graph", "inspector", "events", "checkpoints", "faults"]],
    [200, 56, "verdict", ["graph", "inspector", "events", "checkpoints", "verdict"]],
  ] as const)("of %i x %i with the keys in %s shows %j", (columns, lines, focus, panels) => {
    const recent = [focus, "graph", "events", "inspector", "checkpoints", "faults", "verdict"] as const;
    expect(slotsOf(layoutOf({ columns, lines, focus, zoomed: false, recent })).map(({ panel }) => panel)).toEqual(panels);
  });

  it("keeps the anchor in sight, and stops at the ends", () => {
    expect(topLine(100, 10, null, 0)).toBe(0);
    expect(topLine(100, 10, 50, 0)).toBe(47);
    expect(topLine(100, 10, 99, 0)).toBe(90);
    expect(topLine(100, 10, 50, 1000)).toBe(90);
    expect(topLine(100, 10, 50, -1000)).toBe(0);
    expect(topLine(5, 10, 4, 3)).toBe(0);
    expect(scrollRange(100, 10, 50)).toEqual([-47, 43]);
  });
});

describe("the painter", () => {
  it("sends what changed, and nothing where nothing did", () => {
    const painter = new ScreenPainter();
    expect(painter.update(["ab", "cd"], 4, 3)).toBe("\u001b[?2026h\u001b[2J\u001b[1;1Hab\u001b[0m\u001b[K\u001b[2;1Hcd\u001b[0m\u001b[K\u001b[?2026l");
    expect(painter.update(["ab", "cd"], 4, 3)).toBe("");
    expect(painter.update(["ab", "cdef"], 4, 3)).toBe("\u001b[?2026h\u001b[2;1Hcdef\u001b[0m\u001b[?2026l");
    expect(painter.update(["ab"], 4, 3)).toBe("\u001b[?2026h\u001b[2;1H\u001b[0m\u001b[K\u001b[?2026l");
    painter.forget();
    expect(painter.update(["ab"], 4, 3)).toContain("\u001b[2J\u001b[1;1Hab");
  });

  it("never writes below its rows", () => {
    const lines = Array.from({ length: 50 }, (_, i) => String(i));
    expect(new ScreenPainter().update(lines, 80, 23)).not.toContain("\u001b[24;1H");
  });

  it("sees how wide a coloured line is", () => {
    expect(new ScreenPainter().update(["\u001b[1mabcd\u001b[0m"], 4, 3)).not.toContain("\u001b[K");
    expect(widthOf("漢")).toBe(2);
  });
});
