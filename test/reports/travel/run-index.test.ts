import { beforeAll, describe, expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { checkpointStateAt, decisionOf, placeOfCheckpoint } from "#whitewater/reports/travel/checkpoint-span.js";
import * as navigation from "#whitewater/reports/travel/navigation.js";
import { parsePlace } from "#whitewater/reports/travel/place.js";
import { findingsOf, type RunIndex, runIndexOf } from "#whitewater/reports/travel/run-index.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { scenarioNamed } from "#whitewater/scenarios/registry.js";
import type { Finding } from "#whitewater/simulator/run-result.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { RunTape, type TapePoint } from "#whitewater/simulator/timetravel/run-tape.js";
import { repeatableRun } from "#whitewater/simulator/timetravel/simulated-run.js";

let libraries: StateLibraries;
beforeAll(async () => {
  libraries = await loadStateLibraries();
});

const tapes = new Map<string, RunTape>();

function tapeOf(name: string, seed: string): RunTape {
  const known = tapes.get(`${name}@${seed}`);
  if (known !== undefined) return known;
  const simulator = new Simulator(present(scenarioNamed(name), "the scenario exists"), libraries);
  const request = { seed, profile: "swarm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 } as const;
  const run = repeatableRun(simulator, request);
  if ("verdict" in run) throw new Error("the plan is accepted");
  const tape = RunTape.of(run);
  tapes.set(`${name}@${seed}`, tape);
  return tape;
}

function pointsNamed({ tape }: RunIndex, ...events: readonly string[]): readonly TapePoint[] {
  return [...Array(tape.points).keys()].map((index) => tape.pointAt(index)).filter(({ event }) => events.includes(event));
}

function those(steps: readonly (number | null)[]): readonly number[] {
  return steps.filter((step) => step !== null);
}

// With restarts and aborts; with a change of leaders; with two versions of the job, and a checkpoint that nobody decides.
const RUNS = [
  ["flights", "4"],
  ["leader-failover", "5"],
  ["rolling-upgrade", "6"],
] as const;

describe.each(RUNS)("the index of %s@%s", (name, seed) => {
  let index: RunIndex;
  beforeAll(() => {
    index = runIndexOf(tapeOf(name, seed));
  });

  test("is made once for a tape", () => expect(runIndexOf(index.tape)).toBe(index));

  test("has each checkpoint with the steps at which something became of it", () => {
    const { checkpoints } = index;
    const steps = (...events: readonly string[]): readonly (readonly [number, number])[] => pointsNamed(index, ...events).map(({ x, step }) => [x, step]);
    const marked = (stepOf: (span: (typeof checkpoints)[number]) => number | null): readonly (readonly [number, number])[] =>
      checkpoints.flatMap((span): readonly (readonly [number, number])[] => {
        const step = stepOf(span);
        return step === null ? [] : [[span.checkpointId, step]];
      });
    const sorted = (pairs: readonly (readonly [number, number])[]): unknown => [...pairs].sort((left, right) => left[0] - right[0]);
    expect(checkpoints.length).toBeGreaterThan(5);
    expect(marked(({ triggerStep }) => triggerStep)).toEqual(steps("checkpointTriggered"));
    expect(sorted(marked(({ completeStep }) => completeStep))).toEqual(sorted(steps("checkpointCompleted", "savepointCompleted")));
    expect(sorted(marked(({ abortStep }) => abortStep))).toEqual(sorted(steps("checkpointAborted")));
    expect(sorted(marked(({ subsumeStep }) => subsumeStep))).toEqual(sorted(steps("checkpointSubsumed")));
    expect(checkpoints.filter(({ isSavepoint }) => isSavepoint)).toHaveLength(pointsNamed(index, "savepointCompleted").length);
  });

  test("has the acknowledgements of each, by the subtasks that gave them", () => {
    const acked = pointsNamed(index, "checkpointAcked");
    expect(index.checkpoints.flatMap(({ acks }) => acks.map(({ step, missing }) => [step, missing])).sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(
      acked.map(({ step, y }) => [step, y]),
    );
    const tasks = new Set(pointsNamed(index, "taskDeployed").map(({ subject }) => subject));
    for (const { acks, completeStep } of index.checkpoints) {
      const subtasks = acks.map(({ subtask }) => subtask);
      expect(new Set(subtasks).size).toBe(subtasks.length);
      for (const subtask of subtasks) expect(tasks).toContain(subtask);
      if (completeStep !== null) expect(acks.at(-1)?.missing).toBe(0);
    }
  });

  test("says what a checkpoint was at any step", () => {
    for (const span of index.checkpoints) {
      const { triggerStep, subsumeStep } = span;
      expect(checkpointStateAt(span, triggerStep - 1)).toBeNull();
      const decided = decisionOf(span);
      if (decided === null) continue;
      if (decided > triggerStep) expect(checkpointStateAt(span, decided - 1)).toBe("running");
      expect(checkpointStateAt(span, decided)).toMatch(/complete|aborted|abandoned/);
      if (subsumeStep !== null) expect(checkpointStateAt(span, subsumeStep)).toBe("subsumed");
      expect(placeOfCheckpoint(span)).toBe(parsePlace(`ckpt ${span.checkpointId}`, index.tape));
    }
  });

  test("has the points of each checkpoint, and no others", () => {
    for (const { points, checkpointId, acks } of index.checkpoints) {
      expect(points).toEqual([...points].sort((left, right) => left - right));
      for (const point of points) expect(index.tape.xOf(point)).toBe(checkpointId);
      expect(points.filter((point) => index.tape.pointAt(point).event === "checkpointAcked")).toHaveLength(acks.length);
    }
  });

  test("has what fired, restarted, was deployed, died and led", () => {
    const { result } = index.tape;
    const fired = result.faults.filter(({ outcome }) => outcome === "fired");
    expect(index.faults.map(({ fault, step }) => [fault.id, step]).sort()).toEqual(fired.map(({ id, step }) => [id, step]).sort());
    expect(index.faults.length).toBeGreaterThan(0);
    expect(index.restarts).toHaveLength(result.restarts);
    expect(index.deployments.map(({ step, attempt }) => [step, attempt])).toEqual(pointsNamed(index, "jobDeploying").map(({ step, x }) => [step, x]));
    expect(those(index.deployments.map(({ runningStep }) => runningStep))).toEqual(pointsNamed(index, "jobRunning").map(({ step }) => step));
    expect(those(index.deployments.map(({ deadStep }) => deadStep)).length).toBe(pointsNamed(index, "attemptDead").length);
    expect(index.deaths).toHaveLength(pointsNamed(index, "processCrashed", "processStopped", "hostCrashed", "diskLost").length);
    expect(index.leaders.map(({ leader, epoch }) => [leader, epoch])).toEqual(pointsNamed(index, "leadershipGained").map(({ subject, x }) => [subject, x]));
    // Who leads when the job is over finds nothing to do; before that the last one alone was never deposed.
    const endStep = present(index.end, "the job ended").step;
    const lasting = index.leaders.filter(({ step, lostStep }) => step < endStep && lostStep === null);
    expect(lasting).toEqual([index.leaders.filter(({ step }) => step < endStep).at(-1)]);
    expect(index.end).toEqual(expect.objectContaining({ status: "finished", step: pointsNamed(index, "jobFinished").at(-1)?.step }));
  });

  test("has every point once, by its subject", () => {
    let points = 0;
    for (const [subject, list] of index.subjects) {
      points += list.length;
      expect(list.filter((point) => index.tape.subjectOf(point) !== subject)).toEqual([]);
    }
    expect(points).toBe(index.tape.points);
  });

  test("is a way from checkpoint to checkpoint, fault to fault, and event to event of a subject", () => {
    const all = (next: (index: RunIndex, step: number) => number | null, from: number): readonly number[] => {
      const steps: number[] = [];
      for (let step = next(index, from); step !== null && steps.length <= index.tape.steps; step = next(index, step)) steps.push(step);
      return steps;
    };
    const places = (steps: readonly number[]): readonly number[] => [...new Set(steps)].sort((left, right) => left - right);
    const { steps } = index.tape;
    const checkpoints = places(index.checkpoints.map(placeOfCheckpoint));
    expect(all(navigation.nextCheckpoint, -1)).toEqual(checkpoints);
    expect(all(navigation.previousCheckpoint, steps + 1)).toEqual(checkpoints.toReversed());
    const faults = places(index.faults.map(({ step }) => step));
    expect(all(navigation.nextFault, 0)).toEqual(faults.filter((step) => step > 0));
    expect(all(navigation.previousFault, steps + 1)).toEqual(faults.toReversed());
    const [subject] = [...index.subjects.keys()].filter((one) => one.endsWith("[0]"));
    const name = present(subject, "there is a subtask");
    const events = places(present(index.subjects.get(name), "it has points").map((point) => index.tape.stepOf(point)));
    expect(all((of, step) => navigation.nextEventOf(of, name, step), 0)).toEqual(events.filter((step) => step > 0));
    expect(all((of, step) => navigation.previousEventOf(of, name, step), steps)).toEqual(events.filter((step) => step < steps).toReversed());
    expect(navigation.nextEventOf(index, "nobody", 0)).toBeNull();
    expect(navigation.previousEventOf(index, "nobody", steps)).toBeNull();
  });
});

test("a checkpoint whose leader goes before it is decided is abandoned there", () => {
  const { checkpoints, tape } = runIndexOf(tapeOf("rolling-upgrade", "6"));
  const abandoned = checkpoints.filter(({ completeStep, abortStep }) => completeStep === null && abortStep === null);
  expect(abandoned.length).toBeGreaterThan(0);
  for (const span of abandoned) {
    const step = present(span.abandonStep, "its leader is gone");
    expect(tape.pointsOf(step).some(({ event, subject }) => subject === span.leader && /leadershipLost|process(Crashed|Stopped)/.test(event))).toBe(true);
    expect(checkpointStateAt(span, tape.steps)).toBe("abandoned");
  }
});

test("findings stand in the order of their steps, and none behind the end", () => {
  const tape = tapeOf("flights", "4");
  const finding = (oracle: string, step: number): Finding => ({ oracle, message: "something", step, atUs: step * 10 });
  const findings = [finding("b", 70), finding("a", 30), finding("c", tape.steps + 5), finding("d", 30)];
  const index = { ...runIndexOf(tape), findings: findingsOf({ result: { ...tape.result, findings }, steps: tape.steps }) };
  expect(index.findings.map(({ step, index: number }) => [step, number])).toEqual([[30, 1], [30, 3], [70, 0], [tape.steps, 2]]);
  expect(navigation.nextFinding(index, 0)).toBe(30);
  expect(navigation.nextFinding(index, 30)).toBe(70);
  expect(navigation.previousFinding(index, 70)).toBe(30);
  expect(navigation.previousFinding(index, 30)).toBeNull();
  expect(navigation.nextFinding(index, tape.steps)).toBeNull();
});
