import { describe, expect, it } from "vitest";
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

  it("says so too where no run is named", async () => {
    const { code, stderr } = await whitewater(temporaryDirectory(), ["ui"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("npx whitewater replay '<run>' --at '<place>' --show events")]);
  });
});
