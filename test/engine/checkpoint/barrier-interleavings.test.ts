import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AlignedBarrierHandler } from "#whitewater/engine/checkpoint/aligned-barrier-handler.js";
import { AlternatingBarrierHandler } from "#whitewater/engine/checkpoint/alternating-barrier-handler.js";
import type { BarrierAlignment, BarrierHandler } from "#whitewater/engine/checkpoint/barrier-handler.js";
import { BarrierTracker } from "#whitewater/engine/checkpoint/barrier-tracker.js";
import { barrierOf } from "./handler-under-test.ts";

type Item = { readonly kind: "barrier" | "cancel"; readonly id: number } | { readonly kind: "end" };

/** What one channel carries: ids ascend, some are missing or cancelled, and the channel may close. */
const channelItems: fc.Arbitrary<readonly Item[]> = fc
  .tuple(fc.array(fc.constantFrom("barrier", "barrier", "barrier", "cancel", "missing"), { maxLength: 8 }), fc.boolean())
  .map(([kinds, ends]) => {
    const items: Item[] = [];
    kinds.forEach((kind, index) => {
      if (kind !== "missing") items.push({ kind: kind === "cancel" ? "cancel" : "barrier", id: index + 1 });
    });
    return ends ? [...items, { kind: "end" }] : items;
  });

const streams = fc.record({
  channels: fc.array(channelItems, { minLength: 1, maxLength: 4 }),
  /** Which channel delivers next, of those that can. */
  turns: fc.infiniteStream(fc.nat(1000)),
});

/** A task that delivers its channels in a drawn order, minds what is blocked, and notes what the handler says. */
class Delivery {
  readonly blocked: Set<number> = new Set();
  readonly triggered: number[] = [];
  readonly aborted: number[] = [];
  readonly barriersSeen: Set<number>[];
  readonly ended: Set<number> = new Set();
  persistingFor: number | null = null;
  handler!: BarrierHandler;
  readonly #queues: Item[][];

  constructor(channels: readonly (readonly Item[])[]) {
    this.#queues = channels.map((items) => [...items]);
    this.barriersSeen = channels.map(() => new Set());
  }

  readonly actions = {
    blockChannel: (channel: number): void => void this.blocked.add(channel),
    unblockChannel: (channel: number): void => void this.blocked.delete(channel),
    unblockAll: (): void => this.blocked.clear(),
    triggerCheckpoint: ({ checkpointId }: { readonly checkpointId: number }): void => void this.triggered.push(checkpointId),
    abortCheckpoint: (checkpointId: number): void => void this.aborted.push(checkpointId),
    startPersisting: (checkpointId: number): boolean => {
      expect(this.persistingFor).toBe(null);
      this.persistingFor = checkpointId;
      return true;
    },
    finishPersisting: (checkpointId: number): void => expect(this.persistingFor).toBe(checkpointId),
    stopPersisting: (): void => {
      this.persistingFor = null;
    },
    takeQueuedBarrier: (): void => undefined,
    timedOut: (): void => undefined,
    startTimer: (): void => undefined,
    stopTimer: (): void => undefined,
    nowUs: (): number => 0,
  };

  run(turns: Iterator<number>, alignment: BarrierAlignment, check: () => void): void {
    for (;;) {
      const ready = [...this.#queues.keys()].filter((channel) => this.#queues[channel]?.length !== 0 && !this.blocked.has(channel));
      if (ready.length === 0) return;
      const channel = ready[(turns.next().value as number) % ready.length] as number;
      const item = this.#queues[channel]?.shift() as Item;
      if (item.kind === "barrier") {
        this.barriersSeen[channel]?.add(item.id);
        this.handler.barrier(channel, barrierOf(item.id, alignment));
      } else if (item.kind === "cancel") this.handler.cancel(channel, item.id);
      else {
        this.ended.add(channel);
        this.handler.endOfPartition(channel);
      }
      check();
    }
  }

  sawEverywhere(id: number): boolean {
    return this.barriersSeen.every((seen, channel) => seen.has(id) || this.ended.has(channel));
  }
}

/** What holds for all handlers after each step. */
function checkAlways(delivery: Delivery): void {
  const { handler, triggered, aborted, blocked } = delivery;
  expect(triggered).toEqual([...new Set(triggered)].toSorted((left, right) => left - right));
  expect(new Set(aborted).size).toBe(aborted.length);
  if (!handler.isPending) expect([...blocked]).toEqual([]);
}

const RUNS = { numRuns: 500, seed: 20_261_125 } as const;

describe("whatever the order in which channels deliver barriers, cancellations and their ends", () => {
  test("aligned barriers trigger only complete checkpoints, and leave no channel blocked that nobody waits for", () => {
    fc.assert(
      fc.property(streams, ({ channels, turns }) => {
        const delivery = new Delivery(channels);
        delivery.handler = new AlignedBarrierHandler(channels.length, delivery.actions);
        let seen = 0;
        delivery.run(turns[Symbol.iterator](), "aligned", () => {
          checkAlways(delivery);
          const { triggered, aborted } = delivery;
          if (triggered.length > seen) expect(delivery.sawEverywhere(triggered.at(-1) as number)).toBe(true);
          seen = triggered.length;
          expect(triggered.some((id) => aborted.includes(id))).toBe(false);
          expect([...delivery.blocked].toSorted()).toEqual(
            delivery.handler.alignedChannels().filter((channel) => !delivery.ended.has(channel)),
          );
        });
      }),
      RUNS,
    );
  });

  test.each(["unaligned", "timed"] as const)("%s barriers persist for one checkpoint at a time, and for none once nothing is pending", (alignment) => {
    fc.assert(
      fc.property(streams, ({ channels, turns }) => {
        const delivery = new Delivery(channels);
        delivery.handler = new AlternatingBarrierHandler(channels.length, 0, delivery.actions);
        delivery.run(turns[Symbol.iterator](), alignment, () => {
          checkAlways(delivery);
          const { handler, persistingFor, triggered, aborted } = delivery;
          if (persistingFor !== null) expect([handler.isPending, persistingFor, triggered.at(-1)]).toEqual([true, handler.currentCheckpointId, persistingFor]);
          // One that was triggered may still be given up while its barriers are awaited, but only then.
          for (const id of triggered) if (aborted.includes(id)) expect(id).not.toBe(persistingFor);
        });
      }),
      RUNS,
    );
  });

  test("the tracker triggers only complete checkpoints, each that is complete before a newer one, and blocks nothing", () => {
    fc.assert(
      fc.property(streams, ({ channels, turns }) => {
        const delivery = new Delivery(channels);
        delivery.handler = new BarrierTracker(channels.length, delivery.actions);
        let seen = 0;
        delivery.run(turns[Symbol.iterator](), "aligned", () => {
          checkAlways(delivery);
          const { triggered, aborted } = delivery;
          if (triggered.length > seen) expect(delivery.sawEverywhere(triggered.at(-1) as number)).toBe(true);
          seen = triggered.length;
          expect(triggered.some((id) => aborted.includes(id))).toBe(false);
          expect(delivery.blocked.size).toBe(0);
        });
        const everywhere = channels.every((items) => items.every(({ kind }) => kind === "barrier"));
        const ids = everywhere ? [...Array(9).keys()].filter((id) => delivery.barriersSeen.every((one) => one.has(id))) : [];
        for (const id of ids) expect(delivery.triggered).toContain(id);
      }),
      RUNS,
    );
  });
});
