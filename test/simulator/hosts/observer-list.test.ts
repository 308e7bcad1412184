import { describe, expect, it, test } from "vitest";
import { ObserverList } from "#whitewater/simulator/hosts/observer-list.js";
import { sometimesOracle } from "#whitewater/simulator/oracles/sometimes.js";
import { WatchedWorld } from "../oracles/watched-world.ts";

interface Observer {
  onWrite?(value: number, ...more: number[]): void;
  onRead?(): void;
}

class Counting implements Observer {
  readonly seen: number[] = [];
  readonly #factor: number;

  constructor(factor: number) {
    this.#factor = factor;
  }

  onWrite(value: number, ...more: number[]): void {
    this.seen.push(value * this.#factor, more.length);
  }
}

describe("a list of observers", () => {
  it("calls each with what it watches, and with nothing else", () => {
    const list = new ObserverList<Observer>();
    const counting = new Counting(10);
    list.push(counting);
    for (const one of list.guarded) {
      one.onWrite?.(1, 2, 3, 4, 5, 6, 7);
      expect(one.onRead).toBeUndefined();
    }
    expect(counting.seen).toEqual([10, 6]);
    expect([...list]).toEqual([counting]);
  });
});

test.each(["networkObservers", "blobObservers", "coordinationObservers", "logObservers"] as const)(
  "what one of the %s throws ends the run as a bug, and is never taken for an error of the user's",
  (service) => {
    const watched = new WatchedWorld(sometimesOracle, {});
    const { world } = watched;
    const fails = (): void => {
      throw new RangeError("it looked at the wrong place");
    };
    world[service].push({ onFrameSent: fails, onPut: fails, onWrite: fails, onAppend: fails });
    // Out of a step of the World's own it comes as it is; in a step of a process it is that run's crash.
    let thrown: unknown = null;
    try {
      watched.runToEnd();
    } catch (error) {
      thrown = error;
    }
    expect(String(thrown ?? world.kernel.crash?.error)).toContain("an observer failed: RangeError: it looked at the wrong place");
  },
);
