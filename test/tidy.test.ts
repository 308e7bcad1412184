import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { determinismRule, moduleStateRule } from "./tidy/determinism-rules.ts";
import { deadFileRule, layerRule } from "./tidy/layer-rules.ts";
import {
  defaultExportRule,
  lengthRule,
  machineRule,
  nameRule,
  skippedTestRule,
  switchRule,
} from "./tidy/shape-rules.ts";
import { described, parseSource, type SourceFile, type Violation } from "./tidy/source-file.ts";

const ROOT = new URL("..", import.meta.url);
const NOT_OURS = /^(node_modules|dist|coverage|\.git|\.whitewater|\.cache)(\/|$)/;
const HOUSE = /^(engine|simulator|scenarios|reports)\//;
const DATA = /^scenarios\/data\/|\.tgz$/;

const paths: readonly string[] = listFiles("");
const sources: readonly SourceFile[] = paths
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => parseSource(path, read(path)));
const house: readonly SourceFile[] = sources.filter((file) => HOUSE.test(file.path));

function listFiles(folder: string): string[] {
  return readdirSync(new URL(folder === "" ? "." : `${folder}/`, ROOT), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (NOT_OURS.test(path)) return [];
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** Entry points of the package, what it runs, and the tests. */
function entryPaths(): string[] {
  const { bin, exports } = JSON.parse(read("package.json")) as { bin: object; exports: object };
  const shipped = JSON.stringify([bin, exports]).matchAll(/\.?\/?dist\/([\w/.-]+?)\.js/g);
  const outside = paths.filter((path) => !HOUSE.test(path) && /\.tsx?$/.test(path));
  return [...[...shipped].map((match) => `${match[1]}.ts`), ...outside];
}

function everywhere(rule: (file: SourceFile) => readonly Violation[], files: readonly SourceFile[]): string[] {
  return files.flatMap(rule).map(described);
}

describe("the tree", () => {
  it("imports only from layers to the left", () => expect(everywhere(layerRule, house)).toEqual([]));
  it("has no dead file", () => {
    const all = deadFileRule(sources, entryPaths()).filter(({ path }) => HOUSE.test(path));
    expect(all.map(described)).toEqual([]);
  });
  it("is deterministic in engine and simulator", () => expect(everywhere(determinismRule, house)).toEqual([]));
  it("keeps no state in modules of engine and simulator", () => expect(everywhere(moduleStateRule, house)).toEqual([]));
  it("has files and functions of readable length", () => expect(everywhere(lengthRule, sources)).toEqual([]));
  it("names files after what they hold", () => expect(everywhere(nameRule, sources)).toEqual([]));
  it("exports by name", () => {
    expect(everywhere(defaultExportRule, sources.filter(({ path }) => !path.endsWith(".config.ts")))).toEqual([]);
  });
  it("ends every switch over kind in unreachable", () => expect(everywhere(switchRule, house)).toEqual([]));
  it("skips no test", () => {
    expect(everywhere(skippedTestRule, sources.filter(({ path }) => path.startsWith("test/")))).toEqual([]);
  });
  it("knows no machine", () => {
    const texts = paths.filter((path) => !DATA.test(path));
    expect(texts.flatMap((path) => machineRule(path, read(path))).map(described)).toEqual([]);
  });
});

/** The rules a snippet violates, as "line rule". */
function judged(path: string, text: string, rule: (file: SourceFile) => readonly Violation[]): string[] {
  return rule(parseSource(path, text)).map((found) => `${found.line} ${found.rule}`);
}

describe("the rules", () => {
  it("name file, line, rule and replacement", () => {
    const [found] = determinismRule(parseSource("engine/base/a.ts", "\nconst x = Math.random();"));
    expect(found && described(found)).toBe(
      "engine/base/a.ts:2  determinism: Math.random is banned here; use a stream of Rng",
    );
  });

  it.each([
    "async function f() {}",
    "export const f = async () => 1;",
    "class C { async m() {} }",
    "const now = Date.now();",
    "const now = new Date();",
    'const day = new Date("2001-01-01");',
    "const day = Date();",
    'const ms = Date.parse("2001");',
    "const x = 2 ** 3;",
    "let x = 2; x **= 3;",
    "const x = Math.pow(2, 3);",
    "const x = Math.sin(1) + Math.log2(2);",
    "setTimeout(() => {}, 1);",
    "const p: unknown = new Promise(() => {});",
    "const a = Promise.all([]);",
    "console.log(1);",
    "const e = process.env;",
    "const t = performance.now();",
    "const f = new Intl.NumberFormat();",
    '"a".localeCompare("b");',
    "(1).toLocaleString();",
    "const o = { process };",
    "const f = { run: setImmediate };",
  ])("ban %s in engine and simulator, and leave it to reports", (text) => {
    expect(judged("engine/base/a.ts", text, determinismRule)).not.toEqual([]);
    expect(judged("simulator/world/a.ts", text, determinismRule)).not.toEqual([]);
    expect(judged("reports/cli/a.ts", text, determinismRule)).toEqual([]);
  });

  it.each([
    "const x = Math.floor(1.5) + Math.imul(2, 3) + Math.PI;",
    "function crash(process: { name: string }): string { return process.name; }",
    "interface Fault { readonly process: string }",
    "const fault = { process: 1 }; const p = fault.process;",
    "const day = new Date(0);",
    "class Op { process(): void {} }",
    "for (const process of []) { void process; }",
    "const { process } = { process: 1 }; void process;",
  ])("let %s pass", (text) => {
    expect(judged("engine/base/a.ts", text, determinismRule)).toEqual([]);
  });

  it.each([
    ["engine/base/a.ts", 'import { x } from "../ports/clock.ts";'],
    ["engine/ports/a.ts", 'import type { x } from "../runtime/task.ts";'],
    ["engine/runtime/a.ts", 'export { x } from "../../simulator/world/kernel.ts";'],
    ["engine/state/a.ts", 'const x: import("../runtime/task.ts").Task = y;'],
    ["simulator/world/a.ts", 'void import("../../reports/cli/main.ts");'],
    ["simulator/world/a.ts", 'import { z } from "zod";'],
    ["engine/base/a.ts", 'import { readFileSync } from "node:fs";'],
    ["scenarios/a.ts", 'import { x } from "../reports/cli/main.ts";'],
    ["engine/novelty/a.ts", 'import { x } from "../base/assert.ts";'],
  ])("stop %s from saying %s", (path, text) => {
    expect(judged(path, text, layerRule)).toEqual(["1 layers"]);
  });

  it("let imports to the left pass", () => {
    expect(judged("engine/runtime/a.ts", 'import { x } from "../base/assert.ts";', layerRule)).toEqual([]);
    expect(judged("reports/cli/a.ts", 'import { x } from "../../engine/base/assert.ts";', layerRule)).toEqual([]);
    expect(judged("reports/cli/a.ts", 'import { z } from "zod";', layerRule)).toEqual([]);
  });

  it("find files that nothing reaches", () => {
    const files = [
      parseSource("engine/a.ts", 'import "./b.ts"; const worker = new URL("./c.js", import.meta.url);'),
      parseSource("engine/b.ts", ""),
      parseSource("engine/c.ts", ""),
      parseSource("engine/d.ts", 'import "./b.ts";'),
      parseSource("test/a.test.ts", 'import "#whitewater/engine/a.js";'),
    ];
    expect(deadFileRule(files, ["test/a.test.ts"]).map(({ path }) => path)).toEqual(["engine/d.ts"]);
  });

  it.each([
    "let count = 0;",
    "export const seen = new Map<string, number>();",
    "const names: string[] = [];",
    "export const names = [];",
    "const table: Map<string, number> = new Map();",
    "class C { static count = 0; }",
  ])("ban the module state %s", (text) => {
    expect(judged("engine/base/a.ts", text, moduleStateRule)).toHaveLength(1);
  });

  it.each([
    "const names = ['a'] as const;",
    "const names: readonly string[] = [];",
    "const table: ReadonlyMap<string, number> = new Map();",
    "const empty: Plan = { faults: [] };",
    "const frozen = Object.freeze([]);",
    "function f() { let x = 0; const seen = new Set(); return [x, seen]; }",
    "class C { static readonly kind = 1; count = 0; }",
  ])("let the constant %s pass", (text) => {
    expect(judged("engine/base/a.ts", text, moduleStateRule)).toEqual([]);
  });

  it("ask for unreachable at the end of a switch over kind", () => {
    const ending = (last: string): string[] =>
      judged("engine/base/a.ts", `function f(x) { switch (x.kind) { case 1: return 1; ${last} } }`, switchRule);
    expect(ending('default: return unreachable(x, "f");')).toEqual([]);
    expect(ending("")).toEqual(["1 switch"]);
    expect(ending("default: return 2;")).toEqual(["1 switch"]);
  });

  it("measure files and functions", () => {
    const body = "\n".repeat(71);
    expect(judged("engine/base/a.ts", `function f() {${body}}`, lengthRule)).toEqual(["1 length"]);
    expect(judged("engine/base/a.ts", `class C { m() {${body}} }`, lengthRule)).toEqual(["1 length"]);
    expect(judged("test/a.test.ts", `it("x", () => {${body}});`, lengthRule)).toEqual([]);
    expect(judged("test/a.test.ts", "\n".repeat(400), lengthRule)).toEqual(["401 length"]);
  });

  it("refuse vague names and default exports", () => {
    expect(judged("engine/base/string-utils.ts", "", nameRule)).toEqual(["1 names"]);
    expect(judged("engine/helpers/a.ts", "", nameRule)).toEqual(["1 names"]);
    expect(judged("engine/base/uncommon.ts", "", nameRule)).toEqual([]);
    expect(judged("engine/base/a.ts", "export default 1;", defaultExportRule)).toEqual(["1 default export"]);
    expect(judged("engine/base/a.ts", "const a = 1; export { a as default };", defaultExportRule)).toHaveLength(1);
  });

  it("find tests that do not run, and traces of a machine", () => {
    expect(judged("test/a.test.ts", 'it.skip("x", () => {});', skippedTestRule)).toEqual(["1 tests"]);
    expect(machineRule("README.md", "see /ho" + "me/me/x\nand npm" + ".corp.net").map(({ line }) => line)).toEqual([1, 2]);
    expect(machineRule("README.md", "dist/wo" + "rk/ho" + "me.ts, https://nodejs.org")).toEqual([]);
  });
});
