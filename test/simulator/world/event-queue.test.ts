import { EventQueue } from "#whitewater/simulator/world/event-queue.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

function drain(queue: EventQueue): number[] {
  const times: number[] = [];
  for (let callback = queue.take(); callback !== null; callback = queue.take()) {
    times.push(queue.timeUs);
    callback();
  }
  return times;
}

describe("the event queue", () => {
  test("delivers by time, then tie, then the order of scheduling", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(3)), { size: "max", maxLength: 200 }), (events) => {
        const queue = new EventQueue();
        const delivered: number[] = [];
        events.forEach(([timeUs, tie], index) => queue.push(timeUs, tie, null, () => delivered.push(index), false));
        drain(queue);
        const expected = events
          .map(([timeUs, tie], index) => ({ timeUs, tie, index }))
          .sort((a, b) => a.timeUs - b.timeUs || a.tie - b.tie || a.index - b.index)
          .map(({ index }) => index);
        expect(delivered).toEqual(expected);
      }),
    );
  });

  test("never delivers what was cancelled, and ignores handles of what was delivered", () => {
    const queue = new EventQueue();
    const delivered: string[] = [];
    const first = queue.push(1, 0, null, () => delivered.push("first"), false);
    const second = queue.push(2, 0, null, () => delivered.push("second"), false);
    queue.cancel(second);
    queue.take()?.();
    queue.cancel(first);
    queue.push(3, 0, null, () => delivered.push("third"), false);
    queue.cancel(first);
    drain(queue);
    expect(delivered).toEqual(["first", "third"]);
  });

  test("keeps the handle of a postponed event good", () => {
    const queue = new EventQueue();
    const delivered: string[] = [];
    const handle = queue.push(1, 0, null, () => delivered.push("late"), false);
    const callback = queue.take();
    queue.postponeTaken(10, callback as () => void);
    expect(queue.peekTimeUs()).toBe(10);
    queue.cancel(handle);
    expect(drain(queue)).toEqual([]);
    expect(delivered).toEqual([]);
  });
});
