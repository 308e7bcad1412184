import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import type { NetworkObserver } from "#whitewater/simulator/hosts/service-observers.js";
import type { Numbered, Text } from "./network-fixture.ts";
import { frame, NetworkFixture, text } from "./network-fixture.ts";

describe("connections", () => {
  it("carry frames both ways once accepted, and those sent while they were opening", () => {
    const world = new NetworkFixture();
    const { a, b } = world.connect();
    a.send(frame(1));
    world.kernel.run();
    a.send(frame(2));
    b().send(frame(3));
    world.kernel.run();
    expect(world.atB).toEqual([1, 2]);
    expect(world.atA).toEqual([3]);
    expect(world.kernel.pendingEvents).toBe(0);
  });

  it("keep the order sent, whatever the latencies, ties and pauses", () => {
    const step = fc.record({ latencyUs: fc.nat(50), waitUs: fc.nat(30), forward: fc.boolean(), pause: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.infiniteStream(fc.nat(5)), (steps, ties) => {
        const world = new NetworkFixture();
        world.kernel.tieOf = () => ties.next().value ?? 0;
        world.kernel.latencyOf = () => 0;
        const { a, b } = world.connect();
        world.kernel.run();
        const sent: Record<"a" | "b", number[]> = { a: [], b: [] };
        steps.forEach(({ latencyUs, waitUs, forward, pause }, i) => {
          world.b.paused = pause;
          world.kernel.latencyOf = () => latencyUs;
          (forward ? a : b()).send(frame(i));
          sent[forward ? "b" : "a"].push(i);
          world.kernel.run(world.kernel.nowUs + waitUs);
        });
        world.b.paused = false;
        world.kernel.run();
        expect(world.atB).toEqual(sent.b);
        expect(world.atA).toEqual(sent.a);
      }),
    );
  });

  it("deliver what a dying process had sent, then tell the other side once", () => {
    const world = new NetworkFixture();
    const { a, b } = world.connect();
    world.kernel.run();
    a.send(frame(1));
    b().send(frame(2));
    world.kernel.crash(world.a);
    b().send(frame(3));
    world.kernel.run();
    b().send(frame(4));
    world.kernel.run();
    expect(world.atB).toEqual([1, "broken"]);
    expect(world.atA).toEqual([]);
    expect(world.network.inspect().connections).toEqual([]);
  });

  it("tell of a power loss later than of a crash", () => {
    const learnedAt = (up: boolean): number => {
      const world = new NetworkFixture();
      world.connect();
      world.kernel.run();
      world.a.host.up = up;
      world.kernel.crash(world.a);
      world.kernel.run();
      expect(world.atB).toEqual(["broken"]);
      return world.kernel.nowUs;
    };
    expect(learnedAt(false)).toBeGreaterThan(learnedAt(true) + 50_000);
  });

  it("break for both sides with all frames under way when one is hit by a break", () => {
    const world = new NetworkFixture();
    const { a, b } = world.connect();
    world.kernel.run();
    a.send(frame(1));
    b().send(frame(2));
    world.kernel.arm(PORT_TRACE.frameSent, { kind: "connection-break" });
    a.send(frame(3));
    world.kernel.run();
    expect(world.atB).toEqual(["broken"]);
    expect(world.atA).toEqual(["broken"]);
    expect(world.kernel.count(PORT_TRACE.connectionBroken)).toBe(2);
  });

  it("hold back everything behind a frame that is late", () => {
    const world = new NetworkFixture();
    const { a } = world.connect();
    world.kernel.run();
    world.kernel.arm(PORT_TRACE.frameSent, { kind: "frame-delay", delayUs: 5000 });
    a.send(frame(1));
    world.kernel.arm(PORT_TRACE.frameSent, { kind: "latency", latencyUs: 1 });
    a.send(frame(2));
    const sentAtUs = world.kernel.nowUs;
    world.kernel.run(sentAtUs + 5999);
    expect(world.atB).toEqual([]);
    expect(world.network.inspect().connections[0]?.toAcceptor.map(({ number }) => number)).toEqual([1, 2]);
    world.kernel.run(sentAtUs + 6000);
    expect(world.atB).toEqual([1, 2]);
  });

  it.each(["there", "back"])("break across a partition (%s), even if it heals at once", (direction) => {
    const world = new NetworkFixture();
    const { a } = world.connect();
    world.kernel.run();
    a.send(frame(1));
    const [from, to] = direction === "there" ? [world.a, world.b] : [world.b, world.a];
    world.kernel.cut(from.host, to.host);
    world.network.hostsCut();
    world.kernel.heal();
    a.send(frame(2));
    expect(world.network.inspect().connections).toMatchObject([{ status: "broken", toAcceptor: [] }]);
    world.kernel.run();
    expect(world.atB).toEqual(["broken"]);
    expect(world.atA).toEqual(["broken"]);
  });

  it("are not broken by a partition elsewhere", () => {
    const world = new NetworkFixture();
    const { a } = world.connect();
    world.kernel.run();
    world.kernel.cut(world.a.host, world.start("c").host);
    world.network.hostsCut();
    a.send(frame(1));
    world.kernel.run();
    expect(world.atB).toEqual([1]);
  });

  it("break where nobody lives, nobody listens, the listener refuses or the way is cut", () => {
    const world = new NetworkFixture();
    const refusing = world.start("refusing");
    world.portOf(refusing).listen(() => null);
    const cut = world.start("cut");
    world.portOf(cut).listen(() => world.handlers(world.atB));
    world.kernel.cut(cut.host, world.a.host);
    for (const to of ["nobody", "b", "refusing", "cut"]) {
      const connection = world.portOf(world.a).connect(to, text("hello"), world.handlers(world.atA));
      connection.send(frame(1));
    }
    world.kernel.run();
    expect(world.atA).toEqual(["broken", "broken", "broken", "broken"]);
    expect(world.atB).toEqual([]);
    expect(world.network.inspect().connections).toEqual([]);
  });

  it("tell the other side after close, and nothing to the side that closed", () => {
    const world = new NetworkFixture();
    const { a, b } = world.connect();
    world.kernel.run();
    b().send(frame(1));
    a.send(frame(2));
    a.close();
    a.close();
    a.send(frame(3));
    world.kernel.run();
    expect(world.atB).toEqual([2, "broken"]);
    expect(world.atA).toEqual([]);
    expect(world.kernel.count(PORT_TRACE.connectionClosed)).toBe(1);
  });

  it("never come to be when the opener dies first, nor stay when the target dies before it accepts", () => {
    const first = new NetworkFixture();
    first.connect();
    first.kernel.crash(first.a);
    first.kernel.run();
    expect(first.kernel.count(PORT_TRACE.connectionAccepted)).toBe(0);

    const second = new NetworkFixture();
    second.connect();
    second.b.paused = true;
    second.kernel.run(5000);
    second.kernel.crash(second.b);
    second.kernel.run();
    expect(second.atA).toEqual(["broken"]);
    expect([first, second].map(({ network }) => network.inspect().connections)).toEqual([[], []]);
  });

  it("within one process are loopback, and die with it", () => {
    const world = new NetworkFixture();
    world.portOf(world.a).listen(() => world.handlers(world.atB));
    const connection = world.portOf(world.a).connect("a", text("hello"), world.handlers(world.atA));
    connection.send(frame(1));
    world.kernel.run();
    expect(world.atB).toEqual([1]);
    expect(world.kernel.components).toContain("loopback:a>a");
    connection.send(frame(2));
    world.kernel.crash(world.a);
    world.kernel.run();
    expect([world.atA, world.atB]).toEqual([[], [1]]);
    expect(world.network.inspect().connections).toEqual([]);
  });

  it("lose the frame in a crash before sending it, and deliver it in a crash after", () => {
    for (const [when, received] of [
      ["before", ["broken"]],
      ["after", [1, "broken"]],
    ] as const) {
      const world = new NetworkFixture();
      const { a } = world.connect();
      world.kernel.run();
      world.kernel.crashAt(PORT_TRACE.frameSent, when, world.a);
      world.kernel.inStep(() => a.send(frame(1)));
      world.kernel.run();
      expect(world.atB).toEqual(received);
    }
  });

  it("show observers every frame, whether or not it arrives", () => {
    const seen: string[] = [];
    const observer: NetworkObserver<Text, Numbered> = {
      onFrameSent: ({ number }, forward, each) => void seen.push(`sent ${number} ${forward} ${each.number}`),
      onFrameDelivered: ({ number }, forward, each) => void seen.push(`got ${number} ${forward} ${each.number}`),
      onConnectionBroken: ({ number }, learned) => void seen.push(`broken ${number} ${learned.name}`),
    };
    const world = new NetworkFixture([observer]);
    const { a, b } = world.connect();
    world.kernel.run();
    b().send(frame(1));
    world.kernel.run();
    world.kernel.arm(PORT_TRACE.frameSent, { kind: "connection-break" });
    a.send(frame(2));
    world.kernel.crash(world.b);
    world.kernel.run();
    expect(seen).toEqual(["sent 1 false 1", "got 1 false 1", "sent 1 true 2", "broken 1 a"]);
  });
});
