import { describe, expect, it } from "vitest";
import { powerLossRun } from "../../../../planted-bugs/controls/power-loss.ts";
import type { Forgotten } from "../../../../planted-bugs/controls/power-loss.ts";
import { lsmSubject } from "../../../../planted-bugs/controls/store-subject.ts";
import { DISKS } from "../../../simulator/hosts/doomed-machine.ts";

const isTable = (path: string): boolean => path.endsWith(".table");
const FORGOTTEN: readonly [string, Forgotten][] = [
  ["table", isTable],
  ["manifest", (path) => !isTable(path)],
  ["directory", "directories"],
];

describe.each(DISKS)("power loss at a random call, on the %s disk", (_name, make) => {
  it("loses nothing that was flushed and tears nothing, over 2,000 seeds", { timeout: 300_000 }, () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= 2000; seed++) {
      for (const { message } of powerLossRun(String(seed), lsmSubject, make).findings) wrong.push(`seed ${seed}: ${message}`);
    }
    expect(wrong).toEqual([]);
  });

  it.each(FORGOTTEN)("is found within 20 seeds if no %s is ever synced", (_what, forgotten) => {
    let found = false;
    for (let seed = 1; seed <= 20 && !found; seed++) {
      found = powerLossRun(String(seed), lsmSubject, make, forgotten).findings.length > 0;
    }
    expect(found).toBe(true);
  });
});
