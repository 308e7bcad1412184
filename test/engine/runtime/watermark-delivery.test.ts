import { expect, test } from "vitest";
import { TIMERS_PER_STEP } from "#whitewater/engine/base/limits.js";
import { MAX_WATERMARK } from "#whitewater/engine/base/units.js";
import type { OperatorChain } from "#whitewater/engine/operators/operator-chain.js";
import type { ChannelEvent } from "#whitewater/engine/runtime/buffer.js";
import { WatermarkDelivery } from "#whitewater/engine/runtime/watermark-delivery.js";

/** A chain in which so many timers are due with each watermark. */
function chainWith(timersEach: number): Pick<OperatorChain, "advanceWatermark" | "endInput"> {
  let left = timersEach;
  return {
    advanceWatermark: (_watermarkMs, budget) => {
      left -= budget;
      if (left > 0) return false;
      left = timersEach;
      return true;
    },
    endInput: () => undefined,
  };
}

function deliveryOver(chain: Pick<OperatorChain, "advanceWatermark" | "endInput">): { delivery: WatermarkDelivery; sent: string[] } {
  const sent: string[] = [];
  const textOf = (event: ChannelEvent): string => {
    if (event.kind === "watermark") return event.watermarkMs === MAX_WATERMARK ? "MAX" : String(event.watermarkMs);
    return event.kind === "idle" ? (event.idle ? "idle" : "active") : event.kind;
  };
  const delivery = new WatermarkDelivery({
    chain: chain as OperatorChain,
    tracer: { intern: () => 0, point: () => undefined },
    subject: 0,
    broadcast: (event) => void sent.push(textOf(event)),
    inputEnded: () => undefined,
  });
  return { delivery, sent };
}

test("a second watermark and idleness of the same moment wait until the first watermark's timers have fired", () => {
  const { delivery, sent } = deliveryOver(chainWith(TIMERS_PER_STEP + 1));
  delivery.emitWatermark(10);
  delivery.emitWatermark(20);
  delivery.emitIdle(true);
  expect(sent).toEqual([]);
  delivery.proceed();
  expect(sent).toEqual(["10"]);
  delivery.proceed();
  expect(sent).toEqual(["10", "20", "idle"]);
  expect(delivery.isPending).toBe(false);
});

test("the end of the input is the watermark MAX, and then the end", () => {
  const { delivery, sent } = deliveryOver(chainWith(0));
  delivery.emitIdle(true);
  delivery.endInput();
  expect(sent).toEqual(["idle", "MAX", "end-of-input"]);
});
