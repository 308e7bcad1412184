import { expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import { drawOptions } from "#whitewater/simulator/explore/draw-options.js";
import type { RunOptions } from "#whitewater/simulator/scenario.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";

/** The failover scopes that forty seeds draw, each once. */
function scopesDrawn(name: string, fixed: Partial<RunOptions> = {}): readonly string[] {
  const scenario = present(scenarioNamed(name), "the scenario is there");
  const drawn = Array.from({ length: 40 }, (_, seed) => {
    return drawOptions(scenario, fixed, new RandomStreams(String(seed)).stream("options")).failover;
  });
  return [...new Set(drawn)].sort();
}

test("the failover scope is drawn where a job has several regions, else the whole job fails over", () => {
  expect(scopesDrawn("two-pipelines")).toEqual(["job", "region"]);
  expect(scopesDrawn("word-count")).toEqual(["job"]);
  expect(scopesDrawn("founding-checkpointing")).toEqual(["job"]);
});

test("a fixed scope stays, and a job that changes its parallelism fails over as a whole", () => {
  expect(scopesDrawn("word-count", { failover: "region" })).toEqual(["region"]);
  expect(scopesDrawn("two-pipelines", { failover: "job" })).toEqual(["job"]);
  expect(scopesDrawn("two-pipelines", { parallelism: 2, parallelismAfter: 4 })).toEqual(["job"]);
});
