import { describe, expect, it } from "vitest";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { NetworkFixture, text } from "./network-fixture.ts";

const TIMEOUT_US = 50_000;

interface Answers {
  readonly requests: string[];
  readonly replies: string[];
  ask(words: string): void;
}

/** A fixture whose b answers "re: …" and writes down what it got. */
function answering(): NetworkFixture & Answers {
  const fixture = new NetworkFixture();
  const requests: string[] = [];
  const replies: string[] = [];
  fixture.portOf(fixture.b).serve((from, message, respond) => {
    requests.push(`${from}: ${message.text}`);
    respond(text(`re: ${message.text}`));
  });
  const ask = (words: string): void => {
    fixture.kernel.inStep(() => {
      fixture.portOf(fixture.a).call("b", text(words), TIMEOUT_US, (reply) => {
        replies.push(reply.ok ? reply.message.text : reply.code);
      });
    });
  };
  return Object.assign(fixture, { requests, replies, ask });
}

describe("calls", () => {
  it("carry a request there and its reply back, one trace point at each place", () => {
    const world = answering();
    world.ask("ping");
    world.kernel.run();
    expect(world.requests).toEqual(["a: ping"]);
    expect(world.replies).toEqual(["re: ping"]);
    expect(world.kernel.nowUs).toBe(2000);
    expect(world.kernel.points.map(({ kind }) => kind)).toEqual([
      PORT_TRACE.rpcSent,
      PORT_TRACE.rpcDelivered,
      PORT_TRACE.rpcResponded,
      PORT_TRACE.rpcReplied,
    ]);
    expect(world.kernel.pendingEvents).toBe(0);
  });

  it("time out when the request is lost", () => {
    const world = answering();
    world.kernel.arm(PORT_TRACE.rpcSent, { kind: "rpc-drop" });
    world.ask("ping");
    world.kernel.run();
    expect(world.requests).toEqual([]);
    expect(world.replies).toEqual(["timeout"]);
    expect(world.kernel.points.at(-1)).toMatchObject({ kind: PORT_TRACE.rpcReplied, y: 1 });
  });

  it("time out when the reply is lost, though the request was handled", () => {
    const world = answering();
    world.kernel.arm(PORT_TRACE.rpcResponded, { kind: "rpc-reply-drop" });
    world.ask("ping");
    world.kernel.run();
    expect(world.requests).toEqual(["a: ping"]);
    expect(world.replies).toEqual(["timeout"]);
  });

  it("are handled twice when duplicated, and still replied once", () => {
    const world = answering();
    world.kernel.arm(PORT_TRACE.rpcSent, { kind: "rpc-duplicate", delayUs: 700 });
    world.ask("ping");
    world.kernel.run();
    expect(world.requests).toEqual(["a: ping", "a: ping"]);
    expect(world.replies).toEqual(["re: ping"]);
  });

  it("overtake each other when one is late, and a reply after the timeout is ignored", () => {
    const world = answering();
    world.kernel.arm(PORT_TRACE.rpcSent, { kind: "rpc-delay", delayUs: 10_000 });
    world.ask("first");
    world.ask("second");
    world.kernel.arm(PORT_TRACE.rpcSent, { kind: "latency", latencyUs: TIMEOUT_US + 1 });
    world.ask("third");
    world.kernel.run();
    expect(world.requests).toEqual(["a: second", "a: first", "a: third"]);
    expect(world.replies).toEqual(["re: second", "re: first", "timeout"]);
  });

  it("are unreachable where nobody lives or nobody serves", () => {
    const world = answering();
    world.start("idle");
    const codes: string[] = [];
    for (const to of ["nobody", "idle"]) {
      world.portOf(world.a).call(to, text("ping"), TIMEOUT_US, (reply) => codes.push(reply.ok ? "ok" : reply.code));
    }
    world.kernel.run();
    expect(codes).toEqual(["unreachable", "unreachable"]);
  });

  it("reach the successor when the process they were sent to died meanwhile", () => {
    const world = answering();
    world.ask("ping");
    world.kernel.crash(world.b);
    const successor = world.start("b", 2);
    world.portOf(successor).serve((_from, message, respond) => respond(text(`successor: ${message.text}`)));
    world.kernel.run();
    expect(world.requests).toEqual([]);
    expect(world.replies).toEqual(["successor: ping"]);
  });

  it("die with their caller: the request is handled, the reply never delivered", () => {
    const world = answering();
    world.ask("ping");
    world.kernel.crash(world.a);
    world.kernel.run();
    expect(world.requests).toEqual(["a: ping"]);
    expect(world.replies).toEqual([]);
    expect(world.network.inspect().waitingCalls).toEqual([]);
  });

  it("are not sent by a crash before, and sent by a crash after", () => {
    for (const [when, handled] of [
      ["before", 0],
      ["after", 1],
    ] as const) {
      const world = answering();
      world.kernel.crashAt(PORT_TRACE.rpcSent, when, world.a);
      world.ask("ping");
      world.kernel.run();
      expect(world.a.alive).toBe(false);
      expect(world.requests.length).toBe(handled);
      expect(world.replies).toEqual([]);
    }
  });

  it("are lost in a partition that begins before they arrive, in the direction that is cut", () => {
    const there = answering();
    there.ask("ping");
    there.kernel.cut(there.a.host, there.b.host);
    there.kernel.run();
    expect([there.requests, there.replies]).toEqual([[], ["timeout"]]);

    const back = answering();
    back.kernel.cut(back.b.host, back.a.host);
    back.ask("ping");
    back.kernel.run();
    expect([back.requests, back.replies]).toEqual([["a: ping"], ["timeout"]]);
  });

  it("wait until a paused process goes on", () => {
    const world = answering();
    world.b.paused = true;
    world.ask("ping");
    world.kernel.run(5000);
    expect(world.requests).toEqual([]);
    world.b.paused = false;
    world.kernel.run();
    expect(world.replies).toEqual(["re: ping"]);
  });

  it("may be answered later, but once", () => {
    const world = answering();
    let answer: (() => void) | null = null;
    world.portOf(world.b).serve((_from, _message, respond) => {
      answer = () => respond(text("late"));
    });
    world.ask("ping");
    world.kernel.run(2000);
    expect(world.network.inspect().waitingCalls).toMatchObject([{ from: "a", to: "b", sentAtUs: 0 }]);
    const respond = answer as unknown as () => void;
    respond();
    expect(respond).toThrow("at most once");
    world.kernel.run();
    expect(world.replies).toEqual(["late"]);
  });
});

describe("casts", () => {
  it("arrive without a reply and leave nothing behind, though the handler responds", () => {
    const world = answering();
    world.portOf(world.a).cast("b", text("note"));
    world.kernel.run();
    expect(world.requests).toEqual(["a: note"]);
    expect(world.kernel.count(PORT_TRACE.rpcResponded)).toBe(0);
    expect(world.network.inspect().waitingCalls).toEqual([]);
  });

  it("are lost or doubled like calls", () => {
    const world = answering();
    world.kernel.arm(PORT_TRACE.rpcSent, { kind: "rpc-drop" });
    world.portOf(world.a).cast("b", text("lost"));
    world.kernel.arm(PORT_TRACE.rpcSent, { kind: "rpc-duplicate", delayUs: 1 });
    world.portOf(world.a).cast("b", text("twice"));
    world.portOf(world.a).cast("nobody", text("gone"));
    world.kernel.run();
    expect(world.requests).toEqual(["a: twice", "a: twice"]);
  });
});
