import { expect, test } from "vitest";
import { livenessDeadlineUs, livenessOracle } from "#whitewater/simulator/oracles/liveness.js";
import { scenarios } from "#whitewater/scenarios/registry.js";
import { crashAt, crashOf, WatchedWorld } from "./watched-world.js";

const OPTIONS = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 4 } as const;

function deadlineOf(watched: WatchedWorld): number {
  const { scenario, world } = watched;
  return livenessDeadlineUs(scenario, scenario.job(OPTIONS), world.options.inputs, world.options.healAtUs);
}

test("a job that ends finds nothing; one that does not is named, and what did not happen", () => {
  expect(new WatchedWorld(livenessOracle).verdict()).toBe("nothing");
  const early = new WatchedWorld(livenessOracle).runUntil(15_000_000);
  early.conclude("stuck");
  // Nothing happens any more, but time goes by.
  early.world.kernel.nowUs = 90_500_000;
  early.conclude("stuck");
  expect(early.findings).toEqual([
    "the job did not end within the steps allowed, which took it to 15 s",
    "no checkpoint completed in 60.5 s after everything healed at 30 s",
    "the job did not end in 60.5 s after everything healed at 30 s",
  ]);
});

test("a checkpoint behind the healing is progress, though the job does not end", () => {
  const watched = new WatchedWorld(livenessOracle).runUntil(6_000_000);
  const { world } = watched;
  const record = world.coordination.registers("job/checkpoints/").at(-1);
  if (record === undefined) throw new Error("a checkpoint is retained by then");
  world.kernel.nowUs = 40_000_000;
  const fence = { lease: "job/leadership", epoch: 1 };
  world.coordination.compareAndSet(watched.processOf("jm-1"), record.key, record.version, record.value, fence);
  expect(watched.conclude("stuck").findings).toEqual(["the job did not end in 10 s after everything healed at 30 s"]);
});

test("a job that ends as failed is named where the budget does not allow it", () => {
  expect(new WatchedWorld(livenessOracle).conclude("failed").findings).toEqual([
    "the job ended as failed, which the scenario's budget does not allow",
  ]);
});

test.each(scenarios.map(({ name }) => name))("%s ends before the deadline, whoever crashes just before everything heals", (scenario) => {
  const plan = [crashAt("jm-1", 23_900_000), crashAt("worker-1", 23_950_000), crashAt("worker-3", 24_000_000), crashOf("words[0]", 9)];
  const watched = new WatchedWorld(livenessOracle, { scenario, plan });
  const deadlineUs = deadlineOf(watched);
  expect(watched.verdict()).toBe("nothing");
  expect(watched.world.jobEnd?.atUs).toBeLessThan(deadlineUs);
});

test("the deadline leaves room for the waits that the World configures, and grows with the scenario's own", () => {
  const watched = new WatchedWorld(livenessOracle);
  const { config } = watched.engineOf("worker-1").engine;
  const { processRestartUs, hostRestartUs } = watched.scenario.cluster;
  const { checkpoint } = watched.scenario.job(OPTIONS).config;
  const waitsMs = config.heartbeatTimeoutMs + config.heartbeatIntervalMs + config.leaseTtlMs + Math.ceil(config.leaseTtlMs / 3) + 2 * config.rpcTimeoutMs + config.registrationRetryMs;
  const checkpointMs = checkpoint === null ? 0 : checkpoint.intervalMs + checkpoint.timeoutMs + checkpoint.minPauseMs;
  const leastUs = watched.world.options.healAtUs + 2 * (waitsMs * 1000 + Math.max(processRestartUs, hostRestartUs)) + 2 * checkpointMs * 1000;
  expect(deadlineOf(watched)).toBeGreaterThan(leastUs);
  const { scenario, world } = watched;
  const graph = scenario.job(OPTIONS);
  const slower = { ...scenario, cluster: { ...scenario.cluster, hostRestartUs: hostRestartUs + 1_000_000 } };
  expect(livenessDeadlineUs(slower, graph, world.options.inputs, 1)).toBe(livenessDeadlineUs(scenario, graph, world.options.inputs, 1) + 3_000_000);
});
