import { describe, expect, it } from "vitest";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import { present } from "#whitewater/engine/base/assert.js";
import type { Fault, FaultPlan } from "#whitewater/simulator/faults/fault.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { PreparedRun } from "#whitewater/simulator/prepared-run.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";

const simulator = new Simulator(present(scenarioNamed("word-count"), "the scenario exists"), await loadStateLibraries());

function request(plan: FaultPlan): RunRequest {
  return { seed: "7", profile: "swarm", fixed: { parallelism: 1 }, plan, oracles: true, checked: false, maxSteps: 1_000_000 };
}

function prepared(plan: FaultPlan): PreparedRun {
  const run = simulator.prepare(request(plan));
  if (!("world" in run)) throw new Error("the plan was refused");
  return run;
}

/** The nth such event at the generation file of the first worker's host, or whatever else is named. */
function at(event: string, subject = "host-1:generation", nth = 1): Fault["at"] {
  return { on: "event", event, subject, x: -1, nth, when: "before" };
}

const crash: Fault = { id: "crash", kind: "process-crash", process: "worker-1", at: { on: "time", atUs: 3_000_000 } };

describe("a plan", () => {
  it.each<readonly [Fault["kind"], Fault]>([
    ["disk-error", { id: "f", kind: "disk-error", code: "ENOSPC", partBytes: 5, at: at("diskWritten") }],
    ["disk-error", { id: "f", kind: "disk-error", code: "EIO", partBytes: 0, at: at("diskNamed", "host-1:directory") }],
    ["disk-fsync-failure", { id: "f", kind: "disk-fsync-failure", at: at("diskSynced") }],
    ["disk-short-read", { id: "f", kind: "disk-short-read", bytes: 3, at: at("diskRead") }],
    ["disk-bit-flip", { id: "f", kind: "disk-bit-flip", bit: -1, at: at("diskSynced") }],
    ["disk-misdirected-write", { id: "f", kind: "disk-misdirected-write", sectorsAway: 1, elsewhere: 1, at: at("diskWritten") }],
    ["disk-slow", { id: "f", kind: "disk-slow", delayUs: 400_000, at: at("diskSynced", "host-1") }],
    ["disk-full", { id: "f", kind: "disk-full", host: null, durationUs: 500_000, at: at("diskOpened") }],
    ["disk-stall", { id: "f", kind: "disk-stall", host: "host-1", durationUs: 500_000, at: { on: "time", atUs: 0 } }],
    ["disk-loss", { id: "f", kind: "disk-loss", host: "host-2", at: { on: "time", atUs: 2_000_000 } }],
  ])("strikes with %s where it says, and the job survives it", (kind, fault) => {
    const result = simulator.run(request([fault, crash]));
    expect(result.faults.map((one) => [one.kind, one.outcome])).toEqual([
      [kind, "fired"],
      ["process-crash", "fired"],
    ]);
    expect(result.findings).toEqual([]);
    expect(result.verdict).toBe("ok");
  });

  it("may name the host alone, and means all its files", () => {
    const fault: Fault = { id: "f", kind: "disk-error", code: "EIO", partBytes: 0, at: at("diskOpened", "host-2", 2) };
    const run = prepared([fault]);
    const opened: string[] = [];
    const { kernel } = run.world;
    kernel.on(PORT_TRACE.faultFired, (_process, subject) => opened.push(kernel.nameOf(subject)));
    run.runToEnd();
    expect(opened).toEqual(["host-2:generation"]);
  });

  it("is refused when it strikes where it cannot, names no host of the cluster, or breaks more than the budget allows", () => {
    const refusalOf = (plan: FaultPlan): string | undefined => simulator.run(request(plan)).findings[0]?.message;
    expect(refusalOf([{ id: "f", kind: "disk-short-read", bytes: 1, at: at("diskWritten") }])).toMatch(/cannot strike at diskWritten/);
    expect(refusalOf([{ id: "f", kind: "disk-bit-flip", bit: 0, at: { on: "time", atUs: 1 } }])).toMatch(/needs an event/);
    expect(refusalOf([{ id: "f", kind: "disk-full", host: null, durationUs: 1, at: { on: "time", atUs: 1 } }])).toMatch(/needs a host/);
    expect(refusalOf([{ id: "f", kind: "disk-loss", host: "host-9", at: { on: "time", atUs: 1 } }])).toMatch(/no host is called host-9/);
    const losses = [1, 2, 3].map((n): Fault => ({ id: `f${n}`, kind: "disk-loss", host: "host-1", at: { on: "time", atUs: n } }));
    expect(refusalOf(losses)).toBe("3 faults of kind disk-loss; the scenario promises to survive 2");
  });
});

