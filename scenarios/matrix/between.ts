import { WatermarkStrategies } from "../../engine/api/watermark-strategies.ts";
import { LogSource } from "../../engine/connectors/log-source.ts";
import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import { defineScenario } from "../../simulator/scenario.ts";
import type { InputTopic, RunOptions, Scenario, WorkloadContext } from "../../simulator/scenario.ts";
import { IN_ALL_COMBINATIONS, keyedSink, smallEnvironment, smallTopic } from "./small-job.ts";

interface Visit {
  readonly page: string;
  readonly visits: number;
}

interface SectionCount {
  readonly section: string;
  readonly count: number;
}

function job(options: RunOptions): StreamGraph {
  const env = smallEnvironment(options);
  env
    .fromSource(new LogSource<Visit>("visits"), WatermarkStrategies.noWatermarks<Visit>())
    .uid("visits")
    .keyBy(({ page }) => page)
    .reduce((sum, { visits }) => ({ page: sum.page, visits: sum.visits + visits }))
    .uid("per-page")
    .name("per-page")
    .filter(({ visits }) => visits % 2 === 1)
    .uid("every-other")
    .map(({ page }): SectionCount => ({ section: page.slice(0, page.indexOf("/")), count: 1 }))
    .uid("section")
    .keyBy(({ section }) => section)
    .reduce((sum, { count }) => ({ section: sum.section, count: sum.count + count }))
    .uid("per-section")
    .name("per-section")
    .sinkTo(keyedSink<SectionCount>("sections", ({ section }) => section))
    .uid("sections");
  return env.execute("Between");
}

function workload({ random }: WorkloadContext): readonly InputTopic[] {
  return [
    smallTopic<Visit>(random("visits"), {
      topic: "visits",
      partitions: 2,
      least: 120,
      most: 240,
      keyOf: ({ page }) => page,
      draw: (draws) => ({ page: `section-${draws.below(5)}/page-${draws.below(4)}`, visits: 1 }),
    }),
  ];
}

export const matrixBetween: Scenario = defineScenario({
  name: "matrix-between",
  title: "stateless operators between two keyed ones",
  doc: `Visits are counted for each page; every other visit of a page passes a filter, becomes one of its section in a
map, and is counted there, in another vertex under another key. What the first operator counts decides what the
second one gets.

The counts of a section come out as 1, 2, 3 … whatever the interleaving, up to a number that only the right counts
of its pages give.

Hunts: the two keyed vertices restored from different moments, records in flight between them lost or repeated,
key groups of one handed to the other.`,
  job,
  workload,
  outputs: [{ topic: "sections", partitions: 2, keyOf: (value) => (value as SectionCount).section }],
  ...IN_ALL_COMBINATIONS,
});
