import { expect, test } from "vitest";
import type { SinkWriter, SinkWriterContext } from "#whitewater/engine/api/sink.js";
import { NO_CHECKPOINT } from "#whitewater/engine/base/units.js";
import { transactionOrigin } from "#whitewater/engine/connectors/sink-transaction.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { FakeProcess } from "../operators/fake-process.ts";
import type { FakeLog } from "./fake-log.ts";

/** One attempt of the sink's subtask 0, in a process of its own; attempts share the log. */
class Attempt {
  readonly process: FakeProcess;
  readonly writer: SinkWriter<number>;
  readonly errors: string[] = [];
  /** Outcomes of restore, prepare and commit, in the order reported. */
  readonly outcomes: (string | null)[] = [];
  readonly done = (error: string | null): void => void this.outcomes.push(error);

  constructor(attempt: number, log: FakeLog | null = null, place: Partial<SinkWriterContext> = {}) {
    this.process = new FakeProcess({ out: [[], []] }, log);
    const sink = new TransactionalLogSink<number>({ topic: "out", partitionOf: (value, partitions) => value % partitions });
    this.writer = sink.createWriter({
      ports: this.process.ports,
      operatorId: "sink",
      subtaskIndex: 0,
      parallelism: 1,
      attempt,
      restoredCheckpointId: null,
      highestParallelism: 1,
      subject: 7,
      onError: (message) => void this.errors.push(message),
      ...place,
    });
  }

  restore(committables: readonly unknown[] = []): this {
    this.writer.restore(committables, this.done);
    this.settle();
    return this;
  }

  write(...values: readonly number[]): void {
    for (const value of values) this.writer.write(value, 0);
  }

  /** Snapshot and prepare; returns the committables. */
  checkpoint(id: number): readonly unknown[] {
    const committables = this.writer.prepareSnapshot(id);
    this.writer.prepare(id, this.done);
    this.settle();
    return committables;
  }

  commit(id: number): void {
    this.writer.commit(id, this.done);
    this.settle();
  }

  settle(): void {
    this.process.advance(10_000_000);
  }

  get log(): FakeLog {
    return this.process.log;
  }

  get visible(): readonly unknown[] {
    return this.log.committed.map((record) => record.value);
  }
}

test("records become visible when the checkpoint completes, not before", () => {
  const attempt = new Attempt(1).restore();
  attempt.write(1, 2, 3);
  attempt.checkpoint(1);
  expect(attempt.visible).toEqual([]);
  expect([...attempt.log.transactions.values()].map(({ status }) => status)).toEqual(["prepared"]);
  attempt.commit(1);
  expect(attempt.log.committed).toEqual([
    { topic: "out", partition: 0, value: 2 },
    { topic: "out", partition: 1, value: 1 },
    { topic: "out", partition: 1, value: 3 },
  ]);
  expect(attempt.outcomes).toEqual([null, null, null]);
});

test("what can be looked at are the transactions that are not committed, with what is not handed over yet", () => {
  const attempt = new Attempt(1).restore();
  expect(attempt.writer.inspect?.()).toEqual([]);
  attempt.write(1, 2, 3);
  const [written] = attempt.writer.inspect?.() ?? [];
  expect(written).toMatchObject({ closedBy: null, state: "written", waitingRecords: 3 });
  expect(transactionOrigin(written?.transactionId ?? "")).toEqual({ attempt: 1, behind: NO_CHECKPOINT });
  attempt.checkpoint(1);
  attempt.write(4);
  expect(attempt.writer.inspect?.()).toMatchObject([
    { closedBy: 1, state: "prepared", waitingRecords: 0 },
    { closedBy: null, state: "written", waitingRecords: 1 },
  ]);
  expect(transactionOrigin(attempt.writer.inspect?.()[1]?.transactionId ?? "")).toEqual({ attempt: 1, behind: 1 });
  attempt.commit(1);
  expect(attempt.writer.inspect?.()).toHaveLength(1);
  expect(transactionOrigin("somebody else's")).toBeNull();
});

test("an interval without records has no transaction and is prepared at once", () => {
  const attempt = new Attempt(1).restore();
  expect(attempt.checkpoint(1)).toEqual([]);
  attempt.commit(1);
  expect(attempt.outcomes).toEqual([null, null, null]);
  expect(attempt.log.transactions.size).toBe(0);
});

