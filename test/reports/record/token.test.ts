import { describe, expect, it } from "vitest";
import { formatToken, looksLikeToken, optionsOfCombination, parseToken } from "#whitewater/reports/record/token.js";

describe("tokens", () => {
  it("are read back as they were written, also for scenarios in files", () => {
    for (const scenario of ["flights", "./my scenarios/pay@2.ts", "../x.mjs"]) {
      const token = formatToken(scenario, "heap/aligned/full/4to4/job", "18446744073709551615", "9f3ac1d200000000");
      expect(looksLikeToken(token)).toBe(true);
      expect(parseToken(token)).toEqual({
        kind: "full",
        scenario,
        combination: "heap/aligned/full/4to4/job",
        seed: 18446744073709551615n,
        digest: "9f3ac1d2",
      });
    }
  });

  it("have a short form that names scenario and seed", () => {
    expect(parseToken("flights@0x1f")).toEqual({ kind: "short", scenario: "flights", seed: 31n });
  });

  it.each([
    ["ww1:flights/heap/aligned/full/4to4/job@7#9f3a", "cut off"],
    ["ww1:flights/heap/aligned/full/4to4/job@7", "cut off"],
    ["ww1:heap/aligned/full/4to4/job@7#9f3ac1d2", "cut off"],
    ["ww2:flights/heap@7#9f3ac1d2", "later version"],
    ["flights@", "no token"],
    ["@7", "no token"],
    ["flights@seven", "is no seed"],
    ["flights@18446744073709551616", "beyond"],
  ])("refuse %s: %s", (text, reason) => {
    expect(() => parseToken(text)).toThrow(reason);
  });

  it("name the valid values of an option they do not know", () => {
    expect(optionsOfCombination("heap/aligned/full/4to4/job", "token")).toMatchObject({ backend: "heap", parallelism: 4, parallelismAfter: 4 });
    const rescaled = optionsOfCombination("lsm/unaligned/incremental/4to2/job", "token");
    expect(rescaled).toEqual({ backend: "lsm", mode: "unaligned", restore: "incremental", parallelism: 4, parallelismAfter: 2, failover: "job" });
    expect(() => optionsOfCombination("rocks/aligned/full/4to4/job", "token")).toThrow(/backend "rocks".*choose one of: heap/);
    expect(() => optionsOfCombination("heap/aligned/full/0to0/job", "token")).toThrow(/"0to0" is no parallelism/);
  });
});
