import { describe, expect, it } from "vitest";
import type { BlobReply } from "#whitewater/engine/ports/blob-store.js";
import { checkpointOfKey, SimBlobStore } from "#whitewater/simulator/hosts/sim-blob-store.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { bytesOf, FakeKernel, textOf } from "./fake-kernel.ts";

const KEY = "job/chk-7/op-1";

function store() {
  const kernel = new FakeKernel();
  const seen: string[] = [];
  const blobs = new SimBlobStore(kernel, [
    {
      onPut: (process, key, bytes, before) => {
        const replaced = before === null ? "nothing" : textOf(before);
        seen.push(`${process.name} put ${key} ${textOf(bytes)} over ${replaced}`);
      },
      onDelete: (process, key) => void seen.push(`${process.name} deleted ${key}`),
    },
  ]);
  const worker = kernel.process("worker");
  const replies: string[] = [];
  const done = (reply: BlobReply<unknown>): void => {
    const value = reply.ok && reply.value instanceof Uint8Array ? textOf(reply.value) : reply.ok ? "ok" : reply.code;
    replies.push(`${kernel.nowUs} ${value}`);
  };
  return { kernel, seen, blobs, worker, port: blobs.portFor(worker), replies, done };
}

describe("the blob store", () => {
  it("holds an object from the moment its put takes effect, and says so afterwards", () => {
    const { kernel, blobs, port, replies, done, seen } = store();
    const bytes = bytesOf("state");
    port.put(KEY, bytes, done);
    bytes.fill(0);
    kernel.run(499);
    expect(blobs.peek(KEY)).toBeNull();
    kernel.run(500);
    expect(textOf(blobs.peek(KEY) ?? bytes)).toBe("state");
    expect(replies).toEqual([]);
    kernel.run();
    expect(replies).toEqual(["1000 ok"]);
    expect(seen).toEqual([`worker put ${KEY} state over nothing`]);
    expect(blobs.inspect()).toEqual([{ key: KEY, sizeBytes: 5 }]);
    expect(kernel.folded).toEqual([KEY, Array.from(bytesOf("state"))]);
    expect(kernel.points.map(({ kind, x, y }) => [kind, x, y])).toEqual([
      [PORT_TRACE.blobPutIssued, 7, 5],
      [PORT_TRACE.blobPutApplied, 7, 5],
      [PORT_TRACE.blobPutReplied, 7, 5],
    ]);
  });

  it("gives whole objects, ranges, sorted keys, and not-found for what is absent", () => {
    const { kernel, port, replies, done } = store();
    for (const key of ["b", "a/2", "a/10"]) port.put(key, bytesOf("0123456789"), () => undefined);
    kernel.run();
    port.get("b", done);
    port.getRange("b", 8, 5, done);
    port.get("c", done);
    const lists: unknown[] = [];
    port.list("a/", (reply) => lists.push(reply));
    kernel.run();
    expect(replies.map((reply) => reply.split(" ")[1])).toEqual(["0123456789", "89", "not-found"]);
    expect(lists).toEqual([{ ok: true, value: ["a/10", "a/2"] }]);
  });

  it("gives copies: what a reader does to them stays with the reader", () => {
    const { kernel, blobs, port } = store();
    port.put("a", bytesOf("x"), () => undefined);
    kernel.run();
    port.get("a", (reply) => reply.ok && reply.value.fill(0));
    kernel.run();
    expect(textOf(blobs.peek("a") ?? bytesOf(""))).toBe("x");
  });

  it("deletes what is there, and is content with what is not", () => {
    const { kernel, blobs, port, replies, done, seen } = store();
    port.put("a", bytesOf("x"), () => undefined);
    kernel.run();
    port.delete("a", done);
    port.delete("b", done);
    kernel.run();
    expect(replies).toEqual(["2000 ok", "2000 ok"]);
    expect(blobs.keys()).toEqual([]);
    expect(seen.at(-1)).toBe("worker deleted a");
  });

  it("does nothing when unavailable, and everything when unknown", () => {
    for (const [code, present] of [
      ["unavailable", false],
      ["unknown", true],
    ] as const) {
      const { kernel, blobs, port, replies, done } = store();
      kernel.arm(PORT_TRACE.blobPutIssued, { kind: "blob-error", code });
      port.put("a", bytesOf("x"), done);
      kernel.run();
      expect(replies).toEqual([`1000 ${code}`]);
      expect(blobs.peek("a") !== null).toBe(present);
      kernel.arm(PORT_TRACE.blobGetIssued, { kind: "blob-error", code });
      kernel.arm(PORT_TRACE.blobListed, { kind: "blob-error", code });
      port.get("a", done);
      port.list("", done);
      kernel.run();
      expect(replies.slice(1)).toEqual([`2000 ${code}`, `2000 ${code}`]);
    }
  });

  it("is slow where a fault says so, and takes a named latency", () => {
    const { kernel, port, replies, done } = store();
    kernel.arm(PORT_TRACE.blobPutIssued, { kind: "blob-slow", delayUs: 9000 });
    port.put("a", bytesOf("x"), done);
    kernel.arm(PORT_TRACE.blobPutIssued, { kind: "latency", latencyUs: 10 });
    port.put("b", bytesOf("y"), done);
    kernel.run();
    expect(replies).toEqual(["10 ok", "10000 ok"]);
  });

  it("deletes late: after the reply, and even what was put in between", () => {
    const { kernel, blobs, port, replies, done } = store();
    port.put("a", bytesOf("old"), () => undefined);
    kernel.run();
    kernel.arm(PORT_TRACE.blobDeleteIssued, { kind: "blob-late-delete", delayUs: 5000 });
    port.delete("a", done);
    kernel.run(2000);
    expect(replies).toEqual(["2000 ok"]);
    expect(blobs.keys()).toEqual(["a"]);
    port.put("a", bytesOf("new"), () => undefined);
    kernel.run();
    expect(blobs.keys()).toEqual([]);
  });

  it("finishes an upload whose caller died, and never replies to the dead", () => {
    for (const [when, present] of [
      ["before", false],
      ["after", true],
    ] as const) {
      const { kernel, blobs, worker, port, replies, done } = store();
      kernel.crashAt(PORT_TRACE.blobPutIssued, when, worker);
      kernel.inStep(() => port.put("a", bytesOf("x"), done));
      kernel.run();
      expect(blobs.peek("a") !== null).toBe(present);
      expect(replies).toEqual([]);
    }
  });
});

describe("the checkpoint of a key", () => {
  it("is the number after chk-, or -1", () => {
    expect(["a/chk-12/f", "chk-3", "a/chk-/f", "plain"].map(checkpointOfKey)).toEqual([12, 3, -1, -1]);
  });
});