test("a completed checkpoint commits what earlier, aborted ones left prepared, in checkpoint order", () => {
  const attempt = new Attempt(1).restore();
  attempt.write(2);
  attempt.checkpoint(1);
  attempt.write(4);
  expect(attempt.checkpoint(2)).toHaveLength(2);
  attempt.commit(2);
  expect(attempt.visible).toEqual([2, 4]);
  expect(attempt.process.points(TRACE.transactionPrepared).map((point) => point.x)).toEqual([1, 2]);
  expect(attempt.process.points(TRACE.transactionCommitted).map((point) => point.x)).toEqual([1, 2]);
});

test("records written after the snapshot belong to the next checkpoint", () => {
  const attempt = new Attempt(1).restore();
  attempt.write(2);
  attempt.writer.prepareSnapshot(1);
  attempt.write(4);
  attempt.writer.prepare(1, attempt.done);
  attempt.settle();
  attempt.commit(1);
  expect(attempt.visible).toEqual([2]);
});

test("many records of one partition keep their order over several appends", () => {
  const attempt = new Attempt(1).restore();
  const values = Array.from({ length: 200 }, (_, index) => index * 2);
  attempt.write(...values);
  attempt.log.fail("append", "unavailable", 2);
  attempt.checkpoint(1);
  attempt.commit(1);
  expect(attempt.visible).toEqual(values);
});

test("a successor commits what the checkpoint names and aborts the rest", () => {
  const first = new Attempt(1).restore();
  first.write(2);
  const committables = first.checkpoint(1);
  first.write(4);
  first.checkpoint(2);
  first.write(...Array.from({ length: 64 }, () => 6));
  first.process.advance(100_000);
  const second = new Attempt(2, first.log, { restoredCheckpointId: 1 }).restore(committables);
  expect(second.outcomes).toEqual([null]);
  expect(second.visible).toEqual([2]);
  expect([...second.log.transactions.values()].map(({ status }) => status)).toEqual(["committed", "aborted", "aborted"]);
  expect(second.process.points(TRACE.transactionAborted)).toHaveLength(1);
});

test("restoring commits idempotently what was committed before the failure", () => {
  const first = new Attempt(1).restore();
  first.write(2);
  const committables = first.checkpoint(1);
  first.commit(1);
  const second = new Attempt(2, first.log, { restoredCheckpointId: 1 }).restore(committables);
  const third = new Attempt(3, second.log, { restoredCheckpointId: 1 }).restore(committables);
  expect(third.outcomes).toEqual([null]);
  expect(third.visible).toEqual([2]);
});

test("after a change of parallelism each subtask commits what it got and aborts only what no checkpoint knows", () => {
  const two = { parallelism: 2, highestParallelism: 2 };
  const [zero, one] = [new Attempt(1, null, two), new Attempt(1, null, { ...two, subtaskIndex: 1 })];
  const log = zero.restore().log;
  const other = new Attempt(1, log, { ...two, subtaskIndex: 1 }).restore();
  zero.write(2);
  other.write(4);
  const promised = [...zero.checkpoint(1), ...other.checkpoint(1)];
  other.write(6);
  other.checkpoint(2);
  // Subtask 0 gets the committable of the other, which begins first and must leave it alone.
  const after = { ...two, restoredCheckpointId: 1 };
  const successorOfOther = new Attempt(2, log, { ...after, subtaskIndex: 1 }).restore([]);
  expect([successorOfOther.outcomes, successorOfOther.visible]).toEqual([[null], []]);
  const successor = new Attempt(2, log, after).restore(promised);
  expect(successor.visible.toSorted()).toEqual([2, 4]);
  expect([...log.transactions.values()].map(({ status }) => status).toSorted()).toEqual(["aborted", "committed", "committed"]);
  expect(one.outcomes).toEqual([]);
});

test("a subtask that is gone is fenced and settled by one that is left", () => {
  const gone = new Attempt(1, null, { subtaskIndex: 1, parallelism: 2, highestParallelism: 2 }).restore();
  gone.checkpoint(1);
  gone.write(2);
  gone.checkpoint(2);
  const left = new Attempt(2, gone.log, { parallelism: 1, highestParallelism: 2, restoredCheckpointId: 1 }).restore();
  expect([...left.log.transactions.values()].map(({ status }) => status)).toEqual(["aborted"]);
  gone.write(4);
  gone.checkpoint(3);
  expect(gone.errors).toHaveLength(1);
});

test("transaction ids of different attempts differ", () => {
  const first = new Attempt(1).restore();
  first.write(2);
  first.checkpoint(1);
  const second = new Attempt(2, first.log).restore();
  second.write(2);
  second.checkpoint(2);
  expect(second.log.transactions.size).toBe(2);
  second.commit(2);
  expect(second.visible).toEqual([2]);
});

