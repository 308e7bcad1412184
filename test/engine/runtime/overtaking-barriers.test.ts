import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Barrier, BarrierAlignment } from "#whitewater/engine/checkpoint/barrier-handler.js";
import type { ChannelContents } from "#whitewater/engine/checkpoint/channel-state.js";
import { ChannelStateWriter } from "#whitewater/engine/checkpoint/channel-state-writer.js";
import type { Buffer, StreamFrame } from "#whitewater/engine/runtime/buffer.js";
import { eventBuffer, inFlightOf, recordsBuffer } from "#whitewater/engine/runtime/buffer.js";
import { InputChannel } from "#whitewater/engine/runtime/input-channel.js";
import { InputGate } from "#whitewater/engine/runtime/input-gate.js";
import { OutputChannel } from "#whitewater/engine/runtime/output-channel.js";

const NAME = { edge: "a->b", fromSubtask: 0, toSubtask: 0 };

function barrierOf(checkpointId: number, alignment: BarrierAlignment): Barrier {
  return { checkpointId, triggeredAtUs: 0, isSavepoint: false, alignment };
}

function valuesIn(channels: readonly ChannelContents[] | undefined): unknown[] {
  return (channels ?? []).flatMap(({ buffers }) => buffers.flatMap(({ values }) => values));
}

function shown(frame: StreamFrame): string {
  if (frame.kind === "barrier") return `!${frame.barrier.checkpointId}`;
  if (frame.kind === "credit") return `+${frame.buffers}`;
  const barrier = frame.event?.kind === "barrier" ? `|${frame.event.checkpointId}` : "";
  return `${frame.values.join("")}${barrier}`;
}

describe("the sending end of a channel", () => {
  /** Buffers of one record; the credit is used up by the first eight. */
  function congested(): { channel: OutputChannel; sent: string[] } {
    const sent: string[] = [];
    const channel = new OutputChannel(0, NAME, 1, true);
    channel.attach({ send: (frame) => void sent.push(shown(frame)), close: () => undefined });
    for (const value of "abcdefgh") channel.write(value, 1);
    sent.length = 0;
    return { channel, sent };
  }

  it("sends a barrier ahead of its backlog, without credit, and gives the checkpoint what it overtakes", () => {
    const { channel, sent } = congested();
    const writer = new ChannelStateWriter(1, false);
    channel.write("i", 1);
    channel.write("k", 1);
    channel.overtake(barrierOf(1, "unaligned"), writer);
    expect(sent).toEqual(["!1"]);
    expect(valuesIn(writer.state()?.outputs)).toEqual(["i", "k"]);
    channel.addCredit(8);
    expect(sent).toEqual(["!1", "i", "k"]);
  });

  it("counts what it is still collecting as overtaken", () => {
    const sent: string[] = [];
    const channel = new OutputChannel(0, NAME, 4, true);
    channel.attach({ send: (frame) => void sent.push(shown(frame)), close: () => undefined });
    channel.write("a", 1);
    channel.write("b", 1);
    const writer = new ChannelStateWriter(1, false);
    channel.overtake(barrierOf(1, "unaligned"), writer);
    channel.flush();
    expect(sent).toEqual(["!1", "ab"]);
    expect(valuesIn(writer.state()?.outputs)).toEqual(["a", "b"]);
  });

  it("lets a timed barrier go in its order, where there is room in time, and nothing is in flight", () => {
    const { channel, sent } = congested();
    const writer = new ChannelStateWriter(1, false);
    channel.write("i", 1);
    channel.sendTimed(barrierOf(1, "timed"), writer);
    expect(writer.isComplete).toBe(false);
    channel.addCredit(4);
    expect(sent).toEqual(["i", "|1"]);
    expect(writer.isComplete).toBe(true);
    channel.timeOut(1);
    expect(sent).toHaveLength(2);
    expect(writer.state()).toBe(null);
  });

  it("lets a timed barrier that waits for too long overtake what was written before it, and no more", () => {
    const { channel, sent } = congested();
    const writer = new ChannelStateWriter(1, false);
    channel.write("i", 1);
    channel.sendTimed(barrierOf(1, "timed"), writer);
    channel.write("k", 1);
    channel.timeOut(1);
    expect(sent).toEqual(["!1"]);
    expect(writer.isComplete).toBe(true);
    expect(valuesIn(writer.state()?.outputs)).toEqual(["i"]);
    channel.addCredit(8);
    expect(sent).toEqual(["!1", "i", "k"]);
  });

  it("sends what was restored before anything new", () => {
    const sent: string[] = [];
    const channel = new OutputChannel(0, NAME, 1, true);
    channel.restore([{ values: ["x"], timestamps: [1], watermarkMs: null }, { values: [], timestamps: [], watermarkMs: 5 }]);
    channel.attach({ send: (frame) => void sent.push(shown(frame)), close: () => undefined });
    channel.write("a", 1);
    expect(sent).toEqual(["x", "", "a"]);
  });
});

