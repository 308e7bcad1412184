import { afterEach, describe, expect, test, vi } from "vitest";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { committedOutputOracle } from "#whitewater/simulator/oracles/committed-output.js";
import type { OracleKind } from "#whitewater/simulator/oracles/oracle.js";
import { provenanceOracle } from "#whitewater/simulator/oracles/provenance.js";
import { referenceStateOracle } from "#whitewater/simulator/oracles/reference-state.js";
import { restoreFidelityOracle } from "#whitewater/simulator/oracles/restore-fidelity.js";
import { survivingHistoryOracle } from "#whitewater/simulator/oracles/surviving-history.js";
import { watermarksAndTimersOracle } from "#whitewater/simulator/oracles/watermarks-and-timers.js";
import { onEvent, WatchedWorld } from "./watched-world.js";
import type { WatchOptions } from "./watched-world.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A job that is given another parallelism when its fifth checkpoint has completed. */
function rescaled(parallelism: number, parallelismAfter: number, more: WatchOptions = {}): WatchOptions {
  const plan = [{ kind: "rescale", at: onEvent("checkpointCompleted", "jm-1", null, 5), parallelism: parallelismAfter }] as const;
  return { parallelism, parallelismAfter, plan, ...more };
}

const ORACLES = [restoreFidelityOracle, provenanceOracle, survivingHistoryOracle, committedOutputOracle, watermarksAndTimersOracle];

describe.each([[2, 3], [4, 2]])("a job that goes on with another parallelism (%i, then %i) is found right", (before, after) => {
  test.each(ORACLES)("by $name", (kind) => {
    for (const scenario of ["word-count", "flights-late", "timers"]) {
      const watched = new WatchedWorld(kind, rescaled(before, after, { scenario })).runToEnd();
      expect([scenario, watched.findings]).toEqual([scenario, []]);
      expect(watched.world.jobEnd?.status).toBe("finished");
    }
  });
});

/** What an oracle finds first where each backend is restored in this way. */
function found(kind: OracleKind, options: WatchOptions, instead: (backend: HeapKeyedBackend, restore: (pieces: readonly Uint8Array[]) => void, pieces: readonly Uint8Array[]) => void): string {
  vi.restoreAllMocks();
  const restore = HeapKeyedBackend.prototype.restore;
  vi.spyOn(HeapKeyedBackend.prototype, "restore").mockImplementation(function (this: HeapKeyedBackend, pieces) {
    instead(this, (some) => restore.call(this, some), pieces);
  });
  return new WatchedWorld(kind, options).verdict();
}

describe("after a change of the parallelism is named", () => {
  const firstPieceOnly = (kind: OracleKind, scenario: string): string =>
    found(kind, rescaled(4, 2, { scenario }), (_backend, restore, pieces) => restore(pieces.slice(0, 1)));

  test("the state of an old subtask that no new one got", () => {
    expect(firstPieceOnly(restoreFidelityOracle, "word-count")).toMatch(/^sum.*\[\d\], attempt \d+, restored from checkpoint \d+: "sum": \w+ of ".*" is missing, recorded is/);
    expect(firstPieceOnly(provenanceOracle, "word-count")).toMatch(/^checkpoint \d+, sum: key ".*": expected \d+ records, got \d+/);
    expect(firstPieceOnly(referenceStateOracle, "word-count")).toMatch(/^checkpoint \d+, sum: key ".*": expected \{word: ".*", count: \d+\}, got /);
    expect(firstPieceOnly(survivingHistoryOracle, "flights-late")).toMatch(/^checkpoint \d+, .*: key ".*" window .*: expected .*, got /);
    expect(firstPieceOnly(committedOutputOracle, "flights-late")).toMatch(/^\S+: key ".*", record \d+: expected \{.*\}, got /);
  });

  test("a watermark that is not the least of those of the old subtasks", () => {
    const later = (backend: HeapKeyedBackend, restore: (pieces: readonly Uint8Array[]) => void, pieces: readonly Uint8Array[]): void => {
      restore(pieces);
      backend.watermarkMs += 1;
    };
    expect(found(restoreFidelityOracle, rescaled(2, 3, { scenario: "timers" }), later)).toMatch(/: the watermark is \d+, recorded is \d+$/);
  });

  test("offsets that were not dealt out: partitions begin anew", () => {
    const restore = OperatorStateBackend.prototype.restore;
    vi.spyOn(OperatorStateBackend.prototype, "restore").mockImplementation(function (this: OperatorStateBackend, bytes) {
      if (bytes.length > 1_000_000) restore.call(this, bytes);
    });
    const options = rescaled(2, 3);
    expect(new WatchedWorld(restoreFidelityOracle, options).runUntil(14_000_000).findings[0]).toMatch(/^words\[\d\], .*: "words": .*list "offsets" is none, recorded is \[\{/);
    expect(new WatchedWorld(provenanceOracle, options).runUntil(14_000_000).findings[0]).toMatch(/^checkpoint \d+: words\/\d is at offset \d+, but was at \d+ before$/);
  });
});
