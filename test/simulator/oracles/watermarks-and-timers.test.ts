import { afterEach, describe, expect, test, vi } from "vitest";
import { TRACE } from "#whitewater/engine/ports/tracer.js";
import { WatermarkValve } from "#whitewater/engine/stream/watermark-valve.js";
import { WindowOperator } from "#whitewater/engine/operators/window-operator.js";
import { watermarksAndTimersOracle } from "#whitewater/simulator/oracles/watermarks-and-timers.js";
import { crashAt, WatchedWorld } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

test.each(["timers", "flights", "flights-late", "sparse"])("%s keeps its time, also across restores", (scenario) => {
  const plan = [
    crashAt("worker-3", 9_000_000),
    crashAt("worker-2", 9_000_000),
    crashAt("worker-1", 16_000_000),
  ] as const;
  expect(new WatchedWorld(watermarksAndTimersOracle, { scenario, plan, parallelism: 3 }).verdict()).toBe("nothing");
});

describe("time that goes wrong is named", () => {
  /** Lets something happen in a run of "flights" at the first point of a kind, and gives the findings. */
  const atFirst = (kind: number, then: (watched: WatchedWorld, subject: number, x: number) => void): readonly string[] => {
    const watched = new WatchedWorld(watermarksAndTimersOracle, { scenario: "flights" });
    let done = false;
    watched.world.kernel.on(kind, (_process, subject, x) => {
      if (done) return;
      done = true;
      then(watched, subject, x);
    });
    return watched.runUntil(12_000_000).findings;
  };

  test("a watermark that comes twice, or falls", () => {
    const findings: string[] = [];
    const watched = new WatchedWorld(watermarksAndTimersOracle, { scenario: "flights" });
    const { kernel } = watched.world;
    let repeated = false;
    kernel.on(TRACE.watermarkAdvanced, (process, subject, watermarkMs) => {
      if (repeated) return;
      repeated = true;
      kernel.point(process, TRACE.watermarkAdvanced, subject, watermarkMs, 0);
      kernel.point(process, TRACE.watermarkAdvanced, subject, watermarkMs - 1, 0);
    });
    findings.push(...watched.runUntil(6_000_000).findings);
    expect(findings[0]).toMatch(/, attempt \d+: the watermark goes from (-?\d+) to \1$/);
    expect(findings[1]).toMatch(/, attempt \d+: the watermark goes from -?\d+ to -?\d+$/);
  });

  test("a valve that takes the greatest instead of the least", () => {
    vi.spyOn(WatermarkValve.prototype as unknown as { emitMinimum(): void }, "emitMinimum").mockImplementation(function (
      this: unknown,
    ) {
      (this as { emitMaximum(): void }).emitMaximum();
    });
    const { findings } = new WatchedWorld(watermarksAndTimersOracle, { scenario: "flights" }).runUntil(12_000_000);
    expect(findings[0]).toMatch(/: the watermark is -?\d+, but its input has only reached -?\d+$/);
  });

  test("a timer that fires before its time", () => {
    const findings = atFirst(TRACE.timerFired, (watched, subject, timestampMs) => {
      const worker = watched.world.processes.find(({ engine, kind }) => kind === "worker" && "tasks" in engine && engine.tasks.length > 0);
      if (worker !== undefined) watched.world.kernel.point(worker.process, TRACE.timerFired, subject, timestampMs + 10_000_000_000, 0);
    });
    expect(findings.some((finding) => /: an event timer at \d+ fired when the watermark advanced to \d+$/.test(finding))).toBe(true);
  });

  test("a window that fires twice", () => {
    const proto = WindowOperator.prototype as unknown as { onTimer(timer: { timestampMs: number; namespace: number }): void };
    const onTimer = proto.onTimer;
    const again = new Set<number>();
    // Registers the timer of its window once more while it fires: it is due, and fires at once.
    vi.spyOn(proto, "onTimer").mockImplementation(function (this: unknown, timer) {
      onTimer.call(this as never, timer);
      if (again.has(timer.timestampMs)) return;
      again.add(timer.timestampMs);
      const { timers } = this as { timers: { register(domain: 0, namespace: number, timestampMs: number): void } };
      timers.register(0, timer.namespace, timer.timestampMs);
    });
    const { findings } = new WatchedWorld(watermarksAndTimersOracle, { scenario: "flights" }).runUntil(12_000_000);
    expect(findings[0]).toMatch(/\[\d\]: the window timer of ".* at -?\d+ fires 2 times$/);
  });
});