/** A receiver of some channels, by hand: what arrives waits, and is persisted as its channel says. */
class Receiver {
  readonly persisted: unknown[][];
  readonly gate: InputGate;

  constructor(channels: number) {
    this.persisted = Array.from({ length: channels }, () => []);
    const places = Array.from({ length: channels }, (_, index) => ({ index, edge: 0, name: { ...NAME, fromSubtask: index }, input: 0 as const }));
    this.gate = new InputGate(
      places.map((place) => new InputChannel(place, ({ index }, _id, buffer) => this.persisted[index]?.push(...(inFlightOf(buffer)?.values ?? [])))),
    );
  }

  channel(index: number): InputChannel {
    return this.gate.channels[index] as InputChannel;
  }

  arrives(index: number, buffer: Buffer): void {
    this.gate.receive(this.channel(index), buffer);
  }
}

describe("the receiving ends of channels", () => {
  it("give out what was restored first, of all channels, and never ask their sender for more than it may send", () => {
    const receiver = new Receiver(2);
    receiver.channel(1).restore([{ values: ["x", "y"], timestamps: [1, 1], watermarkMs: null }]);
    receiver.gate.restored();
    receiver.arrives(0, recordsBuffer(["a"], [1]));
    const taken: unknown[] = [];
    for (let channel = receiver.gate.nextChannel(); channel !== null; channel = receiver.gate.nextChannel()) {
      taken.push(...channel.take().values);
      receiver.gate.requeue(channel);
    }
    expect(taken).toEqual(["x", "y", "a"]);
  });

  it("count what was restored and not yet processed as in flight", () => {
    const receiver = new Receiver(1);
    receiver.channel(0).restore([{ values: ["x"], timestamps: [1], watermarkMs: null }, { values: ["y"], timestamps: [1], watermarkMs: 3 }]);
    receiver.gate.restored();
    receiver.gate.nextChannel()?.take();
    receiver.arrives(0, recordsBuffer(["a"], [1]));
    receiver.channel(0).barrierArrived(barrierOf(1, "unaligned"));
    receiver.arrives(0, recordsBuffer(["behind"], [1]));
    expect(receiver.channel(0).startPersisting(1)).toBe(true);
    expect(receiver.persisted).toEqual([["y", "a"]]);
  });

  it("take a queued barrier out of its place, and keep the records before it", () => {
    const receiver = new Receiver(1);
    receiver.arrives(0, recordsBuffer(["a"], [1]));
    receiver.arrives(0, eventBuffer({ kind: "barrier", ...barrierOf(1, "timed") }, ["b"], [1]));
    receiver.arrives(0, recordsBuffer(["c"], [1]));
    receiver.channel(0).startPersisting(1);
    receiver.channel(0).takeQueuedBarrier(1);
    expect(receiver.persisted).toEqual([["a", "b"]]);
    expect(receiver.channel(0).waiting().map(shown)).toEqual(["a", "b", "c"]);
  });

  it("cut every channel between the same records, whenever the checkpoint begins and the barriers arrive", () => {
    const step = fc.constantFrom("record", "record", "record", "barrier", "take", "take", "begin");
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, overtakes) => {
        const receiver = new Receiver(1);
        const channel = receiver.channel(0);
        const sent: number[] = [];
        const taken: unknown[] = [];
        let barrierAt: number | null = null;
        let consumedAt: number | null = null;
        const full = (): boolean => channel.waiting().length >= 7;
        for (const one of steps) {
          if (one === "record" && !full()) receiver.arrives(0, recordsBuffer([sent.push(sent.length) - 1], [1]));
          if (one === "take" && !channel.isEmpty) taken.push(...channel.take().values);
          if (one === "begin" && consumedAt === null) {
            consumedAt = taken.length;
            channel.startPersisting(1);
          }
          // A barrier that is taken in its order begins the checkpoint at the latest: here it always comes ahead, or is taken out.
          if (one === "barrier" && barrierAt === null && !full()) {
            barrierAt = sent.length;
            if (overtakes) channel.barrierArrived(barrierOf(1, "unaligned"));
            else receiver.arrives(0, eventBuffer({ kind: "barrier", ...barrierOf(1, "timed") }));
            if (consumedAt === null) {
              consumedAt = taken.length;
              channel.startPersisting(1);
            }
          }
        }
        if (barrierAt === null || consumedAt === null) return;
        expect(receiver.persisted[0]).toEqual(sent.slice(consumedAt, Math.max(barrierAt, consumedAt)));
      }),
      { numRuns: 1000, seed: 20_261_125 },
    );
  });
});
