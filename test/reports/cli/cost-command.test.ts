import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { costTable } from "#whitewater/reports/cost/cost-table.js";
import type { CostDocument, CostRow } from "#whitewater/reports/document/cost-document.js";
import { COST_INCIDENTS } from "#whitewater/reports/document/cost-document.js";
import { costSchema } from "#whitewater/reports/document/cost-schema.js";
import { renderCost } from "#whitewater/reports/document/render-cost.js";
import { wordCount } from "#whitewater/scenarios/word-count.js";
import { temporaryDirectory } from "../../temporary-directory.ts";
import { fakeProject, whitewater } from "./in-process.ts";

/** Word count with two backends that need no library. */
function measured(): CostDocument {
  const seen: string[] = [];
  const scenario = { ...wordCount, backends: ["heap", "lsm"] as const };
  const document = costTable(scenario, {
    tool: "0",
    libraries: { sqlite: null },
    progress: (done, total) => void seen.push(`${done}/${total}`),
  });
  expect(seen.at(-1)).toBe("18/18");
  return document;
}

const table = measured();
const rowOf = (backend: string, strategy: string): CostRow => {
  const row = table.rows.find((one) => one.backend === backend && one.strategy === strategy);
  if (row === undefined) throw new Error(`no row ${backend}/${strategy}`);
  return row;
};

describe("the table of costs", () => {
  it("is a valid document, the same for the same scenario", () => {
    expect(costSchema.parse(JSON.parse(JSON.stringify(table)))).toEqual(table);
    expect(JSON.stringify(measured())).toBe(JSON.stringify(table));
  });

  it("has every pair once, measured or with the reason why not", () => {
    const pairs = [...table.rows, ...table.notMeasured].map(({ backend, strategy }) => `${backend}/${strategy}`);
    expect(new Set(pairs).size).toBe(18);
    expect(table.rows.map(({ backend, strategy }) => `${backend}/${strategy}`)).toEqual([
      "heap/full",
      "heap/local",
      "lsm/full",
      "lsm/incremental",
      "lsm/local",
    ]);
    const heap = table.notMeasured.find(({ backend }) => backend === "heap");
    expect(heap).toEqual({ backend: "heap", strategy: "incremental", reason: "heap has no increments to restore from" });
    const text = renderCost(table);
    expect(text).toMatch(/heap has no increments to restore from: +heap\/incremental\n/);
    expect(text.split("\n").filter((line) => line.startsWith("lsm ") && line.includes("local"))).toHaveLength(4);
  });

  it("shows what each strategy reads, and what the loss of a disk changes", () => {
    for (const backend of ["heap", "lsm"]) {
      const full = rowOf(backend, "full").recoveries;
      const local = rowOf(backend, "local").recoveries;
      for (const incident of COST_INCIDENTS) {
        expect(full[incident].localBytes).toBe(0);
        expect(full[incident].from).toBe(table.afterCheckpoints);
      }
      expect(local["process-crash"]).toMatchObject({ remoteBytes: 0, requests: 0 });
      expect(local["process-crash"].localBytes).toBe(full["process-crash"].remoteBytes);
      for (const incident of ["disk-lost", "host-replaced"] as const) {
        const { remoteBytes, localBytes } = local[incident];
        expect(remoteBytes).toBeGreaterThan(0);
        expect(localBytes).toBeGreaterThan(0);
        expect(remoteBytes + localBytes).toBe(full[incident].remoteBytes);
      }
      expect(local["process-crash"].restoreUs).toBeLessThan(full["process-crash"].restoreUs);
      expect(full["host-replaced"].downUs).toBeGreaterThan(full["disk-lost"].downUs);
    }
    const incremental = rowOf("lsm", "incremental").recoveries;
    expect(incremental["process-crash"].localBytes).toBeGreaterThan(0);
    expect(incremental["disk-lost"].remoteBytes).toBeGreaterThan(incremental["process-crash"].remoteBytes);
    // A copy costs the disk's time before the acknowledgement.
    const durationOf = (strategy: string): number => rowOf("heap", strategy).checkpoints.durationUs.median;
    expect(durationOf("local")).toBeGreaterThan(durationOf("full"));
    expect(rowOf("heap", "local").checkpoints.bytes.median).toBeGreaterThan(0);
  });
});

describe("whitewater cost", () => {
  it("prints the table, or the document, of a scenario of the library", async () => {
    const printed = await whitewater(temporaryDirectory(), ["cost", "founding-state-backend"]);
    expect([printed.code, printed.stderr]).toEqual([0, ""]);
    expect(printed.stdout).toContain("restore after the crash of a worker's process");
    const { code, stdout } = await whitewater(temporaryDirectory(), ["cost", "founding-state-backend", "--json"]);
    expect(code).toBe(0);
    const document = costSchema.parse(JSON.parse(stdout));
    expect(document.rows.map(({ backend, strategy }) => [backend, strategy])).toEqual([["heap", "full"]]);
    expect(document.notMeasured).toHaveLength(17);
  });

  it("refuses what it does not know, with the way out and exit code 2", async () => {
    const unknown = await whitewater(temporaryDirectory(), ["cost", "flihgts"]);
    expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toMatch(/^whitewater: scenario "flihgts": there is none of that name; did you mean flights\?/);
    const option = await whitewater(temporaryDirectory(), ["cost", "flights", "--sed", "1"]);
    expect([option.code, option.stderr]).toEqual([2, expect.stringContaining("unknown option")]);
    const malformed = await whitewater(fakeProject("parallelisms: [],"), ["cost", "fake.mjs"]);
    expect(malformed.code).toBe(2);
  });

  it("says that there is nothing to measure in a job that takes no checkpoints", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "short.mjs"), SHORT_JOB);
    const { code, stdout, stderr } = await whitewater(directory, ["cost", "short.mjs"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      "whitewater: scenario short: its job completes 0 checkpoints where nothing goes wrong, so there is no restore to measure; " +
        "choose a longer one, with checkpoints (see list)\n",
    );
  });

  it("says what is wrong with a job that cannot be built", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "short.mjs"), SHORT_JOB.replace(/\.sinkTo.*;/, ";"));
    const { code, stderr } = await whitewater(directory, ["cost", "short.mjs"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^whitewater: scenario short: .*; correct its job\n$/);
  });
});

const SHORT_JOB = `
import { StreamExecutionEnvironment } from "${import.meta.resolve("#whitewater/engine/api/environment.js")}";
import { DiscardingSink } from "${import.meta.resolve("#whitewater/engine/connectors/discarding-sink.js")}";
export const scenario = {
  name: "short", title: "Short", doc: "",
  job: () => {
    const env = StreamExecutionEnvironment.create();
    env.fromElements(1, 2, 3).sinkTo(new DiscardingSink());
    return env.execute("short");
  },
  workload: () => [], outputs: [],
  cluster: { jobManagers: 1, workers: 2, slotsPerWorker: 2, processRestartUs: 1, hostRestartUs: 1 },
  budget: { most: {}, jobMayFail: false }, parallelisms: [1], confluent: true, sometimes: [],
};
`;