describe("a window", () => {
  it("on a full disk turns into named errors that do the same without it", () => {
    const window: Fault = { id: "w", kind: "disk-full", host: "host-1", durationUs: 5_000_000, at: { on: "time", atUs: 0 } };
    const restart: Fault = { ...crash, id: "again", at: { on: "time", atUs: 9_000_000 } };
    const whole = prepared([window, crash, restart]);
    whole.runToEnd();
    const { windows } = whole.world.kernel;
    expect(windows.any).toBe(false);
    expect(whole.world.jobEnd?.status).toBe("finished");
    expect(windows.deviations.length).toBeGreaterThanOrEqual(6);
    expect(windows.deviations[0]).toEqual({
      id: "w/1",
      kind: "disk-error",
      code: "ENOSPC",
      partBytes: 0,
      at: { ...at("diskNamed", "host-1:directory"), x: -1 },
    });
    const singly = prepared([...windows.deviations, crash, restart]);
    singly.runToEnd();
    expect(singly.world.kernel.faultOutcomes().filter(({ outcome }) => outcome !== "fired")).toEqual([]);
    expect(singly.world.jobEnd?.atUs).toBe(whole.world.jobEnd?.atUs);
    expect(singly.world.log.inspect()).toEqual(whole.world.log.inspect());
  });

  it("ends with chaos", () => {
    const run = prepared([{ id: "w", kind: "disk-full", host: "host-1", durationUs: 1e12, at: { on: "time", atUs: 0 } }, crash]);
    const { kernel } = run.world;
    while (kernel.windows.deviations.length === 0) run.world.step();
    while (run.world.processNamed("worker-1") !== null) run.world.step();
    kernel.heal();
    const before = kernel.windows.deviations.length;
    run.runToEnd();
    expect(kernel.windows.any).toBe(false);
    expect(kernel.windows.deviations.length).toBe(before);
  });

  it("in which a disk stalls holds a process up that touches it, and no other", () => {
    const run = prepared([{ id: "w", kind: "disk-stall", host: "host-1", durationUs: 700_000, at: { on: "time", atUs: 0 } }]);
    const first = new Map<string, number>();
    const { kernel } = run.world;
    kernel.on(PORT_TRACE.timerRan, (process) => {
      if (process !== null && !first.has(process.name)) first.set(process.name, kernel.nowUs);
    });
    run.runToEnd();
    expect(first.get("worker-1")).toBeGreaterThanOrEqual(700_000);
    expect(first.get("worker-2")).toBeLessThan(700_000);
  });
});

describe("the loss of a disk", () => {
  it("leaves an empty disk on a host that stays up, whose process starts again", () => {
    const run = prepared([{ id: "f", kind: "disk-loss", host: "host-1", at: { on: "time", atUs: 2_000_000 } }]);
    const { world } = run;
    const host = present(world.hosts.find(({ name }) => name === "host-1"), "the host exists");
    const before = world.diskOf(host);
    while (world.diskOf(host) === before) world.step();
    expect(host.up).toBe(true);
    expect(world.processNamed("worker-1")).toBeNull();
    expect(world.diskOf(host).inspect()).toEqual([]);
    run.runToEnd();
    expect(world.jobEnd?.status).toBe("finished");
    expect(world.kernel.counts[PORT_TRACE.hostCrashed]).toBe(0);
  });
});
