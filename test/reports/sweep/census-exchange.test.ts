import { expect, test } from "vitest";
import { CensusExchange } from "#whitewater/reports/sweep/census-exchange.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { Census } from "#whitewater/simulator/explore/census.js";
import type { CensusShare } from "#whitewater/simulator/explore/census-share.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

const scenario = scenarioNamed("word-count")!;

function request(seed: string): RunRequest {
  return { seed, profile: "swarm", fixed: { backend: "heap", parallelism: 2 }, plan: null, oracles: false, checked: false, maxSteps: 1e6 };
}

test("what one thread took another one finds, once, and nobody its own", async () => {
  const [one, other, third] = ["a", "a", "b"].map((name) => new CensusExchange(`census-exchange-test-${name}`)) as [CensusExchange, CensusExchange, CensusExchange];
  const census: Census = { groups: [], durationUs: 5, endedAtUs: 7 };
  expect(other.find("x")).toBeNull();
  one.offer("x", census);
  // A message takes a turn of the event loop at most.
  await new Promise((resolve) => setImmediate(resolve));
  expect([one.find("x"), other.find("y"), third.find("x")]).toEqual([null, null, null]);
  expect(other.find("x")).toEqual(census);
  expect(other.find("x")).toBeNull();
  for (const each of [one, other, third]) each.close();
});

test("a run is the same with a census that another Simulator took, and it takes none of its own", () => {
  const kept = new Map<string, string>();
  const share: CensusShare = {
    find: (key) => (kept.has(key) ? (JSON.parse(kept.get(key)!) as Census) : null),
    offer: (key, census) => void kept.set(key, JSON.stringify(census)),
  };
  const offered = (): number => kept.size;
  const seeds = ["1", "2", "3"];
  const alone = seeds.map((seed) => new Simulator(scenario).run(request(seed)));
  const first = seeds.map((seed) => new Simulator(scenario, undefined, share).run(request(seed)));
  const taken = offered();
  const second = seeds.map((seed) => new Simulator(scenario, undefined, { ...share, offer: () => expect.unreachable() }).run(request(seed)));
  expect(taken).toBeGreaterThan(0);
  expect(first).toEqual(alone);
  expect(second).toEqual(alone);
});
