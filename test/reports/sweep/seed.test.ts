import { describe, expect, it } from "vitest";
import { isSelfChecked, parseSeed, parseSeedRange, rangeFrom } from "#whitewater/reports/sweep/seed.js";

describe("parseSeed", () => {
  it("reads decimal, hexadecimal and commit hashes", () => {
    expect(parseSeed("7880408371515809323", "--seed")).toBe(7880408371515809323n);
    expect(parseSeed("18446744073709551615", "--seed")).toBe((1n << 64n) - 1n);
    expect(parseSeed("0X1F", "--seed")).toBe(31n);
    expect(parseSeed("0a859c9000000000ffffffffffffffffffffffff", "--seed")).toBe(0x0a859c9000000000n);
  });

  it("takes 40 decimal digits for a commit hash, which they can be", () => {
    expect(parseSeed("1".repeat(40), "--seed")).toBe(0x1111111111111111n);
  });

  it.each(["", "x", "-1", "1.5", "1e3", "0x", " 1", "18446744073709551616", "0a859c9", "1n", "٣"])(
    "refuses %j and says what a seed looks like",
    (text) => {
      expect(() => parseSeed(text, `--seed ${text}`)).toThrow(/^--seed .*commit hash/s);
    },
  );
});

describe("parseSeedRange", () => {
  it("reads one seed, decimal ranges and hexadecimal ranges", () => {
    expect(parseSeedRange("7", "--seeds")).toEqual({ first: 7n, last: 7n });
    expect(parseSeedRange("1-5000", "--seeds")).toEqual({ first: 1n, last: 5000n });
    expect(parseSeedRange("0x1f-0x2f", "--seeds")).toEqual({ first: 31n, last: 47n });
  });

  it("says how to write a range that ends before it starts", () => {
    expect(() => parseSeedRange("9-3", "--seeds 9-3")).toThrow("--seeds 9-3: ends before it starts; write 3-9");
  });

  it.each(["", "-", "1-", "-5", "1-2-3", "1..5", "1–5", "a-b"])("refuses %j", (text) => {
    expect(() => parseSeedRange(text, "--seeds")).toThrow(/--seeds: /);
  });
});

describe("rangeFrom", () => {
  it("stays below 2^64", () => {
    const last = (1n << 64n) - 1n;
    expect(rangeFrom(last - 3n, 200n)).toEqual({ first: last - 199n, last });
    expect(rangeFrom(5n, 200n)).toEqual({ first: 5n, last: 204n });
  });
});

describe("isSelfChecked", () => {
  it("selects about the share asked for, also among neighbouring seeds", () => {
    let selected = 0;
    for (let seed = 1; seed <= 20_000; seed++) if (isSelfChecked(String(seed), 50_000)) selected++;
    expect(selected).toBeGreaterThan(800);
    expect(selected).toBeLessThan(1200);
  });

  it("selects all for 100% and none for 0%, and more for a greater share", () => {
    for (let seed = 0; seed < 500; seed++) {
      const text = String(seed);
      expect(isSelfChecked(text, 1_000_000)).toBe(true);
      expect(isSelfChecked(text, 0)).toBe(false);
      if (isSelfChecked(text, 50_000)) expect(isSelfChecked(text, 500_000)).toBe(true);
    }
  });
});