test("a zombie that restores late does not abort what its successor prepared", () => {
  const zombie = new Attempt(1);
  const successor = new Attempt(2, zombie.log).restore();
  successor.write(2);
  successor.checkpoint(1);
  zombie.restore();
  successor.commit(1);
  expect(successor.visible).toEqual([2]);
});

test("a restored transaction that the log aborted is reported as a loss", () => {
  const first = new Attempt(1).restore();
  first.write(2);
  const committables = first.checkpoint(1);
  for (const transaction of first.log.transactions.values()) transaction.status = "aborted";
  const second = new Attempt(2, first.log, { restoredCheckpointId: 1 }).restore(committables);
  expect(second.outcomes[0]).toMatch(/aborted .*lost/);
});

test.each(["openProducer", "pending", "prepare", "commit"] as const)(
  "an ambiguous %s is repeated, without writing anything twice",
  (call) => {
    const attempt = new Attempt(1);
    attempt.log.fail(call, "unknown", 1, true);
    attempt.restore();
    attempt.write(2);
    attempt.checkpoint(1);
    attempt.commit(1);
    expect(attempt.outcomes).toEqual([null, null, null]);
    expect(attempt.errors).toEqual([]);
    expect(attempt.visible).toEqual([2]);
    expect(attempt.log.count(call)).toBe(2);
  },
);

test("an ambiguous append is not repeated: it fails the task", () => {
  const attempt = new Attempt(1).restore();
  attempt.log.fail("append", "unknown", 1, true);
  attempt.write(2);
  attempt.checkpoint(1);
  expect(attempt.log.count("append")).toBe(1);
  expect(attempt.errors).toHaveLength(1);
  expect(attempt.outcomes[1]).toMatch(/appending .* failed: unknown/);
});

test("a prepare that stays unavailable declines the checkpoint; the next one brings the records", () => {
  const attempt = new Attempt(1).restore();
  attempt.write(2);
  attempt.log.fail("prepare", "unavailable", 4);
  attempt.checkpoint(1);
  expect(attempt.outcomes[1]).toMatch(/preparing .* failed: unavailable/);
  expect(attempt.errors).toEqual([]);
  attempt.checkpoint(2);
  attempt.commit(2);
  expect(attempt.visible).toEqual([2]);
});

test.each(["aborted", "fenced"] as const)("a transaction found %s when it is prepared fails the task", (code) => {
  const attempt = new Attempt(1).restore();
  attempt.write(2);
  attempt.log.fail("prepare", code);
  attempt.checkpoint(1);
  expect(attempt.errors).toHaveLength(1);
  expect(attempt.outcomes[1]).toContain(code);
});

test("a commit that stays unavailable is reported after a bounded number of attempts", () => {
  const attempt = new Attempt(1).restore();
  attempt.write(2);
  attempt.checkpoint(1);
  attempt.log.fail("commit", "unavailable", 100);
  attempt.commit(1);
  expect(attempt.log.count("commit")).toBe(4);
  expect(attempt.outcomes[2]).toMatch(/committing .* failed: unavailable/);
});

test("a fenced attempt makes nothing visible and fails", () => {
  const first = new Attempt(1).restore();
  new Attempt(2, first.log).restore();
  first.write(2);
  first.checkpoint(1);
  expect(first.errors).toHaveLength(1);
  expect(first.visible).toEqual([]);
});

test("after close nothing is repeated and nothing reported", () => {
  const attempt = new Attempt(1).restore();
  attempt.write(2);
  attempt.log.fail("prepare", "unavailable", 100);
  attempt.writer.prepareSnapshot(1);
  attempt.writer.prepare(1, attempt.done);
  attempt.process.advance(3000);
  const before = attempt.log.calls.length;
  attempt.writer.close();
  attempt.settle();
  expect(attempt.log.calls.length).toBe(before);
  expect(attempt.outcomes).toEqual([null]);
  expect(attempt.errors).toEqual([]);
});

test("a partition outside the topic is refused by name", () => {
  const process = new FakeProcess({ out: [[]] });
  const sink = new TransactionalLogSink<number>({ topic: "out", partitionOf: () => 3 });
  const writer = sink.createWriter({
    ports: process.ports,
    operatorId: "sink",
    subtaskIndex: 0,
    parallelism: 1,
    attempt: 1,
    restoredCheckpointId: null,
    highestParallelism: 1,
    subject: 0,
    onError: () => undefined,
  });
  writer.restore([], () => undefined);
  process.advance(1_000_000);
  expect(() => writer.write(1, 0)).toThrow(/out gave 3 of 1 partitions/);
});
