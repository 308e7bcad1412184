import type { StreamGraph } from "../../engine/graph/stream-graph.ts";
import { defineScenario } from "../../simulator/scenario.ts";
import type { InputTopic, RunOptions, Scenario, WorkloadContext } from "../../simulator/scenario.ts";
import type { Order, PageVisits, Spending, Visit } from "../two-pipelines.ts";
import { addSpending, addVisits } from "../two-pipelines.ts";
import { IN_ALL_COMBINATIONS, smallEnvironment, smallTopic } from "./small-job.ts";

function job(options: RunOptions): StreamGraph {
  const env = smallEnvironment(options);
  addSpending(env);
  addVisits(env, Math.ceil(options.parallelism / 2));
  return env.execute("Pipelines");
}

function workload({ random }: WorkloadContext): readonly InputTopic[] {
  return [
    smallTopic<Order>(random("orders"), {
      topic: "orders",
      partitions: 2,
      least: 60,
      most: 140,
      keyOf: ({ customer }) => customer,
      draw: (draws) => ({ customer: `customer-${draws.below(8)}`, cents: 100 + draws.below(9900) }),
    }),
    smallTopic<Visit>(random("visits"), {
      topic: "visits",
      partitions: 2,
      least: 60,
      most: 140,
      keyOf: ({ page }) => page,
      draw: (draws) => ({ page: `page-${draws.below(6)}` }),
    }),
  ];
}

export const matrixPipelines: Scenario = defineScenario({
  name: "matrix-pipelines",
  title: "two disjoint pipelines in one job",
  doc: `The job of two-pipelines at the pace of the matrix: a running sum of orders, and visits counted in windows,
that share nothing but the checkpoints. A failover region is less than the whole job: where only a region fails
over, one pipeline goes on while the other is restored.

Hunts: a region that is restored to a moment that the other has left behind, transactions committed or aborted on
behalf of the other region, checkpoints that span a region's restart.`,
  job,
  workload,
  outputs: [
    { topic: "customer-spending", partitions: 2, keyOf: (value) => (value as Spending).customer },
    { topic: "page-visits", partitions: 2, keyOf: (value) => (value as PageVisits).page },
  ],
  ...IN_ALL_COMBINATIONS,
});
