import { describe, expect, test } from "vitest";
import { ABORT_REASONS } from "#whitewater/engine/checkpoint/checkpoint-failure-manager.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { pointMark, pointPhrase, pointText, pointTone } from "#whitewater/reports/views/point-text.js";
import { PORT_TRACE, traceKindName } from "#whitewater/simulator/trace/kinds.js";

const KINDS = { ...TRACE, ...PORT_TRACE };

function phrase(kind: number, subject: string, x = 0, y = 0, named: string | null = null): string {
  return pointPhrase({ kind, event: traceKindName(kind) ?? "", subject, x, y, named });
}

describe("a trace point in words", () => {
  test.each(Object.entries(KINDS))("%s is a phrase of one line, with small and with missing numbers", (name, kind) => {
    const said = new Set<string>();
    for (const [x, y] of [[4, 1], [4, 0], [-1, -1], [-1, 812]] as const) {
      const words = phrase(kind, "sum[1]", x, y, null);
      expect(words).toMatch(/^[\x20-\x7e]{8,110}$/);
      expect(words).not.toMatch(/undefined|NaN|\$\{|  /);
      said.add(words);
    }
    expect(said).not.toContain(`${name} sum[1] 4 1`);
  });

  test.each(Object.entries(KINDS))("%s shows what is in a name as it is", (_name, kind) => {
    expect(phrase(kind, "\u001b[31msum\n", 4, 1, "beat\u202e")).not.toMatch(/[\u0000-\u001f\u202e]/);
  });

  test("no two kinds say the same", () => {
    const said = Object.values(KINDS).map((kind) => phrase(kind, "sum[1]", 4, 2, "heartbeat"));
    expect(new Set(said).size).toBe(said.length);
  });

  test.each([
    [TRACE.snapshotTaken, "sum[1]", 4, 0, null, "sum[1] took its snapshot of checkpoint 4"],
    [TRACE.checkpointCompleted, "jm-1", 4, 3, null, "jm-1 completed checkpoint 4 (attempt 3)"],
    [TRACE.checkpointAborted, "jm-1", 4, ABORT_REASONS.expired, null, "jm-1 gave checkpoint 4 up: it took too long"],
    [TRACE.checkpointRefused, "jm-1", 1, 0, null, "jm-1 lets a checkpoint wait: enough checkpoints are under way (1 pending)"],
    [TRACE.jobDeploying, "jm-1", 3, -1, null, "the job starts from the beginning (attempt 3, says jm-1)"],
    [TRACE.watermarkAdvanced, "sum[1]", Number.MAX_SAFE_INTEGER, 0, null, "sum[1] advanced its watermark to the end of time"],
    [TRACE.snapshotSerialized, "sum[1]", 4, 1, null, "sum[1] serializes its snapshot of checkpoint 4: 1 entry left"],
    [PORT_TRACE.processCrashed, "worker-2", 1, 0, null, "worker-2 crashed (incarnation 1)"],
    [PORT_TRACE.frameSent, "flights[0]", -1, 3, null, "flights[0] sent a buffer of 3 records"],
    [PORT_TRACE.frameSent, "flights[0]", 4, 0, null, "flights[0] sent the barrier of checkpoint 4"],
    [PORT_TRACE.rpcSent, "sum[1]", 4, 9, "acknowledge-checkpoint", "sent acknowledge-checkpoint of checkpoint 4, about sum[1]"],
    [PORT_TRACE.coordinationIssued, "jm-1", 5, 9, "job/checkpoints/4", "jm-1 asked Coordination to compare and set job/checkpoints/4"],
    [PORT_TRACE.logReplied, "counts", 2, -2, null, "the log answered: append failed, unknown whether done: counts"],
    [PORT_TRACE.userCall, "sum[1]", 2, 0, null, "sum[1] calls user code: a timer's function"],
    [PORT_TRACE.faultFired, "sum[1]", 0, 0, "process-crash", "fault 0 strikes: process-crash, at sum[1]"],
    [PORT_TRACE.diskWritten, "host-1:table", 4, 812, null, "host-1: wrote 812 bytes, table of checkpoint 4"],
  ] as const)("%i of %s: %s %s %s", (kind, subject, x, y, named, words) => expect(phrase(kind, subject, x, y, named)).toBe(words));

  test("every reason of an abort has words of its own", () => {
    const words = Object.values(ABORT_REASONS).map((reason) => phrase(TRACE.checkpointAborted, "jm-1", 4, reason));
    expect(new Set(words).size).toBe(words.length);
    expect(words.join()).not.toMatch(/number/);
  });

  test("stands behind its step, time and process", () => {
    const point = { index: 0, step: 612, atUs: 1_700_000, kind: TRACE.taskFailed, event: "taskFailed", subject: "sum[1]", x: 2, y: 0, process: "worker-2", named: null };
    expect(pointText(point)).toBe("   612   1.700s worker-2  sum[1] failed (attempt 2)");
    expect(pointText({ ...point, process: null })).toBe("   612   1.700s -         sum[1] failed (attempt 2)");
  });

  test("what went wrong has a mark, not a colour alone", () => {
    for (const kind of Object.values(KINDS)) expect(pointMark(kind)).toBe(pointTone(kind) === "bad" ? "!" : " ");
    expect(pointTone(PORT_TRACE.processCrashed)).toBe("bad");
    expect(pointTone(TRACE.checkpointCompleted)).toBe("good");
  });

  test("a number that is no kind is shown as it is", () => {
    expect(pointPhrase({ kind: 199_999, event: "199999", subject: "x", x: 1, y: 2, named: null })).toBe("199999 x 1 2");
  });
});
