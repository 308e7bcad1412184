import { describe, expect, it } from "vitest";
import { Terminal } from "#whitewater/reports/tui/terminal.js";

function noticed(columns: number, text: string): string {
  let written = "";
  const stdout = { columns, rows: 24, write: (piece: string) => ((written += piece), true) };
  new Terminal({ stdin: process.stdin, stdout: stdout as unknown as NodeJS.WriteStream }).notice(text);
  return written;
}

describe("a notice before the screen is taken", () => {
  it("stays on one row, so that all of it can be taken away again", () => {
    expect(noticed(40, `makes the run ${"long/".repeat(20)}`)).toBe(`makes the run ${"long/".repeat(20)}`.slice(0, 36) + "...");
    expect(noticed(40, "漢".repeat(40))).toBe(`${"漢".repeat(18)}...`);
  });

  it("is left as it is where it fits", () => {
    expect(noticed(40, "makes the run flights@7")).toBe("makes the run flights@7");
  });
});
