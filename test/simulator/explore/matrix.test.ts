import { describe, expect, test } from "vitest";
import { matrixPipelines } from "#whitewater/scenarios/matrix/pipelines.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { checkJob } from "#whitewater/simulator/explore/check-job.js";
import { cellName, cellsWith, INVALID_CELLS, MATRIX, optionsOfCell, type MatrixCell } from "#whitewater/simulator/explore/matrix.js";
import type { RunOptions } from "#whitewater/simulator/scenario.js";

const libraries = await loadStateLibraries();

function optionsOf(cell: MatrixCell): RunOptions {
  return { bufferElements: 16, ...optionsOfCell(cell) } as RunOptions;
}

function refusalOf(cell: MatrixCell): string | null {
  try {
    const options = optionsOf(cell);
    checkJob(matrixPipelines.job(options), options, libraries);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("the matrix", () => {
  test("has 272 of 432 combinations, 204 of them exactly-once, and each has a name of its own", () => {
    expect(MATRIX.length + INVALID_CELLS.length).toBe(6 * 4 * 3 * 3 * 2);
    expect(MATRIX.length).toBe(272);
    expect(MATRIX.filter(({ mode }) => mode !== "at-least-once").length).toBe(204);
    expect(new Set([...MATRIX, ...INVALID_CELLS].map(cellName)).size).toBe(432);
  });

  test("holds what a job can be built and run with", () => {
    for (const cell of MATRIX) expect([cellName(cell), refusalOf(cell)]).toEqual([cellName(cell), null]);
  });

  test("leaves out only what is refused, for the same reason", () => {
    for (const cell of INVALID_CELLS) expect(refusalOf(cell)).toContain(cell.invalid.reason);
    expect(new Set(INVALID_CELLS.map(({ invalid }) => invalid.reason)).size).toBe(2);
    expect(INVALID_CELLS.every((cell) => cell.backend === "heap" || cell.failover === "region")).toBe(true);
  });

  test("changes the parallelism where a cell says so", () => {
    for (const cell of MATRIX) {
      const { parallelism, parallelismAfter } = optionsOf(cell);
      expect(Math.sign(parallelismAfter - parallelism)).toBe({ fewer: -1, same: 0, more: 1 }[cell.rescaling]);
    }
  });

  test("can be cut down to what is fixed", () => {
    expect(cellsWith({})).toEqual(MATRIX);
    expect(cellsWith({ backend: "heap", failover: "region" }).map(cellName)).toEqual(
      ["aligned", "aligned-timeout", "unaligned", "at-least-once"].flatMap((mode) =>
        ["full", "local"].map((restore) => `heap/${mode}/${restore}/same/region`),
      ),
    );
    expect(cellsWith({ parallelism: 2, parallelismAfter: 3 }).every(({ rescaling }) => rescaling === "more")).toBe(true);
    expect(cellsWith({ parallelism: 7 })).toEqual([]);
  });
});
