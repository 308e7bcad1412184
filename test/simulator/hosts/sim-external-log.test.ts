import { describe, expect, it } from "vitest";
import type { ExternalLog, LogReply, ProducerSession } from "#whitewater/engine/ports/external-log.js";
import { SimExternalLog } from "#whitewater/simulator/hosts/sim-external-log.js";
import { LOG_CALLS, PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { bytesOf, FakeKernel, textOf } from "./fake-kernel.ts";

const TIMEOUT_US = 100_000;

function log() {
  const kernel = new FakeKernel();
  const visible: string[] = [];
  const seen: string[] = [];
  const record = (arrivesAtUs: number) => ({ arrivesAtUs, timestampMs: arrivesAtUs / 1000, value: arrivesAtUs });
  const external = new SimExternalLog(
    kernel,
    {
      inputs: [{ topic: "in", partitions: [[record(0), record(5000), record(5000), record(9000)], []] }],
      outputs: [{ topic: "out", partitions: 2, keyOf: null }],
      transactionTimeoutUs: TIMEOUT_US,
    },
    [
      {
        onVisible: (_topic, partition, offset, records, transaction) =>
          void visible.push(`${partition}/${offset} ${transaction}: ${records.map(textOf).join(",")}`),
        onProducerOpened: (process, { producerId, epoch }) =>
          void seen.push(`${process.name} opened ${producerId}@${epoch}`),
        onAppend: (process, { epoch }, transaction, _topic, partition, offset) =>
          void seen.push(`${process.name}@${epoch} appended ${transaction} ${partition}/${offset}`),
        onPrepare: (process, { epoch }, transaction) =>
          void seen.push(`${process.name}@${epoch} prepared ${transaction}`),
        onCommit: (process, _producer, transaction) => void seen.push(`${process.name} committed ${transaction}`),
        onAbort: (process, _producer, transaction, reason) =>
          void seen.push(`${process?.name ?? "log"} aborted ${transaction} ${reason}`),
        onRefused: (process, call, _producer, transaction, code) =>
          void seen.push(`${process.name} refused ${call} ${transaction} ${code}`),
      },
    ],
  );
  const worker = kernel.process("worker");
  const port = external.portFor(worker);
  /** Runs one call to its reply. */
  const ask = <T>(call: (done: (reply: LogReply<T>) => void) => void): T | string => {
    let got: T | string = "no reply";
    kernel.inStep(() => call((reply) => (got = reply.ok ? reply.value : reply.code)));
    kernel.run(kernel.nowUs + 1000);
    return got;
  };
  const open = (at: ExternalLog = port): ProducerSession =>
    ask<ProducerSession>((done) => at.openProducer("sink", done)) as ProducerSession;
  const append = (session: ProducerSession, transaction: string, words: string, partition = 0) =>
    ask<null>((done) => port.append(session, transaction, "out", partition, words.split(",").map(bytesOf), done));
  const prepare = (session: ProducerSession, transaction: string) =>
    ask<null>((done) => port.prepare(session, transaction, done));
  const commit = (transaction: string) => ask<null>((done) => port.commit("sink", transaction, done));
  const abort = (transaction: string) => ask<null>((done) => port.abort("sink", transaction, done));
  const pending = () => ask<unknown>((done) => port.pending("sink", done));
  return { kernel, external, port, worker, visible, seen, ask, open, append, prepare, commit, abort, pending };
}

describe("input topics", () => {
  const fetched = (offset: number, limit: number, waitUs: number, partition = 0) => {
    const { kernel, port } = log();
    const replies: unknown[] = [];
    port.fetch("in", partition, offset, limit, waitUs, (reply) => {
      const { records, nextOffset, ended } = reply.ok ? reply.value : { records: [], nextOffset: -1, ended: false };
      replies.push([kernel.nowUs, records.map(({ value }) => value), nextOffset, ended]);
    });
    expect(kernel.pendingEvents).toBe(1);
    kernel.run();
    return replies;
  };

  it("give what has arrived", () => {
    expect(fetched(0, 10, 0)).toEqual([[1000, [0], 1, false]]);
  });

  it("wait for the first record with one event, and give all that is there by then", () => {
    expect(fetched(1, 10, 50_000)).toEqual([[5000, [5000, 5000], 3, false]]);
    expect(fetched(1, 1, 50_000)).toEqual([[5000, [5000], 2, false]]);
  });

  it("give nothing once the wait is over", () => {
    expect(fetched(1, 10, 2000)).toEqual([[3000, [], 1, false]]);
  });

  it("have ended behind their last record, at once where they are empty", () => {
    expect(fetched(3, 10, 50_000)).toEqual([[9000, [9000], 4, true]]);
    expect(fetched(4, 10, 50_000)).toEqual([[1000, [], 4, true]]);
    expect(fetched(0, 10, 50_000, 1)).toEqual([[1000, [], 0, true]]);
  });

  it("can be unavailable, slow, and asked by a process that dies", () => {
    const { kernel, port, worker, ask } = log();
    kernel.arm(PORT_TRACE.logIssued, { kind: "log-error", code: "unavailable" });
    expect(ask((done) => port.fetch("in", 0, 1, 1, 50_000, done))).toBe("unavailable");
    kernel.arm(PORT_TRACE.logIssued, { kind: "log-slow", delayUs: 500 });
    expect(ask((done) => port.fetch("in", 0, 0, 1, 0, done))).toBe("no reply");
    kernel.run(kernel.nowUs + 500);
    expect(kernel.count(PORT_TRACE.logReplied)).toBe(2);
    kernel.crashAt(PORT_TRACE.logIssued, "after", worker);
    expect(ask((done) => port.fetch("in", 0, 0, 1, 0, done))).toBe("no reply");
    kernel.run();
    expect(kernel.count(PORT_TRACE.logReplied)).toBe(2);
  });

  it("know their partitions, as output topics do", () => {
    const { port } = log();
    expect([port.partitionCount("in"), port.partitionCount("out")]).toEqual([2, 2]);
    expect(() => port.partitionCount("nowhere")).toThrow("exists");
  });
});

describe("transactions", () => {
  it("show their records only when committed, all at once, in offset order", () => {
    const { external, visible, open, append, prepare, commit, seen } = log();
    const session = open();
    append(session, "t1", "a,b");
    append(session, "t1", "c");
    append(session, "t1", "d", 1);
    expect(prepare(session, "t1")).toBeNull();
    expect(visible).toEqual([]);
    expect(commit("t1")).toBeNull();
    expect(visible).toEqual(["0/0 t1: a,b", "0/2 t1: c", "1/0 t1: d"]);
    expect(external.readCommitted("out", 0).map(({ offset, bytes }) => `${offset} ${textOf(bytes)}`)).toEqual([
      "0 a",
      "1 b",
      "2 c",
    ]);
    expect(seen).toEqual([
      "worker opened sink@1",
      "worker@1 appended t1 0/0",
      "worker@1 appended t1 0/2",
      "worker@1 appended t1 1/0",
      "worker@1 prepared t1",
      "worker committed t1",
    ]);
  });

  it("hold back later ones until every earlier offset is decided", () => {
    const { external, visible, open, append, prepare, commit, abort } = log();
    const session = open();
    append(session, "t1", "a");
    append(session, "t2", "b");
    append(session, "t3", "c");
    append(session, "t2", "d");
    prepare(session, "t2");
    commit("t2");
    expect(visible).toEqual([]);
    expect(external.inspect().partitions[0]).toMatchObject({ lastStableOffset: 0, endOffset: 4 });
    abort("t1");
    expect(visible).toEqual(["0/1 t2: b"]);
    expect(external.inspect().partitions[0]).toMatchObject({ lastStableOffset: 2 });
    prepare(session, "t3");
    commit("t3");
    expect(visible).toEqual(["0/1 t2: b", "0/2 t3: c", "0/3 t2: d"]);
    expect(external.inspect().partitions[0]).toMatchObject({ lastStableOffset: 4 });
  });

  it("are decided once: committing or aborting again changes nothing", () => {
    const { visible, open, append, prepare, commit, abort } = log();
    const session = open();
    append(session, "t1", "a");
    expect(commit("t1")).toBe("absent");
    prepare(session, "t1");
    expect(prepare(session, "t1")).toBeNull();
    expect([commit("t1"), commit("t1")]).toEqual([null, null]);
    expect(abort("t1")).toBe("absent");
    append(session, "t2", "b");
    expect([abort("t2"), abort("t2"), abort("never")]).toEqual([null, null, null]);
    const onAborted = [commit("t2"), prepare(session, "t2"), append(session, "t2", "c")];
    expect(onAborted).toEqual(["aborted", "aborted", "aborted"]);
    expect([commit("never"), prepare(session, "never")]).toEqual(["absent", "absent"]);
    expect(append(session, "t1", "more")).toBe("fenced");
    expect(visible).toEqual(["0/0 t1: a"]);
  });

  it("of earlier producers are aborted and fenced when a later one opens, unless they are prepared", () => {
    const { visible, open, append, prepare, commit, pending, seen } = log();
    const first = open();
    append(first, "t1", "a");
    prepare(first, "t1");
    append(first, "t2", "b");
    expect(pending()).toEqual([
      { transactionId: "t1", status: "prepared" },
      { transactionId: "t2", status: "open" },
    ]);
    const second = open();
    expect(second.epoch).toBe(2);
    expect(pending()).toEqual([{ transactionId: "t1", status: "prepared" }]);
    expect([append(first, "t3", "c"), prepare(first, "t1")]).toEqual(["fenced", "fenced"]);
    expect(commit("t1")).toBeNull();
    expect(visible).toEqual(["0/0 t1: a"]);
    expect(seen).toContain("worker aborted t2 fenced");
    expect(seen).toContain(`worker refused ${LOG_CALLS.append} t3 fenced`);
  });

  it("time out while open, never once prepared", () => {
    const { kernel, visible, open, append, prepare, commit, pending } = log();
    const session = open();
    append(session, "t1", "a");
    append(session, "t2", "b");
    prepare(session, "t2");
    kernel.run();
    expect(kernel.count(PORT_TRACE.transactionTimedOut)).toBe(1);
    expect(kernel.nowUs).toBe(1500 + TIMEOUT_US);
    expect(pending()).toEqual([{ transactionId: "t2", status: "prepared" }]);
    expect(append(session, "t1", "late")).toBe("aborted");
    commit("t2");
    expect(visible).toEqual(["0/1 t2: b"]);
  });

  it("time out just before an append where a fault says so", () => {
    const { kernel, external, open, append, seen } = log();
    const session = open();
    append(session, "t1", "a");
    kernel.arm(PORT_TRACE.logIssued, { kind: "transaction-timeout" });
    expect(append(session, "t1", "b")).toBe("aborted");
    expect(seen.at(-2)).toBe("log aborted t1 timeout");
    expect(external.inspect().transactions).toMatchObject([{ transactionId: "t1", status: "aborted", records: 1 }]);
  });

  it("take no effect when unavailable, and do when unknown", () => {
    const { kernel, visible, open, append, prepare, commit } = log();
    const session = open();
    append(session, "t1", "a");
    prepare(session, "t1");
    kernel.arm(PORT_TRACE.logIssued, { kind: "log-error", code: "unavailable" });
    expect(commit("t1")).toBe("unavailable");
    expect(visible).toEqual([]);
    kernel.arm(PORT_TRACE.logIssued, { kind: "log-error", code: "unknown" });
    expect(commit("t1")).toBe("unknown");
    expect(visible).toEqual(["0/0 t1: a"]);
  });

  it("keep the order of one producer's calls, whatever their latencies", () => {
    const { kernel, port, visible, open } = log();
    const session = open();
    kernel.tieOf = (sequence) => -sequence;
    const replies: string[] = [];
    const done = (reply: LogReply<null>): void => void replies.push(reply.ok ? "ok" : reply.code);
    for (const [latencyUs, words] of [
      [900, "a"],
      [30, "b"],
      [500, "c"],
    ] as const) {
      kernel.arm(PORT_TRACE.logIssued, { kind: "latency", latencyUs });
      port.append(session, "t1", "out", 0, [bytesOf(words)], done);
    }
    kernel.arm(PORT_TRACE.logIssued, { kind: "latency", latencyUs: 2 });
    port.prepare(session, "t1", done);
    port.commit("sink", "t1", done);
    kernel.run();
    expect(replies).toEqual(["ok", "ok", "ok", "ok", "ok"]);
    expect(visible).toEqual(["0/0 t1: a", "0/1 t1: b", "0/2 t1: c"]);
  });

  it("take effect no sooner than their latency says, and hold the batch as it was given", () => {
    const { kernel, external, port, open } = log();
    const session = open();
    const issuedAtUs = kernel.nowUs;
    const batch = [bytesOf("a")];
    kernel.arm(PORT_TRACE.logIssued, { kind: "latency", latencyUs: 900 });
    port.append(session, "t1", "out", 0, batch, () => undefined);
    batch.push(bytesOf("later"));
    kernel.arm(PORT_TRACE.logIssued, { kind: "latency", latencyUs: 2 });
    port.append(session, "t1", "out", 0, [bytesOf("b")], () => undefined);
    const endOffset = (): number | undefined => external.inspect().partitions[0]?.endOffset;
    kernel.run(issuedAtUs + 449);
    expect(endOffset()).toBe(0);
    kernel.run(issuedAtUs + 450);
    expect(endOffset()).toBe(2);
  });

  it("go on without their caller: what was asked happens, nobody is told", () => {
    for (const [when, appended] of [
      ["before", 0],
      ["after", 1],
    ] as const) {
      const { kernel, external, worker, open, append } = log();
      const session = open();
      kernel.crashAt(PORT_TRACE.logIssued, when, worker);
      expect(append(session, "t1", "a")).toBe("no reply");
      expect(external.inspect().partitions[0]?.endOffset).toBe(appended);
    }
  });

  it("fence a dead producer's append that arrives after its successor opened", () => {
    const { kernel, external, port, worker, open, seen } = log();
    const session = open();
    kernel.arm(PORT_TRACE.logIssued, { kind: "log-slow", delayUs: 20_000 });
    port.append(session, "t1", "out", 0, [bytesOf("a")], () => undefined);
    kernel.crash(worker);
    const successor = kernel.process("worker", 2);
    external.portFor(successor).openProducer("sink", () => undefined);
    kernel.run();
    expect(seen.slice(1)).toEqual(["worker opened sink@2", `worker refused ${LOG_CALLS.append} t1 fenced`]);
    expect(external.inspect().partitions[0]?.endOffset).toBe(0);
  });

  it("fold what is appended into the digest", () => {
    const { kernel, open, append } = log();
    append(open(), "t1", "a,b");
    expect(kernel.folded).toContainEqual(Array.from(bytesOf("a")));
    expect(kernel.folded).toContainEqual(Array.from(bytesOf("b")));
  });
});
