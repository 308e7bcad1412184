import { availableParallelism } from "node:os";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../planted-bugs/catalogue.ts";
import { CONTROLS } from "../../planted-bugs/controls.ts";
import { huntBug, huntClean } from "../../planted-bugs/hunt.ts";
import { checkClean, huntAll } from "../../planted-bugs/hunts.ts";
import { StaleBugError, mutatedModules, unchangedModules } from "../../planted-bugs/mutated-engine.ts";
import type { PlantedBug } from "../../planted-bugs/planted-bug.ts";

const MINUTES = 60_000;

function aBug(find: string): PlantedBug {
  const edits = [{ file: "engine/checkpoint/completed-store.ts", find, replace: "" }];
  return { id: "a-bug", flink: null, symptom: "", noticedBy: [], scenarios: ["word-count"], fixed: { backend: "heap" }, edits };
}

describe("planting", () => {
  test("an edit whose text is gone from the engine is refused, naming bug and file", () => {
    expect(() => mutatedModules(aBug("no such text"))).toThrow(StaleBugError);
    expect(() => mutatedModules(aBug("no such text"))).toThrow(
      'planted bug "a-bug": its text "no such text" stands 0 times in engine/checkpoint/completed-store.ts, not once',
    );
  });

  test("an edit whose text stands in several places is refused", () => {
    expect(() => mutatedModules(aBug("import type"))).toThrow(/stands \d+ times/);
  });

  test("every bug has a name of its own", () => {
    const ids = CATALOGUE.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("a module that is loaded from its source without an edit runs as the compiled one", { timeout: 2 * MINUTES }, async () => {
    const files = [...new Set(CATALOGUE.flatMap(({ edits }) => edits.map(({ file }) => file)))];
    const [compiled, fromSource] = await Promise.all([
      huntClean(["word-count", "timers"], { backend: "heap" }, 3),
      huntClean(["word-count", "timers"], { backend: "heap" }, 3, unchangedModules(files)),
    ]);
    expect(compiled.digests).toHaveLength(6);
    expect(fromSource.digests).toEqual(compiled.digests);
  });

  test("so it does in the controls, which run it piece by piece", { timeout: 2 * MINUTES }, async () => {
    const files = [...new Set(CATALOGUE.flatMap(({ edits }) => edits.map(({ file }) => file)))];
    const names = CONTROLS.map(({ name }) => name);
    const [compiled, fromSource] = await Promise.all([huntClean(names, {}, 8), huntClean(names, {}, 8, unchangedModules(files))]);
    expect(compiled.found).toBeNull();
    expect(compiled.digests).toHaveLength(8 * names.length);
    expect(new Set(compiled.digests).size).toBeGreaterThan(3 * names.length);
    expect(fromSource.digests).toEqual(compiled.digests);
  });

  test("what nobody may notice is not found", { timeout: MINUTES }, async () => {
    const bug = CATALOGUE.find(({ id }) => id === "snapshot-one-barrier-short") as PlantedBug;
    const { found, others, runs } = await huntBug({ ...bug, noticedBy: ["an oracle of another name"] }, 3);
    expect(found).toBeNull();
    expect(runs).toBe(3);
    expect(others.length).toBeGreaterThan(0);
  });
});

describe("sweeping", () => {
  test("every edit of the catalogue fits the engine", () => {
    for (const bug of CATALOGUE) expect(mutatedModules(bug).length).toBeGreaterThan(0);
  });

  // All of them take five minutes of two cores: `npm run planted-bugs`.
  test("every fourth planted bug is found, and the clean engine is silent on the same seeds", { timeout: 10 * MINUTES }, async () => {
    const jobs = availableParallelism();
    const hunted = CATALOGUE.filter((_bug, index) => index % 4 === 0);
    const outcomes = await huntAll(hunted, jobs, () => undefined);
    const missed = outcomes.filter(({ hunt }) => hunt.found === null).map(({ bug, hunt }) => ({ bug: bug.id, others: hunt.others }));
    expect(missed).toEqual([]);
    const clean = await checkClean(outcomes, jobs);
    expect(clean.flatMap(({ sightings }) => sightings)).toEqual([]);
    expect(clean.map(({ runs, seeds }) => runs - seeds)).toEqual(clean.map(() => 0));
  });
});
