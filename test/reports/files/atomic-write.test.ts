import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { writeFileAtomically } from "#whitewater/reports/files/atomic-write.js";
import { temporaryDirectory } from "../../temporary-directory.ts";

const module: string = fileURLToPath(new URL("../../../dist/reports/files/atomic-write.js", import.meta.url));

describe("a file that is written at once", () => {
  test("has all its pieces, in directories that are made for it, and nothing beside it", () => {
    const directory = temporaryDirectory();
    const path = join(directory, "a", "b", "c.json");
    writeFileAtomically(path, ["one ", "two"], "give another");
    writeFileAtomically(path, ["three"], "give another");
    expect(readFileSync(path, "utf8")).toBe("three");
    expect(readdirSync(join(directory, "a", "b"))).toEqual(["c.json"]);
  });

  test("is refused where a file stands in place of a directory, with the path and the way out", () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "a"), "");
    const path = join(directory, "a", "b", "c.json");
    expect(() => writeFileAtomically(path, ["x"], "give another")).toThrow(/c\.json.*cannot be written.*give another/);
    expect(readdirSync(directory)).toEqual(["a"]);
  });

  // Elsewhere there is no such file system.
  test.runIf(process.platform === "linux")("is refused by a file system that takes no directories, and not tried for ever", () => {
    const code = `import(${JSON.stringify(module)}).then(({ writeFileAtomically }) => writeFileAtomically("/proc/.whitewater/x.json", ["x"], "give another")).catch((error) => console.log(error.message))`;
    const { stdout, signal } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8", timeout: 20_000 });
    expect(signal).toBeNull();
    expect(stdout).toMatch(/^\/proc\/\.whitewater\/x\.json: cannot be written .*give another$/m);
  });
});
