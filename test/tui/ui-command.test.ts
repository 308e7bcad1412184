import { describe, expect, it } from "vitest";
import { staleness, stalenessOfOne } from "#whitewater/reports/cli/replay-target.js";
import type { RunResult } from "#whitewater/simulator/index.js";
import { whitewater } from "../reports/cli/in-process.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

describe("whitewater ui without a terminal", () => {
  it("names the command that shows the same as text", async () => {
    const { code, stdout, stderr } = await whitewater(temporaryDirectory(), ["ui", "flights@7", "--at", "t 1.7s"]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      "whitewater: ui: needs a terminal for its input and output; the same as text: npx whitewater replay flights@7 --at 't 1.7s' --show events\n",
    );
  });

  it("names a command that can be run as it is, where no place was given: every run has an end", async () => {
    const { stderr } = await whitewater(temporaryDirectory(), ["ui", "flights@7"]);
    expect(stderr).toContain("npx whitewater replay flights@7 --at end --show events\n");
  });

  it("begins the tour where it begins, and nowhere else", async () => {
    const { code, stderr } = await whitewater(temporaryDirectory(), ["ui", "--tour", "--at", "ckpt:2"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("the tour begins at its first stop")]);
  });

  it("says so too where no run is named", async () => {
    const { code, stderr } = await whitewater(temporaryDirectory(), ["ui"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("npx whitewater replay '<run>' --at end --show events")]);
  });
});

describe("a record that says diverged, and one run of it", () => {
  const found = { digest: "0123456789abcdef", verdict: "diverged", from: "record x.json", record: "x.json", tool: null } as const;
  const one = { verdict: "violation", digest: "fedcba9876543210" } as RunResult;

  it("is not said to be repaired because one run alone has another verdict", () => {
    expect(stalenessOfOne(one, found)).toBe("record x.json says diverged: its runs are not all the same, and this is one of them");
    expect(staleness(one, found)).toBe("record x.json says diverged, now it is violation");
  });

  it("leaves every other record to what a run alone can tell", () => {
    const expected = { ...found, verdict: "violation" } as const;
    expect(stalenessOfOne(one, expected)).toBe("record x.json says digest 0123456789abcdef, now it is fedcba9876543210");
    expect(stalenessOfOne({ ...one, digest: found.digest }, expected)).toBe(null);
  });
});
