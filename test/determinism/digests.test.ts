import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { scenarios } from "#whitewater/scenarios/registry.js";

/** 70 fixed seeds over every scenario of the library but the largest. */
const SEEDS: readonly (readonly [string, readonly string[]])[] = [
  ["founding-checkpointing", range(1, 6)],
  ["word-count", range(11, 12)],
  ["flights", range(23, 10)],
  ["flights-late", range(33, 6)],
  ["sparse", range(39, 5)],
  ["timers", range(45, 5)],
  ["big-state", range(51, 6)],
  ["founding-state-backend", range(57, 2)],
  ["founding-restore-strategy", range(59, 2)],
  ["two-pipelines", range(61, 2)],
  ["hot-key", range(63, 2)],
  ["deduplication", range(65, 2)],
  ["local-recovery", range(67, 2)],
  ["rolling-upgrade", range(69, 2)],
  ["leader-failover", range(71, 2)],
  ["resume-from-checkpoint", range(73, 2)],
  ["resume-without-claim", range(75, 2)],
];
/** Exact versions, so that the test means the same thing next year. */
const OTHER_NODES: readonly string[] = ["22.23.3", "24.9.0"];

const script = fileURLToPath(new URL("print-digests.mjs", import.meta.url));
const cache = fileURLToPath(new URL("../../.cache", import.meta.url));

function range(from: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(from + index));
}

function digestsOf(node: string, seeds: typeof SEEDS): Record<string, string> {
  const output = execFileSync(node, [script, JSON.stringify(seeds)], { encoding: "utf8", maxBuffer: 1 << 24 });
  return JSON.parse(output) as Record<string, string>;
}

/** The binary of another Node version, as the npm registry has it; null where it cannot be had. */
function otherNode(version: string): string | null {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const prefix = `${cache}/node-${version}`;
  const binary = `${prefix}/node_modules/${name}/bin/node${process.platform === "win32" ? ".exe" : ""}`;
  if (existsSync(binary)) return binary;
  mkdirSync(prefix, { recursive: true });
  try {
    const args = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", prefix, `${name}@${version}`];
    execFileSync("npm", args, { stdio: "ignore", timeout: 180_000 });
  } catch {
    return null;
  }
  return existsSync(binary) ? binary : null;
}

describe("the digests of 70 fixed seeds", () => {
  const here = digestsOf(process.execPath, SEEDS);

  test("are of every scenario but the largest", () => {
    const names = scenarios.map(({ name }) => name).filter((name) => name !== "flights-20k");
    expect(SEEDS.map(([name]) => name).toSorted()).toEqual(names.toSorted());
  });

  test("are 70, all of them from runs that were judged ok", () => {
    expect(Object.keys(here)).toHaveLength(70);
    expect(Object.values(here).filter((one) => !one.startsWith("ok "))).toEqual([]);
    expect(new Set(Object.values(here)).size).toBe(70);
  });

  test("are the same in another fresh process that runs them in another order", () => {
    const reversed = SEEDS.toReversed().map(([name, seeds]) => [name, seeds.toReversed()] as const);
    const again = digestsOf(process.execPath, reversed);
    expect(Object.fromEntries(Object.entries(again).sort())).toEqual(Object.fromEntries(Object.entries(here).sort()));
  });

  for (const version of OTHER_NODES) {
    test(`are the same on Node ${version}`, { timeout: 600_000 }, (context) => {
      const node = otherNode(version);
      if (node === null) return context.skip(`Node ${version} cannot be had from the package registry`);
      expect(digestsOf(node, SEEDS)).toEqual(here);
    });
  }
});
