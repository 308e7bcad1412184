import { afterEach, expect, test, vi } from "vitest";
import { TaskCheckpointing } from "#whitewater/engine/runtime/task-checkpointing.js";
import type { ControlMessage } from "#whitewater/engine/runtime/messages.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { TransactionWriter } from "#whitewater/engine/connectors/transaction-writer.js";
import { notificationsOracle } from "#whitewater/simulator/oracles/notifications.js";
import { crashAt, crashOf, onEvent, WatchedWorld } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test("runs with a worker and a leader that crash between the steps of a commit find nothing", () => {
  const plan = [
    { kind: "process-crash", process: null, at: onEvent("transactionPrepared", "counts[0]", 3) },
    { kind: "process-crash", process: "jm-1", at: onEvent("coordinationApplied", "jm-1", 5, 20) },
    crashAt("worker-2", 18_000_000),
  ] as const;
  expect(new WatchedWorld(notificationsOracle, { plan }).verdict()).toBe("nothing");
});

test("a completion that is announced without a record", () => {
  const watched = new WatchedWorld(notificationsOracle).runUntil(6_000_000);
  const message: ControlMessage = {
    kind: "notify-complete",
    subject: 0,
    checkpointId: 77,
    epoch: 1,
    id: { attempt: 4097, vertex: 0, subtask: 0 },
    isFinal: false,
  };
  watched.engineOf("jm-1").engine.ports.network.cast("worker-1", message);
  expect(watched.findings).toEqual(["jm-1 announces checkpoint 77 as complete, which has no record"]);
});

test("a listener that hears of a checkpoint twice, or of the one it was restored from", () => {
  vi.spyOn(TaskCheckpointing.prototype, "acceptsCompletion").mockImplementation(() => true);
  const plan = [
    { kind: "rpc-duplicate", delayUs: 50_000, at: onEvent("rpcSent", "sum -> counts[0]", 3, 2) },
    { kind: "rpc-duplicate", delayUs: 50_000, at: onEvent("rpcSent", "sum -> counts[0]", 4, 2) },
  ] as const;
  const watched = new WatchedWorld(notificationsOracle, { plan }).runUntil(8_000_000);
  expect(watched.findings[0]).toMatch(/^sum -> counts\[0\], attempt \d+, is notified of checkpoint \d after it was notified of \d$/);

  const restored = new WatchedWorld(notificationsOracle, { plan: [crashOf("words[0]", 6)] });
  const { kernel } = restored.world;
  kernel.on(TRACE.taskRestored, (process, subject, _attempt, from) => {
    if (from >= 0) kernel.point(process, TRACE.checkpointNotified, subject, from, 0);
  });
  restored.runUntil(9_500_000);
  expect(restored.findings[0]).toMatch(/, attempt 4098, is notified of checkpoint (\d) after it was restored from \1$/);
});

test("a transaction that is committed as soon as it is prepared", () => {
  const prepare = TransactionWriter.prototype.prepare;
  const watched = new WatchedWorld(notificationsOracle);
  vi.spyOn(TransactionWriter.prototype, "prepare").mockImplementation(function (this: TransactionWriter, id, transactions, done) {
    prepare.call(this, id, transactions, (error) => {
      for (const { producerId, transactionId } of transactions) {
        watched.engineOf("worker-1").engine.ports.log.commit(producerId, transactionId, () => undefined);
      }
      done(error);
    });
  });
  watched.runUntil(6_000_000);
  expect(watched.findings[0]).toMatch(/^worker-1 committed the transaction counts\/counts-\d\/\S+-1, but no checkpoint is complete$/);
});
