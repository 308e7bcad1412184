import { expect, test } from "vitest";
import { present } from "#whitewater/engine/base/assert.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { Fault } from "#whitewater/simulator/faults/fault.js";
import type { PreparedRun } from "#whitewater/simulator/prepared-run.js";
import { Simulator } from "#whitewater/simulator/simulate.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";

const SLOW_US = 3_000_000;

function prepare(plan: readonly Fault[]): PreparedRun {
  const fixed = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 4 } as const;
  const run = new Simulator(wordCount).prepare({ seed: "1", profile: "calm", fixed, plan, oracles: true, checked: false, maxSteps: 1_000_000 });
  if ("verdict" in run) throw new Error(run.findings[0]?.message);
  return run;
}

/** The call that writes the record of a checkpoint: which one of its kind it is, and when it is made. */
function callOfRecord(key: string): { readonly call: number; readonly nth: number; readonly atUs: number } {
  const { world } = prepare([]);
  const { kernel } = world;
  const calls = new Map<number, number>();
  const found: { readonly call: number; readonly nth: number; readonly atUs: number }[] = [];
  kernel.on(PORT_TRACE.coordinationIssued, (_process, subject, call, keyNumber) => {
    if (kernel.nameOf(subject) !== "jm-1") return;
    const nth = (calls.get(call) ?? 0) + 1;
    calls.set(call, nth);
    if (kernel.nameOf(keyNumber) === key) found.push({ call, nth, atUs: kernel.nowUs });
  });
  while (found.length === 0 && world.step());
  world.release();
  return present(found[0], "the record is written");
}

test("a job that fails while a checkpoint is at its commit point starts again when that is decided, and from that checkpoint", () => {
  const { call, nth, atUs } = callOfRecord("job/checkpoints/4");
  const run = prepare([
    { id: "slow", kind: "coordination-slow", delayUs: SLOW_US, at: { on: "event", event: "coordinationIssued", subject: "jm-1", x: call, nth, when: "before" } },
    { id: "crash", kind: "process-crash", process: "worker-1", at: { on: "time", atUs: atUs + 1000 } },
  ]);
  const { kernel } = run.world;
  const events: { readonly what: string; readonly atUs: number }[] = [];
  kernel.on(TRACE.jobFailing, () => void events.push({ what: "failing", atUs: kernel.nowUs }));
  kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, from) => void events.push({ what: `from ${from}`, atUs: kernel.nowUs }));
  kernel.on(TRACE.checkpointCompleted, (_process, _subject, checkpointId) => {
    if (checkpointId === 4) events.push({ what: "completed 4", atUs: kernel.nowUs });
  });
  run.runToEnd();
  expect(run.conclude()).toMatchObject({ verdict: "ok", findings: [] });
  run.world.release();
  expect(events.map(({ what }) => what)).toEqual(["from -1", "failing", "completed 4", "from 4"]);
  const [, failing, completed, restart] = events.map((event) => event.atUs);
  // The restart delay of half a second was over long before.
  expect((completed ?? 0) - (failing ?? 0)).toBeGreaterThan(600_000);
  expect((restart ?? 0) - (completed ?? 0)).toBeLessThan(1000);
});
