import { expect, test } from "vitest";
import { RestartStrategies } from "#whitewater/engine/api/restart-strategies.js";
import type { RestartStrategy } from "#whitewater/engine/graph/stream-graph.js";
import { createRestartBackoff } from "#whitewater/engine/restore/restart/create-restart-backoff.js";
import type { RestartBackoff, RestartBackoffSnapshot } from "#whitewater/engine/restore/restart/restart-backoff.js";

const US = 1000;

/** A strategy under a clock that the test moves, with jitter drawn by `draw(bound)`. */
class Restarting {
  nowMs = 0;
  readonly labels: string[] = [];
  readonly #backoff: RestartBackoff;

  constructor(strategy: RestartStrategy, draw: (bound: number) => number = () => 0) {
    const clock = { nowUs: () => this.nowMs * US, processingTimeMs: () => 0 };
    const stream = (label: string) => (this.labels.push(label), { below: draw });
    this.#backoff = createRestartBackoff(strategy, { clock, rng: { stream } });
  }

  /** Milliseconds until the restart; null where the job fails. */
  fail(): number | null {
    this.#backoff.notifyFailure();
    return this.#backoff.canRestart() ? this.#backoff.delayUs() / US : null;
  }

  /** Fails, and again a millisecond after each restart. */
  failInARow(times: number): (number | null)[] {
    return Array.from({ length: times }, () => {
      const delayMs = this.fail();
      this.nowMs += (delayMs ?? 0) + 1;
      return delayMs;
    });
  }

  inspect(): RestartBackoffSnapshot {
    return this.#backoff.inspect();
  }

  /** True where the failure counts as a new attempt. */
  isNewAttempt(): boolean {
    return this.#backoff.notifyFailure();
  }
}

const withoutJitter = { jitterFactor: 0 } as const;

test("none: the first failure is final", () => {
  expect(new Restarting(RestartStrategies.none()).fail()).toBeNull();
});

test("fixed delay: so many restarts, then failure; by default one, after a second", () => {
  expect(new Restarting(RestartStrategies.fixedDelay(3, 250)).failInARow(5)).toEqual([250, 250, 250, null, null]);
  expect(new Restarting(RestartStrategies.fixedDelay()).failInARow(2)).toEqual([1000, null]);
  expect(new Restarting(RestartStrategies.fixedDelay(0, 250)).fail()).toBeNull();
});

test("exponential delay: 1 s, times 1.5 without rounding in between, up to a minute", () => {
  const restarting = new Restarting(RestartStrategies.exponentialDelay(withoutJitter));
  const expected = [1000, 1500, 2250, 3375, 5062, 7593, 11_390, 17_085, 25_628, 38_443, 57_665, 60_000, 60_000];
  expect(restarting.failInARow(expected.length)).toEqual(expected);
  expect(restarting.labels).toEqual([]);
});

test("exponential delay: 4 ms, times 2.3", () => {
  const options = { ...withoutJitter, initialBackoffMs: 4, maxBackoffMs: 1000, backoffMultiplier: 2.3 };
  expect(new Restarting(RestartStrategies.exponentialDelay(options)).failInARow(3)).toEqual([4, 9, 21]);
});

test("exponential delay begins anew when nothing failed for the threshold, counted from the restart", () => {
  const options = { ...withoutJitter, initialBackoffMs: 1, maxBackoffMs: 5, backoffMultiplier: 2, resetBackoffThresholdMs: 8 };
  const restarting = new Restarting(RestartStrategies.exponentialDelay(options));
  expect(restarting.fail()).toBe(1);
  restarting.nowMs += 8 + 1 - 1;
  expect(restarting.fail()).toBe(2);
  restarting.nowMs += 8 + 2;
  expect(restarting.fail()).toBe(1);
});

test("exponential delay: failures up to the restart, it included, belong to the same attempt and wait for the rest", () => {
  const restarting = new Restarting(RestartStrategies.exponentialDelay({ ...withoutJitter, maxAttempts: 1 }));
  expect(restarting.fail()).toBe(1000);
  restarting.nowMs = 400;
  expect(restarting.isNewAttempt()).toBe(false);
  expect(restarting.fail()).toBe(600);
  restarting.nowMs = 1000;
  expect(restarting.fail()).toBe(0);
  restarting.nowMs = 1001;
  expect(restarting.isNewAttempt()).toBe(true);
  restarting.nowMs = 1002;
  expect(restarting.fail()).toBeNull();
});

