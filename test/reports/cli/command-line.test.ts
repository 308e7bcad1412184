import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ReportDocument } from "#whitewater/reports/document/report-document.js";
import { temporaryDirectory } from "../../temporary-directory.ts";

/** The real command, as a subprocess, over the real simulator. */

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const MAIN = join(ROOT, "dist/reports/cli/main.js");
const FIXTURES = join(ROOT, "test/reports/cli/fixtures");

/** A user's project that has whitewater installed, with a good scenario and two bad ones. */
function project(): string {
  const directory = temporaryDirectory();
  cpSync(FIXTURES, directory, { recursive: true });
  mkdirSync(join(directory, "node_modules"));
  symlinkSync(ROOT, join(directory, "node_modules/whitewater"), "dir");
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
  return directory;
}

function whitewater(cwd: string, ...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd, encoding: "utf8" });
  return { code: status, stdout, stderr };
}

function reportOf(cwd: string, ...args: readonly string[]): ReportDocument {
  return JSON.parse(whitewater(cwd, "run", ...args, "--reporter", "json").stdout) as ReportDocument;
}

describe("the command", () => {
  it("finds nothing in the scenarios that come with it, the same with any number of workers", () => {
    const cwd = project();
    const sweep = ["founding-checkpointing", "word-count", "--seeds", "1-16", "--self-check", "50%"];
    const one = reportOf(cwd, ...sweep, "--jobs", "1");
    expect(one.failures).toEqual([]);
    expect(one.exitCode).toBe(0);
    expect(one.runs).toHaveLength(32);
    expect(reportOf(cwd, ...sweep, "--jobs", "3")).toEqual(one);
  });

  it("finds the job that keeps its count in a field, and shows it again from token and record", () => {
    const cwd = project();
    const { code, stdout, stderr } = whitewater(cwd, "run", "./counts-in-field.ts", "--seeds", "1-40", "--bail", "1");
    expect(stderr).not.toContain("internal error");
    expect(code).toBe(1);
    const token = /\nreproduce: {2}npx whitewater replay (\S+)\n/.exec(stdout)?.[1] ?? "";
    const digest = /#([0-9a-f]{8})$/.exec(token)?.[1] ?? "no digest";
    const record = join(".whitewater", readdirSync(join(cwd, ".whitewater"))[0] ?? "");
    const seed = String((JSON.parse(readFileSync(join(cwd, record), "utf8")) as { seed: unknown }).seed);
    for (const target of [token, record, `./counts-in-field.ts@${seed}`]) {
      const replayed = whitewater(cwd, "replay", target);
      expect(replayed.stdout).toContain(`verdict violation  digest ${digest}`);
      expect(replayed.stdout).not.toContain("stale");
      expect(replayed.code).toBe(1);
    }
  });

  it("finds the job that calls Math.random, and exits with 4", () => {
    const { code, stdout } = whitewater(project(), "run", "random-job.mjs", "--seed", "1", "--self-check", "100%");
    expect(stdout).toContain("two runs of this seed differ");
    expect(stdout).toMatch(/\nnot deterministic: random-job: undisturbed runs differ even in fresh processes/);
    expect(code).toBe(4);
  });

  it("names state that outlives a run, although the runs of every seed agree, and exits with 4", () => {
    const { code, stdout } = whitewater(project(), "run", "known-in-module.mjs", "--seeds", "1-2", "--self-check", "100%");
    expect(stdout).toContain("2 of 2 runs repeated twice, all agreed");
    expect(stdout).toMatch(/\nnot deterministic: known-in-module: state outlives a run: .*a module-level variable/);
    expect(stdout).not.toContain("nothing found");
    expect(code).toBe(4);
  });

  it("draws the seeds from the commit that is checked out, and says so", () => {
    const cwd = project();
    const hash = "0a859c9000000000ffffffffffffffffffffffff";
    mkdirSync(join(cwd, ".git/refs"), { recursive: true });
    mkdirSync(join(cwd, ".git/objects"));
    writeFileSync(join(cwd, ".git/HEAD"), `${hash}\n`);
    const { stdout } = whitewater(cwd, "run", "founding-checkpointing", "--time", "1ms");
    expect(stdout).toContain(`seeds from ${BigInt("0x0a859c9000000000")} on (from commit 0a859c900000)`);
  });

  it.each([["1"], ["2"]])("with %s worker(s), on Ctrl-C reports what was found so far and exits with 130", async (jobs) => {
    const cwd = project();
    const child = spawn(process.execPath, [MAIN, "run", "word-count", "--seeds", "1-1000000", "--jobs", jobs], { cwd });
    let stdout = "";
    child.stdout.on("data", (piece: Buffer) => {
      stdout += piece.toString();
      setTimeout(() => child.kill("SIGINT"), 1500);
    });
    const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
    expect(code).toBe(130);
    expect(stdout).toContain("interrupted: this is what was found so far");
    expect(stdout).toMatch(/\nword-count +\S+\/\S+\/\S+ +\d+ /);
  });

  it("stops quietly when nobody reads any more", () => {
    const command = `"${process.execPath}" "${MAIN}" list --json | head -c 10`;
    const { stderr, stdout } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    expect(stdout).toHaveLength(10);
    expect(stderr).toBe("");
  });

  it("gives one line and exit code 2 for wrong usage", () => {
    const cwd = project();
    writeFileSync(join(cwd, "syntax.ts"), "export const scenario = ;");
    for (const args of [["run", "nothing"], ["run", "syntax.ts"], ["run", "--seeds", "x"], ["replay", "absent.json"]]) {
      const { code, stdout, stderr } = whitewater(cwd, ...args);
      expect(stderr).toMatch(/^whitewater: .*\n$/);
      expect(stdout).toBe("");
      expect(code).toBe(2);
    }
  });
});
