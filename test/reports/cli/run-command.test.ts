import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reportSchema } from "#whitewater/reports/document/report-schema.js";
import type { Simulate } from "#whitewater/reports/sweep/run-seed.js";
import { aFinding, fakeResult, fakeSimulate } from "../fake-simulator.js";
import { fakeProject, scenarioFile, whitewater } from "./in-process.js";

const RUN = ["run", "fake.mjs", "--jobs", "1"];

describe("whitewater run", () => {
  it("reports a sweep without findings, says first what it runs, and exits with 0", async () => {
    const { code, stdout } = await whitewater(fakeProject(), [...RUN, "--seeds", "1-30"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^whitewater \d\S* {2}profile swarm {2}seeds 1-30\n/);
    expect(stdout).toMatch(/\nok: nothing found\n$/);
  });

  it("writes a record of a failing run and ends with the line that shows it again", async () => {
    const cwd = fakeProject();
    const simulate = fakeSimulate(["7"]);
    const { code, stdout } = await whitewater(cwd, [...RUN, "--seeds", "1-30"], { simulate });
    expect(code).toBe(1);
    const [record] = readdirSync(join(cwd, ".whitewater"));
    expect(stdout).toMatch(/\nexplore: {4}npx whitewater ui \.whitewater\/\S+\.json\n$/);
    expect(stdout).toContain(`explore:    npx whitewater ui .whitewater/${record}`);
    const token = /\nreproduce: {2}npx whitewater replay (\S+)\n/.exec(stdout)?.[1] ?? "";
    for (const target of [token, join(".whitewater", record ?? "")]) {
      const replayed = await whitewater(cwd, ["replay", target], { simulate });
      expect(replayed.code).toBe(1);
      expect(replayed.stdout).toContain("the same as the");
    }
  });

  it("writes nothing into the directory of records where nothing failed", async () => {
    const cwd = fakeProject();
    await whitewater(cwd, [...RUN, "--seed", "7"]);
    expect(existsSync(join(cwd, ".whitewater"))).toBe(false);
  });

  it("reports a finding also where its record cannot be written", async () => {
    const simulate = fakeSimulate(["7"]);
    const ended = await whitewater(fakeProject(), [...RUN, "--seed", "7", "--out", "fake.mjs"], { simulate });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/cannot be written .*choose another directory with --out/);
    expect(ended.stdout).toMatch(/\nreproduce: .*@7#/);
    expect(ended.stdout).not.toContain("explore:");
  });

  it("hands the options to the simulator", async () => {
    const seen: unknown[] = [];
    const simulate: Simulate = (_scenario, request) => {
      seen.push(request);
      return fakeResult(request);
    };
    const fixing = ["--parallelism", "2", "--backend", "heap", "--mode", "aligned", "--restore", "full"];
    const args = ["--seed", "0x1f", "--profile", "network", "--max-steps", "99", "--self-check", "0%", ...fixing];
    expect((await whitewater(fakeProject(), [...RUN, ...args], { simulate })).code).toBe(0);
    expect(seen).toEqual([
      {
        seed: "31",
        profile: "network",
        fixed: { parallelism: 2, parallelismAfter: 2, backend: "heap", mode: "aligned", restore: "full" },
        plan: null,
        oracles: true,
        checked: false,
        maxSteps: 99,
        restoreEvery: false,
      },
    ]);
  });

  it("gives nothing but the report on standard output, in JSON as its schema says", async () => {
    const { stdout, stderr } = await whitewater(fakeProject(), [...RUN, "--seeds", "1-30", "--reporter", "json"]);
    const report = reportSchema.parse(JSON.parse(stdout));
    expect(report.runs).toHaveLength(30);
    expect(report.exitCode).toBe(0);
    expect(stderr).toContain("seeds 1-30");
  });

  it("writes reports to files, beside the one on standard output", async () => {
    const cwd = fakeProject();
    const reporters = ["--reporter", "default", "--reporter", "json=out/report.json", "--reporter", "default=report.txt"];
    const { stdout } = await whitewater(cwd, [...RUN, "--seeds", "1-9", ...reporters]);
    expect(readFileSync(join(cwd, "report.txt"), "utf8")).toBe(stdout);
    expect(reportSchema.parse(JSON.parse(readFileSync(join(cwd, "out/report.json"), "utf8"))).totals.runs).toBe(9);
  });

  it("stops after --bail failing runs", async () => {
    const simulate = fakeSimulate(["2", "3", "4"]);
    const { code, stdout } = await whitewater(fakeProject(), [...RUN, "--seeds", "1-30", "--bail", "2"], { simulate });
    expect(code).toBe(1);
    expect(stdout).toContain("stopped after 2 failing runs (--bail)");
  });

  it("reports what was found so far when it is interrupted, and exits with 130", async () => {
    let interrupt = (): void => {};
    let runs = 0;
    const simulate: Simulate = (scenario, request) => {
      if (++runs === 12) interrupt();
      return fakeSimulate(["3"])(scenario, request);
    };
    const { code, stdout } = await whitewater(fakeProject(), [...RUN, "--seeds", "1-100000"], {
      simulate,
      onInterruptible: (callback) => (interrupt = callback),
    });
    expect(code).toBe(130);
    expect(stdout).toContain("interrupted: this is what was found so far");
    expect(stdout).toMatch(/\nreproduce: .*@3#/);
    expect(runs).toBeLessThan(15);
  });

  it("exits with 4 where a run repeats otherwise, and says what does that", async () => {
    let runs = 0;
    const simulate: Simulate = (_scenario, request) => fakeResult(request, { steps: runs++, digest: String(runs).padStart(16, "0") });
    const { code, stdout } = await whitewater(fakeProject(), [...RUN, "--seed", "1", "--self-check", "100%"], { simulate });
    expect(code).toBe(4);
    expect(stdout).toContain("two runs of this seed differ");
    expect(stdout).toContain("determinism: 1 of 2 runs");
  });

  it("exits with 3 where a run got stuck, and with 5 where a declared path was never reached", async () => {
    const stuck: Simulate = (_scenario, request) => fakeResult(request, { verdict: "stuck", findings: [aFinding()] });
    expect((await whitewater(fakeProject(), [...RUN, "--seed", "1"], { simulate: stuck })).code).toBe(3);
    const never: Simulate = (_scenario, request) => fakeResult(request, { sometimes: {} });
    const vacuous = await whitewater(fakeProject(), [...RUN, "--seeds", "1-200"], { simulate: never });
    expect(vacuous.code).toBe(5);
    expect(vacuous.stdout).toContain("never reached in 200 runs: crash during restore");
  });

  it("exits with 70 and says how to report where the simulator itself throws", async () => {
    const simulate: Simulate = () => {
      throw new TypeError("x is not a function");
    };
    const { code, stderr } = await whitewater(fakeProject(), [...RUN, "--seed", "1"], { simulate });
    expect(code).toBe(70);
    expect(stderr).toMatch(/internal error, please report it.*fake, seed 1: the simulator threw\ncaused by: TypeError: x is not a function\n +at /s);
  });

  it("colours for a terminal only, and not where NO_COLOR or --no-color refuse it", async () => {
    const args = [...RUN, "--seed", "1"];
    const coloured = async (extra: string[], env: Record<string, string> = {}): Promise<boolean> =>
      (await whitewater(fakeProject(), [...args, ...extra], { terminal: true, env })).stdout.includes("\u001b[");
    expect(await coloured([])).toBe(true);
    expect(await coloured(["--no-color"])).toBe(false);
    expect(await coloured([], { NO_COLOR: "1" })).toBe(false);
    expect(await coloured([], { TERM: "dumb" })).toBe(false);
    expect((await whitewater(fakeProject(), args)).stdout).not.toContain("\u001b[");
  });

  it("shows progress as one changing line on a terminal, as plain lines in CI", async () => {
    const args = [...RUN, "--seeds", "1-30"];
    const live = await whitewater(fakeProject(), args, { terminal: true });
    expect(live.stderr).toMatch(/^\r\u001b\[Kfake {2}\d+ of 30 runs/);
    const plain = await whitewater(fakeProject(), args, { terminal: true, env: { CI: "true" } });
    expect(plain.stderr).toMatch(/^fake: 30 runs, 0 failing so far\n30 runs in /);
  });
});

describe("wrong usage", () => {
  it.each([
    [["run", "flihgts"], /there is none of that name; did you mean flights\?/],
    [["run", "absent.mjs"], /scenario file absent\.mjs: there is no such file/],
    [["run", "empty.mjs"], /exports no scenario/],
    [["run", "broken.mjs"], /broken\.mjs: cannot be loaded/],
    [["run", "malformed.mjs"], /malformed\.mjs: its scenario is malformed: cluster\.workers: /],
    [["run", "nasty.mjs"], /name: expected letters/],
    [[...RUN, "--seeds", "9-1"], /--seeds 9-1: ends before it starts; write 1-9/],
    [[...RUN, "--seeds", "1..9"], /--seeds 1\.\.9: is no seed/],
    [[...RUN, "--seed", "18446744073709551616"], /beyond 2\^64/],
    [[...RUN, "--seed", "1", "--seeds", "1-2"], /say two different things/],
    [[...RUN, "--time", "10"], /--time 10: is no duration; give a number with ms, s, m or h/],
    [[...RUN, "--time", "0s"], /is no duration/],
    [[...RUN, "--jobs", "0"], /--jobs 0: is no such number; give a whole number from 1 to 256/],
    [[...RUN, "--bail", "-1"], /--bail/],
    [[...RUN, "--self-check", "5"], /--self-check 5: is no share; give 0% to 100%/],
    [[...RUN, "--self-check", "101%"], /is no share/],
    [[...RUN, "--max-steps", "1e3"], /--max-steps 1e3/],
    [[...RUN, "--profile", "chaos"], /--profile chaos: there is no such value; choose one of: swarm, calm, network, disk/],
    [[...RUN, "--backend", "rocksdb"], /--backend rocksdb.*choose one of: heap, lsm, sqlite, changelog:heap, changelog:lsm, changelog:sqlite/],
    [[...RUN, "--mode", "unaligned"], /choose one of: aligned/],
    [[...RUN, "--restore", "local"], /choose one of: full/],
    [[...RUN, "--parallelism", "3"], /--parallelism 3: fake does not run with it; choose one of: 1, 2/],
    [[...RUN, "--input", "x.csv"], /--input x\.csv: fake\.mjs takes no input file/],
    [["run", "word-count", "--input", "x.csv"], /word-count takes no input file; leave --input out, or run flights or/],
    [["run", "flights", "--input", "absent.csv"], /^whitewater: absent\.csv: no such file; give the path/],
    [["run", "flights", "--input", "no-date.csv"], /^whitewater: no-date\.csv:1:1: no column date/],
    [["run", "flights", "--input", "broken.json"], /^whitewater: broken\.json:2:1: broken JSON/],
    [[...RUN, "--reporter", "html"], /--reporter html.*choose one of: default, json/],
    [[...RUN, "--reporter", "json="], /names no file/],
    [[...RUN, "--reporter", "json", "--reporter", "default"], /two reporters write to standard output/],
    [[...RUN, "--seed", "1", "--reporter", "json=fake.mjs/x.json"], /fake\.mjs\/x\.json: cannot be written/],
    [[...RUN, "--sedes", "1"], /unknown option '--sedes' \(Did you mean --seeds\?\)/],
    [["explode"], /unknown command 'explode'/],
    [["replay"], /missing required argument/],
    [["replay", "flights"], /is neither a record file nor a token/],
    [["replay", "absent.json"], /record absent\.json: cannot be read \(no such file or directory\)/],
    [["replay", "fake.mjs"], /record fake\.mjs: is not JSON/],
    [["replay", "flihgts@7"], /did you mean flights\?/],
    [["replay", "ww1:flights/heap/aligned"], /is cut off or mistyped/],
    [["replay", "flights@seven"], /is no seed/],
  ])("%j is one line that names it, and exit 2", async (args, line) => {
    const cwd = fakeProject();
    writeFileSync(join(cwd, "empty.mjs"), "export const x = 1;");
    writeFileSync(join(cwd, "broken.mjs"), "export const = 1;");
    writeFileSync(join(cwd, "malformed.mjs"), scenarioFile("cluster: { jobManagers: 1, workers: 'two' }"));
    writeFileSync(join(cwd, "nasty.mjs"), scenarioFile("name: '../\\u001b[2J'"));
    writeFileSync(join(cwd, "no-date.csv"), "day,delay\n1,2\n");
    writeFileSync(join(cwd, "broken.json"), '[{"date": "2001/01/31 06:55"},\n]');
    const { code, stdout, stderr } = await whitewater(cwd, args);
    expect(stderr.replace(/^whitewater \d.*\n|^fake: .*\n|^1 run in .*\n/gm, "")).toMatch(line);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).toMatch(/^whitewater: .*\n$/m);
    expect(stdout.replace(/^whitewater \d.*\n/, "")).toBe("");
    expect(code).toBe(2);
  });

  it("shows the help where nothing is asked", async () => {
    const { code, stderr } = await whitewater(fakeProject(), []);
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: whitewater");
  });
});

describe("whitewater replay", () => {
  const cwd = fakeProject();
  const simulate = fakeSimulate(["7"]);

  async function recordOf(seed: string): Promise<string> {
    await whitewater(cwd, [...RUN, "--seed", seed, "--out", `records-${seed}`], { simulate: fakeSimulate([seed]) });
    return join(`records-${seed}`, readdirSync(join(cwd, `records-${seed}`))[0] ?? "");
  }

  it("runs the short token and says digest and verdict", async () => {
    const { code, stdout } = await whitewater(cwd, ["replay", "fake.mjs@8"], { simulate });
    expect(code).toBe(0);
    expect(stdout).toContain("seed 8  verdict ok  digest f1bbcdcbfa53e0a8");
    expect((await whitewater(cwd, ["replay", "fake.mjs@7"], { simulate })).code).toBe(1);
  });

  it("finds the checked run that a token names", async () => {
    const frozen: Simulate = (_scenario, request) =>
      fakeResult(request, request.checked ? { verdict: "crashed", findings: [aFinding()] } : {});
    const found = await whitewater(cwd, [...RUN, "--seed", "7", "--self-check", "100%", "--out", "checked"], { simulate: frozen });
    const token = /replay (ww1:\S+)\n/.exec(found.stdout)?.[1] ?? "";
    const replayed = await whitewater(cwd, ["replay", token], { simulate: frozen });
    expect(replayed).toMatchObject({ code: 1 });
    expect(replayed.stdout).toContain("the same as the token");
  });

  it("exits with 6 where digest or verdict are not those of the record or token", async () => {
    const record = await recordOf("7");
    const fixed = await whitewater(cwd, ["replay", record], { simulate: fakeSimulate() });
    expect(fixed.code).toBe(6);
    expect(fixed.stdout).toContain("says violation, now it is ok");
    const token = await whitewater(cwd, ["replay", "ww1:fake.mjs/heap/aligned/full/2to2/job@7#00000000"], { simulate });
    expect(token.code).toBe(6);
    expect(token.stdout).toContain("stale: token says digest 00000000");
  });

  it("exits with 6 where the record's scenario is gone", async () => {
    const record = await recordOf("9");
    const elsewhere = fakeProject();
    writeFileSync(join(elsewhere, "record.json"), readFileSync(join(cwd, record)));
    writeFileSync(join(elsewhere, "fake.mjs"), "");
    const { code, stderr } = await whitewater(elsewhere, ["replay", "record.json"], { simulate });
    expect(code).toBe(6);
    expect(stderr).toMatch(/^whitewater: record record\.json: is stale, it no longer applies \(.*exports no scenario/);
  });

  it("refuses a record that was tampered with", async () => {
    const path = join(cwd, await recordOf("11"));
    writeFileSync(path, readFileSync(path, "utf8").replace('"seed": "11"', '"seed": "12"'));
    const { code, stderr } = await whitewater(cwd, ["replay", path], { simulate });
    expect(code).toBe(2);
    expect(stderr).toContain("was changed after it was written");
  });

  it("runs with the record's plan and options", async () => {
    const seen: unknown[] = [];
    const watching: Simulate = (_scenario, request) => {
      seen.push(request);
      return fakeSimulate(["7"])(_scenario, request);
    };
    await whitewater(cwd, ["replay", await recordOf("7")], { simulate: watching });
    const plan = [expect.objectContaining({ kind: "process-crash", process: "worker-2" })];
    const fixed = { backend: "heap", mode: "aligned", restore: "full", parallelism: 2, parallelismAfter: 2, failover: "job", bufferElements: 16 };
    expect(seen[0]).toMatchObject({ seed: "7", plan, fixed, checked: false });
  });

  it("gives the run as JSON", async () => {
    const { stdout } = await whitewater(cwd, ["replay", "fake.mjs@7", "--json"], { simulate });
    expect(JSON.parse(stdout)).toMatchObject({
      run: { scenario: "fake", seed: "7", verdict: "violation" },
      determinism: { runs: 2, agreeing: 2 },
      stale: null,
    });
  });
});

describe("whitewater list and help", () => {
  it("lists the scenarios, also as JSON", async () => {
    const { stdout } = await whitewater(fakeProject(), ["list"]);
    expect(stdout).toMatch(/^founding-checkpointing +\S/m);
    const listed = JSON.parse((await whitewater(fakeProject(), ["list", "--json"])).stdout) as { name: string }[];
    expect(listed.map(({ name }) => name)).toContain("flights");
  });

  it("names the exit codes", async () => {
    for (const args of [["--help"], ["run", "--help"], ["replay", "--help"]]) {
      const { code, stdout } = await whitewater(fakeProject(), args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Exit codes:\n +0 +ok\n +1 .*\n +2 .*\n +3 .*\n +4 .*\n +5 .*\n +6 .*\n +70 .*\n +130 /);
    }
    expect((await whitewater(fakeProject(), ["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
