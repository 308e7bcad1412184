import { describe, expect, it } from "vitest";
import type { Coordination, CoordinationReply, Fence } from "#whitewater/engine/ports/coordination.js";
import { SimCoordination } from "#whitewater/simulator/hosts/sim-coordination.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { FakeKernel } from "./fake-kernel.ts";

const TTL_US = 10_000;

function service() {
  const kernel = new FakeKernel();
  const seen: string[] = [];
  const coordination = new SimCoordination(kernel, [
    {
      onWrite: (process, before, after, fence) =>
        void seen.push(`${process.name}@${fence.epoch} ${after.key}: ${before.value} -> ${after.value}`),
      onWriteRefused: (process, current, fence, code) =>
        void seen.push(`${process.name}@${fence.epoch} ${current.key}: ${code}`),
      onEpochGranted: (process, lease, epoch) => void seen.push(`${process.name} leads ${lease}@${epoch}`),
      onLeaseFreed: (lease, epoch, reason) => void seen.push(`${lease}@${epoch} ${reason}`),
    },
  ]);
  const one = kernel.process("one");
  const two = kernel.process("two");
  /** Runs one call to its reply (or to the end of everything under way when there is none). */
  const ask = <T>(call: (done: (reply: CoordinationReply<T>) => void) => void): T | string => {
    let got: T | string = "no reply";
    kernel.inStep(() => call((reply) => (got = reply.ok ? reply.value : reply.code)));
    kernel.run(kernel.nowUs + 1000);
    return got;
  };
  const lead = (port: Coordination): number | string => ask((done) => port.acquireLease("jm", TTL_US, done));
  const set = (port: Coordination, key: string, version: number, value: string | null, epoch: number) =>
    ask((done) => port.compareAndSet(key, version, value, fence(epoch), done));
  const [first, second] = [coordination.portFor(one), coordination.portFor(two)];
  return { kernel, coordination, seen, one, two, first, second, ask, lead, set };
}

const fence = (epoch: number): Fence => ({ lease: "jm", epoch });

describe("leases", () => {
  it("are granted to one holder at a time, with a greater epoch each time", () => {
    const { kernel, coordination, first, second, lead, seen } = service();
    expect(lead(first)).toBe(1);
    expect(lead(second)).toBe("held");
    expect(coordination.peekLease("jm")).toEqual({ lease: "jm", epoch: 1, holder: "one", expiresAtUs: 500 + TTL_US });
    kernel.run();
    expect(kernel.count(PORT_TRACE.leaseExpired)).toBe(1);
    expect(lead(second)).toBe(2);
    expect(seen).toEqual(["one leads jm@1", "jm@1 expired", "two leads jm@2"]);
  });

  it("last as long as they are renewed, and are fenced once they expired", () => {
    const { kernel, first, second, ask, lead } = service();
    lead(first);
    kernel.run(9000);
    expect(ask((done) => first.renewLease(fence(1), TTL_US, done))).toBeNull();
    kernel.run(15_000);
    expect(lead(second)).toBe("held");
    kernel.run(25_000);
    expect(ask((done) => first.renewLease(fence(1), TTL_US, done))).toBe("fenced");
    expect(lead(second)).toBe(2);
  });

  it("are free after release, which only the holder can do", () => {
    const { kernel, first, second, ask, lead } = service();
    lead(first);
    expect(ask((done) => first.releaseLease(fence(1), done))).toBeNull();
    expect(lead(second)).toBe(2);
    expect(ask((done) => first.releaseLease(fence(1), done))).toBe("fenced");
    kernel.run();
    expect(kernel.count(PORT_TRACE.leaseExpired)).toBe(1);
  });

  it("can be lost before their time", () => {
    const { coordination, first, second, lead, seen } = service();
    expect(coordination.loseLease("jm")).toBe(false);
    lead(first);
    expect(coordination.loseLease("jm")).toBe(true);
    expect(seen.at(-1)).toBe("jm@1 lost");
    expect(lead(second)).toBe(2);
  });
});

