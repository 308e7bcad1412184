import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { RunRequest } from "#whitewater/simulator/run-result.js";
import type { ArrivingRecord, InputTopic, Scenario } from "#whitewater/simulator/scenario.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { FrameCache } from "#whitewater/reports/travel/frame-cache.js";
import type { RepeatableRun } from "#whitewater/simulator/timetravel/repeatable-run.js";
import { RunTape } from "#whitewater/simulator/timetravel/run-tape.js";
import { repeatableRun } from "#whitewater/simulator/timetravel/simulated-run.js";
import { TimeMachine } from "#whitewater/simulator/timetravel/time-machine.js";
import { median } from "./rounds.ts";

/** What seeking in one long run gave. */
export interface Sought {
  readonly name: string;
  readonly steps: number;
  readonly tracePoints: number;
  /** Of the first pass, with oracles. */
  readonly recordMilliseconds: number;
  /** Until a World waited at every waypoint. */
  readonly prepareMilliseconds: number;
  readonly kinds: readonly SoughtKind[];
}

export interface SoughtKind {
  readonly kind: string;
  readonly seeks: number;
  readonly medianMilliseconds: number;
  readonly worstMilliseconds: number;
}

const SEEKS = 200;
/** What somebody who looks at a screen leaves between two keys. */
const IDLE_MS = 100;
const STEPS_A_SLICE = 500;
/** Copies of the input one after the other, so that a run has some 100,000 steps. */
const COPIES = 28;

/** Seeks by paused Worlds, and for comparison by stepping a fresh World there each time. */
export function seekLongRun(): Sought {
  const scenario = longRun("word-count", COPIES);
  const request: RunRequest = { seed: "3", profile: "swarm", fixed: { backend: "heap", parallelism: 3, bufferElements: 1 }, plan: null, oracles: true, checked: false, maxSteps: 10_000_000 };
  const run = repeatableRun(new Simulator(scenario), request);
  if ("verdict" in run) throw new Error("the plan is refused");
  let startedMs = performance.now();
  const tape = RunTape.of(run);
  const recordMilliseconds = performance.now() - startedMs;
  startedMs = performance.now();
  const machine = new TimeMachine(run, tape);
  while (machine.prepare(STEPS_A_SLICE));
  const prepareMilliseconds = performance.now() - startedMs;
  const frames = new FrameCache(machine, (world) => world.processes.length);
  const kinds = [
    measured("anywhere, 100 ms apart", anywhere(tape.steps), (step) => machine.seek(step), () => idle(machine)),
    measured("one step back, 100 ms apart", backwards(tape.steps), (step) => frames.at(step), () => idle(machine)),
    measured("anywhere, one at once after the other", anywhere(tape.steps), (step) => machine.seek(step), () => undefined),
    measured("a fresh World each time", anywhere(tape.steps).slice(0, SEEKS / 4), (step) => rerun(run, step), () => undefined),
  ];
  if (machine.deviation !== null) throw new Error(`the run is not repeatable: step ${machine.deviation.step}`);
  machine.release();
  return { name: scenario.name, steps: tape.steps, tracePoints: tape.points, recordMilliseconds, prepareMilliseconds, kinds };
}

function measured(kind: string, steps: readonly number[], seek: (step: number) => void, between: () => void): SoughtKind {
  const times = steps.map((step) => {
    const startedMs = performance.now();
    seek(step);
    const tookMs = performance.now() - startedMs;
    between();
    return tookMs;
  });
  return { kind, seeks: times.length, medianMilliseconds: median(times), worstMilliseconds: Math.max(...times) };
}

/** Multiples of a number that has nothing in common with the length: spread over the run, near and far in turn. */
function anywhere(steps: number): readonly number[] {
  return Array.from({ length: SEEKS }, (_, index) => (index * 61_803 + 17) % (steps + 1));
}

function backwards(steps: number): readonly number[] {
  return Array.from({ length: SEEKS }, (_, index) => steps - 1 - index);
}

function idle(machine: TimeMachine): void {
  const startedMs = performance.now();
  while (performance.now() - startedMs < IDLE_MS && machine.prepare(STEPS_A_SLICE));
}

function rerun(run: RepeatableRun, step: number): void {
  const plain = run.plain();
  while (plain.world.kernel.stepNumber < step && plain.advance());
  plain.world.release();
}

/** A scenario with its input so many times over, one copy behind the other. */
function longRun(name: string, copies: number): Scenario {
  const scenario = scenarioNamed(name);
  if (scenario === null) throw new Error(`there is no scenario "${name}"`);
  return { ...scenario, name: `${name}, ${copies} times its input`, workload: (context) => scenario.workload(context).map((topic) => repeated(topic, copies)) };
}

function repeated({ topic, partitions }: InputTopic, copies: number): InputTopic {
  const lastUs = Math.max(...partitions.map((records) => records.at(-1)?.arrivesAtUs ?? 0));
  const later = (record: ArrivingRecord, copy: number): ArrivingRecord => ({
    ...record,
    arrivesAtUs: record.arrivesAtUs + copy * lastUs,
    timestampMs: record.timestampMs + Math.floor((copy * lastUs) / 1000),
  });
  return {
    topic,
    partitions: partitions.map((records) => Array.from({ length: copies }, (_, copy) => records.map((record) => later(record, copy))).flat()),
  };
}
