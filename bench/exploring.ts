import { asyncProperty, assert as checkProperty, scheduler } from "fast-check";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { ArrivingRecord, Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { median } from "./rounds.ts";

/** What exploring one scenario gave. */
export interface Explored {
  readonly name: string;
  readonly runs: number;
  readonly runsPerSecond: number;
  readonly tracePointsPerSecond: number;
  readonly medianMilliseconds: number;
  readonly medianTracePoints: number;
}

interface Sample {
  readonly milliseconds: number;
  readonly tracePoints: number;
}

const REQUEST: Omit<RunRequest, "seed" | "profile" | "plan"> = {
  fixed: { backend: "heap" },
  oracles: true,
  checked: false,
  maxSteps: 2_000_000,
};

function required(name: string): Scenario {
  const scenario = scenarioNamed(name);
  if (scenario === null) throw new Error(`there is no scenario "${name}"`);
  return scenario;
}

/** `flights` as a sweep runs it: swarm, all default oracles. */
export function exploreFlights(runs: number): Explored {
  const simulator = new Simulator(required("flights"));
  return explore("flights, swarm, all oracles", runs, (seed) => {
    return simulator.run({ ...REQUEST, seed, profile: "swarm", plan: null });
  });
}

/** A thousand flights through windows, parallelism 4, with five faults that always fire. */
export function exploreWindows(runs: number): Explored {
  const simulator = new Simulator(thousandFlights(required("flights")));
  return explore("1,000 records, windows, 5 faults, all oracles", runs, (seed) => {
    return simulator.run({ ...REQUEST, fixed: { backend: "heap", parallelism: 4 }, seed, profile: "swarm", plan: FIVE_FAULTS });
  });
}

const FIVE_FAULTS: FaultPlan = [
  { id: "f1", kind: "process-crash", process: "worker-1", at: { on: "time", atUs: 5_300_000 } },
  { id: "f2", kind: "rpc-chaos", lossPercent: 20, duplicatePercent: 10, delayPercent: 20, delayUs: 200_000, durationUs: 2_000_000, at: { on: "time", atUs: 8_000_000 } },
  { id: "f3", kind: "host-crash", host: "host-2", replace: false, at: { on: "time", atUs: 12_200_000 } },
  { id: "f4", kind: "blob-outage", errorPercent: 50, durationUs: 1_000_000, at: { on: "time", atUs: 16_000_000 } },
  { id: "f5", kind: "process-pause", process: "worker-3", durationUs: 1_500_000, at: { on: "time", atUs: 19_000_000 } },
];

/** Every second record of a workload of two thousand. */
function thousandFlights(flights: Scenario): Scenario {
  return {
    ...flights,
    name: "flights-1000",
    workload: (context) =>
      flights.workload(context).map(({ topic, partitions }) => {
        const half = (records: readonly ArrivingRecord[]): ArrivingRecord[] => records.filter((_, index) => index % 2 === 0);
        return { topic, partitions: partitions.map(half) };
      }),
  };
}

function explore(
  name: string,
  runs: number,
  run: (seed: string) => { readonly tracePoints: number; readonly verdict: string },
): Explored {
  const samples: Sample[] = [];
  const warmups = Math.ceil(runs / 2);
  for (let index = 1; index <= warmups + runs; index += 1) {
    const startedMs = performance.now();
    const { tracePoints, verdict } = run(String(index));
    const milliseconds = performance.now() - startedMs;
    if (verdict === "invalid-plan") throw new Error(`the plan of "${name}" is refused`);
    if (index > warmups) samples.push({ milliseconds, tracePoints });
  }
  const seconds = samples.reduce((sum, one) => sum + one.milliseconds, 0) / 1000;
  const points = samples.reduce((sum, one) => sum + one.tracePoints, 0);
  return {
    name,
    runs,
    runsPerSecond: runs / seconds,
    tracePointsPerSecond: points / seconds,
    medianMilliseconds: median(samples.map((one) => one.milliseconds)),
    medianTracePoints: median(samples.map((one) => one.tracePoints)),
  };
}

/**
 * For orientation: fast-check's scheduler reorders promises. Four writers add to a shared sum in batches;
 * a task it releases is the nearest thing to a trace point that it has.
 */
export async function exploreWithFastCheck(runs: number): Promise<Explored> {
  const tasks = 250;
  const samples: Sample[] = [];
  let startedMs = performance.now();
  const property = asyncProperty(scheduler(), async (s) => {
    let sum = 0;
    const writer = async (): Promise<void> => {
      for (let task = 0; task < tasks / 4; task += 1) sum += await s.schedule(Promise.resolve(1));
    };
    const writers = [writer(), writer(), writer(), writer()];
    await s.waitAll();
    await Promise.all(writers);
    samples.push({ milliseconds: performance.now() - startedMs, tracePoints: sum });
    startedMs = performance.now();
  });
  await checkProperty(property, { numRuns: runs, seed: 1 });
  const seconds = samples.reduce((sum, one) => sum + one.milliseconds, 0) / 1000;
  const released = samples.reduce((sum, one) => sum + one.tracePoints, 0);
  return {
    name: "fast-check scheduler, 4 promise chains",
    runs,
    runsPerSecond: runs / seconds,
    tracePointsPerSecond: released / seconds,
    medianMilliseconds: median(samples.map((one) => one.milliseconds)),
    medianTracePoints: median(samples.map((one) => one.tracePoints)),
  };
}
