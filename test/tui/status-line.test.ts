import { describe, expect, it } from "vitest";
import { lineWidth } from "#whitewater/reports/tui/line-cut.js";
import { screenPlan, type PlannedRun } from "#whitewater/reports/tui/screen-plan.js";
import { statusLines } from "#whitewater/reports/tui/status-line.js";
import { firstState, type UiState } from "#whitewater/reports/tui/ui-state.js";
import { line, textOf } from "#whitewater/reports/views/line.js";

const FIRST = firstState(4, { columns: 40, rows: 24 });
const BARE: PlannedRun = { banner: null, timeline: () => [line("one"), line("two")], guide: () => [] };

function shown(changes: Partial<UiState>, most = 9): readonly string[] {
  return statusLines({ ...FIRST, ...changes }, most).map(textOf);
}

function said(text: string): Partial<UiState> {
  return { message: { text, tone: "bad" } };
}

describe("the last lines of the screen", () => {
  it("name the keys that lead to all others even where the terminal is as narrow as it may be", () => {
    expect(shown({})).toHaveLength(1);
    expect(shown({})[0]?.slice(0, 39)).toContain("? keys  q quit");
  });

  it("say all of an error, which ends with what to do about it", () => {
    expect(shown(said('the place "x": is none; give a step (612) or a time (1.7s)'))).toEqual([
      '! the place "x": is none; give a step',
      "(612) or a time (1.7s)",
    ]);
    expect(shown(said("word ".repeat(200)))).toHaveLength(5);
    expect(shown(said("word ".repeat(200)), 1)).toHaveLength(1);
    expect(shown({ ...said("word ".repeat(200)), count: 12 })).toHaveLength(1);
  });

  it("lose no word of it, and leave what is too much to be cut at the end of the last", () => {
    const text = `漢字漢字 ${"word ".repeat(90)}end`;
    const rows = statusLines({ ...FIRST, ...said(text) }, 3);
    expect(rows.map(textOf).join(" ")).toBe(`! ${text}`);
    expect(rows.slice(0, 2).every((row) => lineWidth(row) <= 40)).toBe(true);
  });

  it("show the end of what is being typed", () => {
    const typed = (text: string): string => shown({ prompt: { kind: "search", text } })[0] ?? "";
    expect(typed("short")).toBe("/short_");
    expect(typed(`${"x".repeat(60)}END`)).toBe(`/…${"x".repeat(34)}END_`);
    expect(lineWidth(line(typed("漢".repeat(60))))).toBe(40);
  });

  it("take from the panels, never from the screen, and leave these a place", () => {
    for (let rows = 10; rows < 16; rows += 1) {
      const state = { ...FIRST, ...said("word ".repeat(200)), rows };
      const plan = screenPlan(state, BARE);
      expect(1 + 2 + plan.lines + plan.status.length).toBe(rows - 1);
      expect(plan.fits).toBe(true);
    }
    expect(screenPlan({ ...FIRST, ...said("word ".repeat(200)) }, BARE).status).toHaveLength(5);
  });
});
