import { expect, test } from "vitest";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { deadAttemptsOracle } from "#whitewater/simulator/oracles/dead-attempts.js";
import { crashAt, crashOf, onEvent, WatchedWorld } from "./watched-world.js";

const ATTEMPT = 5000;

/** Points of the leader of a World that is running. */
function leaderOf(watched: WatchedWorld): (kind: Parameters<typeof watched.world.kernel.point>[1], x: number, y: number) => void {
  const leader = watched.processOf("jm-1");
  return (kind, x, y) => watched.world.kernel.point(leader, kind, leader.subject, x, y);
}

test("runs whose attempts die with checkpoints pending, or being committed, find nothing", () => {
  const plan = [
    crashOf("words[0]", 4),
    { kind: "process-crash", process: "worker-3", at: onEvent("coordinationApplied", "jm-1", 5, 22) },
    { kind: "process-crash", process: "worker-3", at: onEvent("blobPutApplied", "jm-1", 15) },
    crashAt("jm-1", 20_000_000),
  ] as const;
  expect(new WatchedWorld(deadAttemptsOracle, { plan }).verdict()).toBe("nothing");
});

test("a checkpoint that waits for a dead attempt is named, one that is being committed is not", () => {
  const watched = new WatchedWorld(deadAttemptsOracle).runUntil(5_000_000);
  const point = leaderOf(watched);
  for (const id of [901, 902, 903]) point(TRACE.checkpointTriggered, id, ATTEMPT);
  point(TRACE.checkpointAcked, 901, 0);
  point(TRACE.checkpointAcked, 902, 0);
  point(TRACE.attemptDead, ATTEMPT, 0);
  watched.runUntil(8_000_000);
  expect(watched.findings).toEqual([
    "checkpoint 902 is still pending at jm-1 after its attempt 5000 was declared dead, behind another whose record may be on its way",
    "checkpoint 903 is still pending at jm-1 after its attempt 5000 was declared dead, and waits for it",
  ]);
});

test("giving them up later in the same step is soon enough", () => {
  const watched = new WatchedWorld(deadAttemptsOracle).runUntil(5_000_000);
  const point = leaderOf(watched);
  point(TRACE.checkpointTriggered, 901, ATTEMPT);
  point(TRACE.attemptDead, ATTEMPT, 0);
  point(TRACE.checkpointAborted, 901, 4);
  expect(watched.runToEnd().findings).toEqual([]);
});

test("a checkpoint that is triggered for an attempt that died before is named", () => {
  const watched = new WatchedWorld(deadAttemptsOracle).runUntil(5_000_000);
  const point = leaderOf(watched);
  point(TRACE.attemptDead, ATTEMPT, 0);
  point(TRACE.checkpointTriggered, 901, ATTEMPT);
  expect(watched.findings).toEqual(["jm-1 triggered checkpoint 901 for attempt 5000, which it had declared dead"]);
});

test("where regions fail over alone, the death of one ends what all wait for, and no checkpoint follows before it is deployed again", () => {
  const watched = new WatchedWorld(deadAttemptsOracle, { scenario: "two-pipelines", failover: "region", calm: true });
  const deployed: number[] = [];
  watched.world.kernel.on(TRACE.jobDeploying, (_process, _subject, attempt) => void deployed.push(attempt));
  watched.runUntil(5_000_000);
  const [orders = 0, visits = 0] = deployed;
  expect(visits).toBe(orders + 1);
  const point = leaderOf(watched);
  point(TRACE.checkpointTriggered, 901, visits);
  point(TRACE.attemptDead, orders, 0);
  watched.runUntil(6_500_000);
  expect(watched.findings[0]).toBe(`checkpoint 901 is still pending at jm-1 after its attempt ${orders} was declared dead, and waits for it`);
  expect(watched.findings[1]).toMatch(/^jm-1 triggered checkpoint \d+ while a region was dead$/);
});

test("a commit that is never decided is named, unless its leader died", () => {
  const undecided = (kill: boolean): readonly string[] => {
    const watched = new WatchedWorld(deadAttemptsOracle).runUntil(5_000_000);
    const point = leaderOf(watched);
    point(TRACE.checkpointTriggered, 901, ATTEMPT);
    point(TRACE.checkpointAcked, 901, 0);
    point(TRACE.attemptDead, ATTEMPT, 0);
    if (kill) point(TRACE.leadershipLost, 1, 0);
    watched.runUntil(6_000_000);
    // The rest of the run is of no interest: only time goes by.
    watched.world.kernel.nowUs = 45_000_000;
    return watched.conclude("finished").findings;
  };
  expect(undecided(false)).toEqual(["checkpoint 901 was undecided at jm-1 for 15000000 us after its attempt 5000 was declared dead"]);
  expect(undecided(true)).toEqual([]);
});
