import { describe, expect, it } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { Fault, FaultPlan } from "#whitewater/simulator/faults/fault.js";
import type { PreparedRun } from "#whitewater/simulator/prepared-run.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";

const simulator = new Simulator(present(scenarioNamed("word-count"), "the scenario exists"), await loadStateLibraries());
const FOOTER_BYTES = 56;
const FOOTERS = "host-1:table-footer";

/** A run whose checkpoints are increments of an LSM tree, with one subtask a host at most. */
function prepared(plan: FaultPlan): PreparedRun {
  const fixed = { parallelism: 1, backend: "lsm", restore: "incremental" } as const;
  const run = simulator.prepare({ seed: "7", profile: "swarm", fixed, plan, oracles: true, checked: false, maxSteps: 1_000_000 });
  if (!("world" in run)) throw new Error("the plan was refused");
  return run;
}

/** Writes to tables, by the checkpoint that their names say: "host:role checkpoint bytes". */
function writesOf(run: PreparedRun): readonly string[] {
  const writes: string[] = [];
  const { kernel } = run.world;
  kernel.on(PORT_TRACE.diskWritten, (_process, subject, x, y) => {
    const name = kernel.nameOf(subject);
    if (name.includes(":table")) writes.push(`${name} ${x} ${y}`);
  });
  run.runToEnd();
  return writes;
}

function atFooterOf(checkpoint: number): Fault["at"] {
  return { on: "event", event: "diskWritten", subject: FOOTERS, x: checkpoint, nth: 1, when: "before" };
}

describe("the table that is written for a checkpoint", () => {
  it("is known by it: every write of it, and its footer is the last and one of its own", () => {
    const writes = writesOf(prepared([]));
    const footers = writes.filter((write) => write.startsWith(FOOTERS));
    expect(footers.length).toBeGreaterThan(3);
    expect(footers.every((write) => write.endsWith(` ${FOOTER_BYTES}`))).toBe(true);
    const ofCheckpoint = writes.filter((write) => / 4 \d+$/.test(write));
    expect(ofCheckpoint.at(-1)).toBe(`${FOOTERS} 4 ${FOOTER_BYTES}`);
    expect(ofCheckpoint.slice(0, -1).every((write) => write.startsWith("host-1:table 4 "))).toBe(true);
  });

  it.each<readonly [string, Fault]>([
    ["an error after some of it was written", { id: "f", kind: "disk-error", code: "EIO", partBytes: 20, at: atFooterOf(4) }],
    ["a bit flip", { id: "f", kind: "disk-bit-flip", bit: 77, at: atFooterOf(4) }],
    ["a crash of the process", { id: "f", kind: "process-crash", process: "worker-1", at: atFooterOf(4) }],
    ["a loss of power that tears it", { id: "f", kind: "host-crash", host: "host-1", replace: false, at: atFooterOf(4) }],
  ])("can be hit at its footer, and nowhere else, by %s; the job survives", (_name, fault) => {
    const run = prepared([fault]);
    const { kernel } = run.world;
    const struck: string[] = [];
    kernel.on(PORT_TRACE.faultFired, (_process, subject) => struck.push(kernel.nameOf(subject)));
    run.runToEnd();
    const result = run.conclude();
    expect(kernel.faultOutcomes().map(({ outcome }) => outcome)).toEqual(["fired"]);
    expect(struck).toEqual([FOOTERS]);
    expect([result.verdict, result.findings]).toEqual(["ok", []]);
  });
});
