import { Fifo } from "#whitewater/engine/base/fifo.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("a FIFO queue", () => {
  it("gives what came, in order, as an array would", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ arbitrary: fc.integer(), weight: 3 }, fc.constant(null)), { maxLength: 60 }), (actions) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        for (const action of actions) {
          if (action === null) expect(fifo.shift()).toBe(model.shift());
          else {
            fifo.push(action);
            model.push(action);
          }
          expect(fifo.size).toBe(model.length);
          expect(model.map((_, index) => fifo.at(index))).toEqual(model);
          expect(fifo.at(model.length)).toBeUndefined();
        }
      }),
    );
  });
});
