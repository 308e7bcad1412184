import fc from "fast-check";
import { isKeyed } from "#whitewater/engine/graph/keyed-node.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { JOB_SHAPES } from "#whitewater/scenarios/matrix/job-shapes.js";
import { cellName, MATRIX, optionsOfCell, type MatrixCell } from "#whitewater/simulator/explore/matrix.js";
import type { Fault, FaultPlan } from "#whitewater/simulator/faults/fault.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { RunOptions, Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";

/** What goes wrong, when: in numbers, so that it shrinks. */
export interface DrawnFault {
  readonly kind: "process-crash" | "host-crash" | "process-pause" | "user-exception" | "blob-outage" | "disk-loss";
  /** Number of the process, or of its host: 0 is the JobManager. */
  readonly process: number;
  readonly atMs: number;
  readonly durationMs: number;
}

/** A run of any job in any combination. */
export interface DrawnRun {
  /** Index in JOB_SHAPES. */
  readonly shape: number;
  /** Index in MATRIX. */
  readonly cell: number;
  readonly seed: number;
  readonly bufferElements: number;
  readonly faults: readonly DrawnFault[];
  /** When the parallelism changes, where the cell says so. */
  readonly rescaleAtMs: number;
}

/** Records of primitives alone: fast-check can shrink any of them, without having generated it. */
export function anyRun(mostFaults: number): fc.Arbitrary<DrawnRun> {
  const fault = fc.record({
    kind: fc.constantFrom("process-crash", "host-crash", "process-pause", "user-exception", "blob-outage", "disk-loss"),
    process: fc.nat(2),
    atMs: fc.integer({ min: 200, max: 5000 }),
    durationMs: fc.integer({ min: 10, max: 1500 }),
  }) satisfies fc.Arbitrary<DrawnFault>;
  return fc.record({
    shape: fc.nat(JOB_SHAPES.length - 1),
    cell: fc.nat(MATRIX.length - 1),
    seed: fc.nat(999_999),
    bufferElements: fc.constantFrom(1, 4, 16),
    faults: fc.array(fault, { maxLength: mostFaults }),
    rescaleAtMs: fc.integer({ min: 1200, max: 3500 }),
  });
}

export const libraries: StateLibraries = await loadStateLibraries();
const simulators = new Map<Scenario, Simulator>();

export function cellOf(run: DrawnRun): MatrixCell {
  return MATRIX[run.cell] as MatrixCell;
}

export function scenarioOf({ shape }: DrawnRun): Scenario {
  return JOB_SHAPES[shape] as Scenario;
}

export function simulatorOf(run: DrawnRun): Simulator {
  const scenario = scenarioOf(run);
  const simulator = simulators.get(scenario) ?? new Simulator(scenario, libraries);
  simulators.set(scenario, simulator);
  return simulator;
}

/** `changes`: what another run does otherwise. */
export function requestOf(run: DrawnRun, changes: Partial<RunOptions> = {}): RunRequest {
  const fixed = { ...optionsOfCell(cellOf(run)), bufferElements: run.bufferElements, ...changes };
  return { seed: String(run.seed), profile: "matrix", fixed, plan: planOf(run), oracles: true, checked: false, maxSteps: 2_000_000 };
}

/** Throws what fast-check found, with the shrunk run in words. */
export function reportFailure(failed: fc.RunDetails<[DrawnRun]>): void {
  if (!failed.failed) return;
  const [run] = failed.counterexample ?? [];
  const shown = run === undefined ? "no counterexample" : describeRun(run);
  throw new Error(`seed ${failed.seed}, path ${failed.counterexamplePath}, shrunk ${failed.numShrinks} times\n${shown}\n${String(failed.errorInstance)}`);
}

function describeRun(run: DrawnRun): string {
  return `${scenarioOf(run).name} in ${cellName(cellOf(run))}: ${JSON.stringify(run)}`;
}

function planOf(run: DrawnRun): FaultPlan {
  const { job } = scenarioOf(run);
  const operator = job({ bufferElements: 1, ...optionsOfCell(cellOf(run)) } as RunOptions).nodes.find(isKeyed)?.name ?? "";
  const faults = run.faults.map((fault, index) => faultOf(fault, `f${index + 1}`, operator));
  const { parallelism, parallelismAfter } = optionsOfCell(cellOf(run));
  if (parallelismAfter === undefined || parallelism === parallelismAfter) return faults;
  return [...faults, { id: "rescale", kind: "rescale", parallelism: parallelismAfter, at: { on: "time", atUs: run.rescaleAtMs * 1000 } }];
}

function faultOf({ kind, process, atMs, durationMs }: DrawnFault, id: string, operator: string): Fault {
  const at = { on: "time", atUs: atMs * 1000 } as const;
  const name = process === 0 ? "jm-1" : `worker-${process}`;
  const host = process === 0 ? "jm-host-1" : `host-${process}`;
  switch (kind) {
    case "process-crash":
      return { id, at, kind, process: name };
    case "host-crash":
      return { id, at, kind, host, replace: durationMs % 2 === 0 };
    case "process-pause":
      return { id, at, kind, process: name, durationUs: durationMs * 1000 };
    case "blob-outage":
      return { id, at, kind, errorPercent: 60, durationUs: durationMs * 1000 };
    case "disk-loss":
      return { id, at, kind, host };
    case "user-exception":
      // In the first subtask of a keyed operator, so many calls after the start.
      return { id, kind, at: { on: "event", event: "userCall", subject: `${operator}[0]`, x: null, nth: 1 + Math.floor(atMs / 100), when: "before" } };
  }
}
