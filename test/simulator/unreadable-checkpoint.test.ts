import { expect, test } from "vitest";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import type { FaultPlan } from "#whitewater/simulator/faults/fault.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import { World } from "#whitewater/simulator/world/world.js";

const OPTIONS = { backend: "heap", mode: "aligned", restore: "full", failover: "job", parallelism: 2, parallelismAfter: 2, bufferElements: 16 } as const;
const CRASH_AT_US = 10_900_000;
const CRASH: FaultPlan = [{ id: "c", kind: "process-crash", process: "jm-1", at: { on: "time", atUs: CRASH_AT_US } }];

/** A job whose only JobManager is lost, and comes again. */
class Run {
  readonly world: World;
  /** What attempts started from. */
  readonly from: number[] = [];

  constructor() {
    const streams = new RandomStreams("1");
    const inputs = wordCount.workload({ options: OPTIONS, random: (label) => streams.stream(label) });
    this.world = new World({ scenario: wordCount, options: OPTIONS, seed: "1", calm: true, plan: CRASH, healAtUs: 300_000_000, inputs });
    this.world.kernel.on(TRACE.jobDeploying, (_process, _subject, _attempt, checkpointId) => void this.from.push(checkpointId));
  }

  runUntil(atUs: number): void {
    while (this.world.nowUs < atUs && !this.world.isOver && this.world.step());
    if (this.world.kernel.crash !== null) throw this.world.kernel.crash.error;
  }

  /** The latest checkpoint that has a record: its number, and where its metadata lies. */
  latest(): { readonly id: number; readonly key: string } {
    const records = this.world.coordination.registers("job/checkpoints/").filter(({ value }) => value !== null);
    const idOf = (key: string): number => Number(key.slice(key.lastIndexOf("/") + 1));
    const latest = records.toSorted((left, right) => idOf(left.key) - idOf(right.key)).at(-1);
    const { key } = JSON.parse(latest?.value ?? "null") as { readonly key: string };
    return { id: idOf(latest?.key ?? ""), key };
  }

  /** What the JobManager says of the job. */
  told(): readonly [phase: string | undefined, reason: string | null | undefined] {
    const living = this.world.processNamed("jm-1");
    const master = living?.kind === "job-manager" ? living.engine.master : null;
    return [master?.phase, master?.lastFailure];
  }
}

test.each(["gone", "damaged"] as const)("a new leader never passes over a completed checkpoint whose metadata is %s: it waits, and says for what", (how) => {
  const run = new Run();
  run.runUntil(CRASH_AT_US - 100_000);
  const { id, key } = run.latest();
  const { blobs } = run.world;
  const process = run.world.processNamed("jm-1")?.process;
  const bytes = blobs.peek(key);
  if (process === undefined || bytes === null) throw new Error("jm-1 lives, and its checkpoint is there");
  const damaged = bytes.slice();
  damaged[40] = (damaged[40] ?? 0) ^ 1;
  if (how === "gone") blobs.applyDelete(process, key);
  else blobs.applyPut(process, key, damaged);
  expect(run.latest().id).toBe(id);
  run.runUntil(60_000_000);
  expect(run.from).toEqual([-1]);
  expect(run.told()).toEqual(["recovering", `${key}: ${how === "gone" ? "not-found" : "checksum differs"}`]);
  blobs.applyPut(process, key, bytes);
  run.runUntil(120_000_000);
  expect(run.from).toEqual([-1, id]);
  expect(run.told()).toEqual(["finished", null]);
  expect(run.world.jobEnd?.status).toBe("finished");
  run.world.release();
});
