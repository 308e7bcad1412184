import { describe, expect, it } from "vitest";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { STATE_BACKENDS, type StateBackendName } from "#whitewater/engine/state/state-backend.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { Fault, FaultPlan, Trigger } from "#whitewater/simulator/faults/fault.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import { JOB_ID, World } from "#whitewater/simulator/world/world.js";
import { leaseOf } from "#whitewater/engine/runtime/leader-election.js";

const libraries = await loadStateLibraries();

type Plan<T extends Fault = Fault> = T extends unknown ? Omit<T, "id"> : never;

interface Observed {
  /** What attempts after the first started from. */
  readonly from: readonly number[];
  /** What remote storage gave to workers. */
  readonly remoteBytes: number;
  readonly status: string | undefined;
}

function observe(name: string, backend: StateBackendName, plan: readonly Plan[]): Observed {
  const scenario = scenarioNamed(name);
  if (scenario === null) throw new Error(`no scenario ${name}`);
  const options = {
    backend,
    mode: "aligned",
    restore: "local",
    failover: "job",
    parallelism: 4,
    parallelismAfter: 4,
    bufferElements: 16,
  } as const;
  const streams = new RandomStreams("1");
  const inputs = scenario.workload({ options, random: (label) => streams.stream(label) });
  const named = plan.map((fault, index) => ({ ...fault, id: `f${index}` })) as FaultPlan;
  const world = new World({ scenario, options, seed: "1", calm: true, plan: named, healAtUs: 300_000_000, inputs, libraries });
  const from: number[] = [];
  let remoteBytes = 0;
  world.kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, checkpointId) => void from.push(checkpointId));
  world.kernel.on(PORT_TRACE.blobGetReplied, (process, _subject, _checkpoint, bytes) => {
    if (process?.name.startsWith("worker-") === true) remoteBytes += Math.max(0, bytes);
  });
  while (!world.isOver && world.nowUs < 200_000_000 && world.step());
  if (world.kernel.crash !== null) throw world.kernel.crash.error;
  world.release();
  return { from: from.slice(1), remoteBytes, status: world.jobEnd?.status };
}

const completed = (nth: number): Trigger => ({ on: "event", event: "checkpointCompleted", subject: "jm-1", x: null, nth, when: "after" });
/** An attempt runs for the nth time. */
const running = (nth: number): Trigger => ({ on: "event", event: "jobRunning", subject: "jm-1", x: null, nth, when: "after" });

describe("restores on hosts that nothing happened to", () => {
  it.each(STATE_BACKENDS)("ask remote storage for not a byte: %s", (backend) => {
    for (const name of backend === "heap" ? ["word-count", "flights", "timers"] : ["timers"]) {
      const crash: Plan = { kind: "process-crash", process: "worker-1", at: completed(5) };
      expect([name, observe(name, backend, [crash])]).toEqual([name, { from: [5], remoteBytes: 0, status: "finished" }]);
    }
  });

  it("nor where the same checkpoint is restored twice, after a power loss, and under another leader", () => {
    const twice: readonly Plan[] = [
      { kind: "process-crash", process: "worker-1", at: completed(5) },
      { kind: "process-crash", process: "worker-2", at: running(2) },
    ];
    expect(observe("flights", "heap", twice)).toEqual({ from: [5, 5], remoteBytes: 0, status: "finished" });
    const powerLoss: readonly Plan[] = [{ kind: "host-crash", host: "host-1", replace: false, at: completed(5) }];
    expect(observe("flights", "lsm", powerLoss)).toEqual({ from: [5], remoteBytes: 0, status: "finished" });
    const leader: readonly Plan[] = [{ kind: "lease-loss", lease: leaseOf(JOB_ID), at: completed(5) }];
    const { from, remoteBytes, status } = observe("flights", "heap", leader);
    expect([from.length > 0, remoteBytes, status]).toEqual([true, 0, "finished"]);
  });
});

describe("restores that cannot find all copies", () => {
  it("fetch what a replaced host or a lost disk took away, and only that, and find it the next time", () => {
    const at = completed(5);
    const whole = observe("flights", "heap", [{ kind: "disk-loss", host: "host-1", at }]);
    expect([whole.from, whole.status]).toEqual([[5], "finished"]);
    expect(whole.remoteBytes).toBeGreaterThan(0);
    const replaced = observe("flights", "heap", [{ kind: "host-crash", host: "host-1", replace: true, at }]);
    expect(replaced).toEqual(whole);
    const again = observe("flights", "heap", [
      { kind: "disk-loss", host: "host-1", at },
      { kind: "process-crash", process: "worker-1", at: running(2) },
    ]);
    expect(again).toEqual({ ...whole, from: [5, 5] });
  });
});
