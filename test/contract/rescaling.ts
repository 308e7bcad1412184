import { expect, it } from "vitest";
import { MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import { keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { Host, expectBytes, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest, Contents } from "./backend-under-test.ts";
import { touchAll } from "./sample-state.ts";

const MAX_PARALLELISM = 128;

/** What several subtasks hold together, and the watermark of each. */
function together(host: Host, subtasks: readonly KeyedBackend[]): { readonly parts: Omit<Contents, "watermarkMs">; readonly watermarks: readonly number[] } {
  const contents = subtasks.map((subtask) => host.contents(subtask));
  const all = (of: (one: Contents) => readonly string[]): readonly string[] => contents.flatMap(of).sort();
  return {
    parts: { entries: all((one) => one.entries), eventTime: all((one) => one.eventTime), processingTime: all((one) => one.processingTime) },
    watermarks: contents.map((one) => one.watermarkMs),
  };
}

export function rescalingTests(subject: BackendUnderTest): void {
  const { capabilities } = subject;

  function subtasks(host: Host, parallelism: number, sections: readonly Uint8Array[]): KeyedBackend[] {
    return Array.from({ length: parallelism }, (_, index) =>
      host.restored(sections, { range: keyGroupRange(MAX_PARALLELISM, parallelism, index), maxParallelism: MAX_PARALLELISM }),
    );
  }

  it("cuts and merges state and timers: 128, 3, 5, 1, 2 and 128 subtasks", () => {
    const host = new Host(subject);
    const original = host.open({ range: { start: 0, end: MAX_PARALLELISM - 1 }, maxParallelism: MAX_PARALLELISM });
    for (let round = 0; round < 2; round++) touchAll(original, capabilities, round, MAX_PARALLELISM);
    original.watermarkMs = 77;
    const whole = snapshotOf(original);
    const { parts } = together(host, [original]);
    let sections: readonly Uint8Array[] = [whole];
    for (const parallelism of [128, 3, 5, 1, 2, 128]) {
      const running = subtasks(host, parallelism, sections);
      const now = together(host, running);
      expect(now.parts).toEqual(parts);
      expect(new Set(now.watermarks)).toEqual(new Set([77]));
      sections = running.map(snapshotOf);
      if (parallelism === 1) expectBytes(sections[0], whole);
      for (const subtask of running) subtask.dispose();
    }
  });

  it("gives each subtask the keys of its range, and lets it work on", () => {
    const host = new Host(subject);
    const original = host.open({ range: { start: 0, end: MAX_PARALLELISM - 1 }, maxParallelism: MAX_PARALLELISM });
    touchAll(original, capabilities, 0, MAX_PARALLELISM);
    const three = subtasks(host, 3, [snapshotOf(original)]);
    for (const one of [original, ...three]) touchAll(one, capabilities, 1, MAX_PARALLELISM);
    const five = subtasks(host, 5, three.map(snapshotOf));
    for (const one of [original, ...five]) touchAll(one, capabilities, 2, MAX_PARALLELISM);
    expect(together(host, five).parts).toEqual(together(host, [original]).parts);
  });

  it("takes the least watermark of the subtasks that a range comes from", () => {
    const host = new Host(subject);
    const old = subtasks(host, 3, []);
    const marks = [500, 400, 450];
    old.forEach((subtask, index) => (subtask.watermarkMs = marks[index]!));
    const sections = old.map(snapshotOf);
    expect(together(host, subtasks(host, 5, sections)).watermarks).toEqual([500, 400, 400, 400, 450]);
    expect(together(host, subtasks(host, 1, sections)).watermarks).toEqual([400]);
    expect(together(host, subtasks(host, 3, [...sections].reverse())).watermarks).toEqual(marks);
    // Nothing that reaches into the range: as before any watermark.
    expect(subtasks(host, 3, [sections[0]!]).map((subtask) => subtask.watermarkMs)).toEqual([500, MIN_WATERMARK, MIN_WATERMARK]);
  });

  it("keeps watermarks by key group: a subtask that was merged and split again does not forget the least", () => {
    const host = new Host(subject);
    const old = subtasks(host, 2, []);
    old[0]!.watermarkMs = 10;
    const merged = subtasks(host, 1, old.map(snapshotOf));
    expect(merged[0]!.watermarkMs).toBe(MIN_WATERMARK);
    merged[0]!.watermarkMs = 30;
    expect(subtasks(host, 2, merged.map(snapshotOf)).map((subtask) => subtask.watermarkMs)).toEqual([30, 30]);
  });
}
