import { describe, expect, it } from "vitest";
import type { Connection } from "#whitewater/engine/ports/network.js";
import type { StreamFrame } from "#whitewater/engine/runtime/buffer.js";
import { OutputChannel } from "#whitewater/engine/runtime/output-channel.js";

function connected(bufferElements: number): { channel: OutputChannel; sent: StreamFrame[] } {
  const sent: StreamFrame[] = [];
  const channel = new OutputChannel(0, { edge: "a->b", fromSubtask: 0, toSubtask: 0 }, bufferElements, true);
  const connection: Connection<StreamFrame> = { send: (frame) => void sent.push(frame), close: () => undefined };
  channel.attach(connection);
  return { channel, sent };
}

describe("the sending end of a channel", () => {
  it("is collecting only while records wait, so that no flush is scheduled for nothing", () => {
    const { channel, sent } = connected(2);
    expect(channel.isCollecting).toBe(false);
    channel.write("a", 1);
    expect(channel.isCollecting).toBe(true);
    channel.write("b", 2);
    expect(sent).toHaveLength(1);
    expect(channel.isCollecting).toBe(false);
    channel.write("c", 3);
    channel.sendEvent({ kind: "watermark", watermarkMs: 3 });
    expect(channel.isCollecting).toBe(false);
  });

  it("keeps what exceeds the credit until the receiver grants more, in order", () => {
    const { channel, sent } = connected(1);
    for (let i = 0; i < 10; i += 1) channel.write(i, i);
    expect(sent).toHaveLength(8);
    expect(channel.hasRoom).toBe(false);
    channel.addCredit(4);
    const values = sent.flatMap((frame) => (frame.kind === "buffer" ? [...frame.values] : []));
    expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(channel.hasRoom).toBe(true);
  });
});