test("exponential delay: n attempts allow n restarts in a row, and count anew after the threshold", () => {
  const options = { ...withoutJitter, maxAttempts: 2, resetBackoffThresholdMs: 10_000 };
  const restarting = new Restarting(RestartStrategies.exponentialDelay(options));
  expect(restarting.failInARow(2)).toEqual([1000, 1500]);
  restarting.nowMs += 10_000;
  expect(restarting.failInARow(3)).toEqual([1000, 1500, null]);
});

test("exponential delay: jitter lies within its share of the wait, and within initial and maximum", () => {
  const strategy = RestartStrategies.exponentialDelay({ jitterFactor: 0.1 });
  const bounds: number[] = [];
  const least = new Restarting(strategy, (bound) => (bounds.push(bound), 0));
  expect(least.failInARow(4)).toEqual([1000, 1350, 2025, 3038]);
  expect(bounds).toEqual([201, 301, 451, 675]);
  const most = new Restarting(strategy, (bound) => bound - 1);
  expect(most.failInARow(12)).toEqual([1100, 1650, 2475, 3712, 5568, 8352, 12_529, 18_793, 28_190, 42_287, 60_000, 60_000]);
  expect(new Set(most.labels)).toEqual(new Set(["restart-jitter"]));
});

test("exponential delay: the longest backoff with the steepest growth and full jitter stays within what can be drawn", () => {
  const maxBackoffMs = 2_147_483_647;
  const options = { initialBackoffMs: 1, maxBackoffMs, backoffMultiplier: 1e300, jitterFactor: 1 };
  const restarting = new Restarting(RestartStrategies.exponentialDelay(options), (bound) => {
    expect(bound).toBeLessThanOrEqual(4_294_967_296);
    return bound - 1;
  });
  expect(restarting.failInARow(4)).toEqual([2, maxBackoffMs, maxBackoffMs, maxBackoffMs]);
});

test("failure rate: refuses when more failures than allowed lie within the interval, its end included", () => {
  const strategy = RestartStrategies.failureRate(2, 1000, 50);
  const failuresAt = (...timesMs: readonly number[]): (number | null)[] => {
    const restarting = new Restarting(strategy);
    return timesMs.map((nowMs) => ((restarting.nowMs = nowMs), restarting.fail()));
  };
  expect(failuresAt(0, 500, 1000)).toEqual([50, 50, null]);
  expect(failuresAt(0, 500, 1001, 1500)).toEqual([50, 50, 50, null]);
  expect(failuresAt(0, 500, 1001, 1501, 2002)).toEqual([50, 50, 50, 50, 50]);
});

test("failure rate: by default one failure a minute is borne, and the restart waits a second", () => {
  const restarting = new Restarting(RestartStrategies.failureRate());
  expect(restarting.fail()).toBe(1000);
  restarting.nowMs = 60_000;
  expect(restarting.fail()).toBeNull();
  restarting.nowMs = 120_001;
  expect(restarting.fail()).toBe(1000);
});

test("what can be looked at are the failures that count, how many are tolerated, and the delay", () => {
  expect(new Restarting(RestartStrategies.none()).inspect()).toEqual({ strategy: "none", failures: 0, tolerated: 0, delayMs: null });
  const fixed = new Restarting(RestartStrategies.fixedDelay(3, 250));
  fixed.failInARow(2);
  expect(fixed.inspect()).toEqual({ strategy: "fixed-delay", failures: 2, tolerated: 3, delayMs: 250 });
  const growing = new Restarting(RestartStrategies.exponentialDelay(withoutJitter));
  growing.failInARow(3);
  expect(growing.inspect()).toEqual({ strategy: "exponential-delay", failures: 3, tolerated: null, delayMs: 2250 });
  const rated = new Restarting(RestartStrategies.failureRate(2, 1_000, 10));
  rated.fail();
  rated.nowMs += 900;
  rated.fail();
  expect(rated.inspect()).toEqual({ strategy: "failure-rate", failures: 2, tolerated: 2, delayMs: 10 });
  rated.nowMs += 200;
  expect(rated.inspect().failures).toBe(1);
});