describe("registers", () => {
  it("change only from the version expected, and never show a version again", () => {
    const { coordination, first, lead, set, ask } = service();
    lead(first);
    const version = set(first, "k", 0, "v1", 1);
    expect(set(first, "k", 0, "v2", 1)).toBe("conflict");
    expect(set(first, "k", Number(version), null, 1)).toBe(0);
    expect(ask((done) => first.read("k", done))).toEqual({ key: "k", value: null, version: 0 });
    const later = set(first, "k", 0, "v3", 1);
    expect(Number(later)).toBeGreaterThan(Number(version));
    expect(coordination.peek("k")).toEqual({ key: "k", value: "v3", version: later });
  });

  it("list in order of their keys", () => {
    const { first, lead, set, ask } = service();
    lead(first);
    for (const key of ["c/10", "c/9", "d"]) set(first, key, 0, key, 1);
    expect(ask((done) => first.list("c/", done))).toMatchObject([{ key: "c/10" }, { key: "c/9" }]);
  });

  it("take writes of the last epoch after its lease ended, until a later one was granted", () => {
    const { kernel, first, second, lead, set, seen } = service();
    lead(first);
    kernel.run();
    expect(set(first, "k", 0, "still", 1)).toBe(1);
    lead(second);
    expect(set(first, "k", 1, "zombie", 1)).toBe("fenced");
    expect(set(second, "k", 1, "new", 2)).toBe(2);
    expect(seen.slice(2)).toEqual([
      "one@1 k: null -> still",
      "two leads jm@2",
      "one@1 k: fenced",
      "two@2 k: still -> new",
    ]);
  });

  it("do not change when unreachable, and do when the reply is unknown", () => {
    const { kernel, coordination, first, lead, set } = service();
    lead(first);
    kernel.arm(PORT_TRACE.coordinationIssued, { kind: "coordination-error", code: "unreachable" });
    expect(set(first, "k", 0, "v", 1)).toBe("unreachable");
    expect(coordination.peek("k").value).toBeNull();
    kernel.arm(PORT_TRACE.coordinationIssued, { kind: "coordination-error", code: "unknown" });
    expect(set(first, "k", 0, "v", 1)).toBe("unknown");
    expect(coordination.peek("k").value).toBe("v");
  });

  it("cannot be reached in an outage; one that begins before the reply leaves the caller in doubt", () => {
    const { kernel, coordination, first, lead, set } = service();
    lead(first);
    kernel.down = true;
    expect(set(first, "k", 0, "v", 1)).toBe("unreachable");
    kernel.down = false;
    const replies: string[] = [];
    first.compareAndSet("k", 0, "v", fence(1), (reply) => replies.push(reply.ok ? "ok" : reply.code));
    kernel.run(kernel.nowUs + 600);
    kernel.down = true;
    kernel.run(kernel.nowUs + 600);
    expect(replies).toEqual(["unknown"]);
    expect(coordination.peek("k").value).toBe("v");
  });

  it("are slow where a fault says so", () => {
    const { kernel, first, lead, set } = service();
    lead(first);
    kernel.arm(PORT_TRACE.coordinationIssued, { kind: "coordination-slow", delayUs: 5000 });
    expect(set(first, "k", 0, "v", 1)).toBe("no reply");
    expect(kernel.count(PORT_TRACE.coordinationReplied)).toBe(1);
    kernel.run(kernel.nowUs + 5000);
    expect(kernel.count(PORT_TRACE.coordinationReplied)).toBe(2);
  });

  it("change although the writer died after asking, but not when it died before", () => {
    for (const [when, value] of [
      ["before", null],
      ["after", "v"],
    ] as const) {
      const { kernel, coordination, one, first, lead, set } = service();
      lead(first);
      kernel.crashAt(PORT_TRACE.coordinationIssued, when, one);
      expect(set(first, "k", 0, "v", 1)).toBe("no reply");
      expect(coordination.peek("k").value).toBe(value);
    }
  });

  it("fold what is written into the digest", () => {
    const { kernel, first, lead, set } = service();
    lead(first);
    set(first, "k", 0, "v", 1);
    expect(kernel.folded).toEqual(["k", "v"]);
  });
});
