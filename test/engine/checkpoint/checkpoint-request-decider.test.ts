import { CHECKPOINT, SAVEPOINT, type CheckpointProperties } from "#whitewater/engine/checkpoint/checkpoint-properties.js";
import {
  CheckpointRequestDecider,
  type CheckpointRequest,
  type CoordinatorSituation,
} from "#whitewater/engine/checkpoint/checkpoint-request-decider.js";
import { describe, expect, test } from "vitest";

const FORCED_CHECKPOINT: CheckpointProperties = { ...CHECKPOINT, isForced: true };
const CALM: CoordinatorSituation = { nowUs: 10_000, isTriggering: false, pending: 0, cleaning: 0, lastCompletionUs: 0 };

const periodic = (atUs: number): CheckpointRequest => ({ properties: CHECKPOINT, isPeriodic: true, atUs });
const asked = (atUs: number): CheckpointRequest => ({ properties: CHECKPOINT, isPeriodic: false, atUs });
const forced = (atUs: number): CheckpointRequest => ({ properties: FORCED_CHECKPOINT, isPeriodic: false, atUs });
const savepoint = (atUs: number): CheckpointRequest => ({ properties: SAVEPOINT, isPeriodic: false, atUs });

function deciderWith(requests: readonly CheckpointRequest[], maxConcurrent = 1, minPauseUs = 0): CheckpointRequestDecider {
  const decider = new CheckpointRequestDecider(maxConcurrent, minPauseUs);
  for (const request of requests) expect(decider.add(request)).toBeNull();
  return decider;
}

describe("the queue of checkpoint requests", () => {
  test("runs savepoints first, then forced requests, then those of people, then the older", () => {
    const inOrder = [savepoint(7), savepoint(8), forced(5), asked(4), asked(6), periodic(1), periodic(2)];
    const decider = deciderWith([periodic(2), asked(6), savepoint(8), periodic(1), forced(5), asked(4), savepoint(7)]);
    const run: CheckpointRequest[] = [];
    for (let i = 0; i < inOrder.length; i += 1) {
      const decision = decider.decide(CALM);
      if (decision.kind === "execute") run.push(decision.request);
    }
    expect(run).toEqual(inOrder);
    expect(decider.decide(CALM)).toEqual({ kind: "wait", reason: "empty" });
  });

  test("of requests that are alike the one that came first runs first", () => {
    const first = asked(3);
    const second = asked(3);
    const decision = deciderWith([first, second]).decide(CALM);
    expect(decision.kind === "execute" && decision.request === first).toBe(true);
  });

  test("runs nothing, not even a savepoint, while another checkpoint is being triggered", () => {
    const decider = deciderWith([savepoint(1)]);
    expect(decider.decide({ ...CALM, isTriggering: true })).toEqual({ kind: "wait", reason: "triggering" });
    expect(decider.queued).toHaveLength(1);
  });

  test("runs nothing while more checkpoints are being deleted than may run at once", () => {
    const decider = deciderWith([savepoint(1), periodic(2)], 2);
    expect(decider.decide({ ...CALM, cleaning: 3 })).toEqual({ kind: "wait", reason: "cleaning" });
    expect(decider.decide({ ...CALM, cleaning: 2 }).kind).toBe("execute");
  });

  test("at the limit of pending checkpoints runs a forced request alone, and only from the head", () => {
    const full = { ...CALM, pending: 2 };
    expect(deciderWith([periodic(1)], 2).decide(full)).toEqual({ kind: "wait", reason: "limit" });
    expect(deciderWith([periodic(1), savepoint(2)], 2).decide(full)).toMatchObject({ request: savepoint(2) });
    const unforced: CheckpointRequest = { properties: { ...SAVEPOINT, isForced: false }, isPeriodic: false, atUs: 1 };
    expect(deciderWith([unforced, forced(2)], 2).decide(full)).toEqual({ kind: "wait", reason: "limit" });
  });

  test("drops a periodic request that comes before the minimum pause, and says when the schedule may go on", () => {
    const decider = deciderWith([periodic(1)], 1, 5_000);
    const soon = { ...CALM, lastCompletionUs: 8_000 };
    expect(decider.decide(soon)).toEqual({ kind: "too-early", request: periodic(1), retryAfterUs: 3_000 });
    expect(decider.queued).toEqual([]);
    const due = deciderWith([periodic(1)], 1, 2_000).decide(soon);
    expect(due.kind).toBe("execute");
  });

  test("the minimum pause holds back no savepoint and no checkpoint that somebody asked for", () => {
    const soon = { ...CALM, lastCompletionUs: 9_999 };
    expect(deciderWith([savepoint(1)], 1, 5_000).decide(soon).kind).toBe("execute");
    expect(deciderWith([asked(1)], 1, 5_000).decide(soon).kind).toBe("execute");
  });

  test("a full queue lets go of a periodic request, and turns a new one away once it holds none", () => {
    const decider = new CheckpointRequestDecider(1, 0, 2);
    decider.add(periodic(1));
    decider.add(periodic(2));
    expect(decider.add(savepoint(3))).toEqual(periodic(2));
    expect(decider.add(savepoint(4))).toEqual(periodic(1));
    expect(decider.add(savepoint(5))).toEqual(savepoint(5));
    expect(decider.queued).toEqual([savepoint(3), savepoint(4)]);
    expect(decider.clear()).toHaveLength(2);
    expect(decider.queued).toEqual([]);
  });
});
