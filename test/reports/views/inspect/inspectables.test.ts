import { beforeAll, describe, expect, test } from "vitest";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import type { Journey } from "#whitewater/reports/travel/journey.js";
import { visible } from "#whitewater/reports/text/visible.js";
import { inspectables } from "#whitewater/reports/views/inspect/inspectables.js";
import { textOf } from "#whitewater/reports/views/line.js";
import { show } from "#whitewater/reports/views/show.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import { smallJourney } from "./small-journeys.ts";

let libraries: StateLibraries;
beforeAll(async () => {
  libraries = await loadStateLibraries();
});

/** Looks at all there is at some steps of a run, and checks that looking was all. */
function lookAtAll(journey: Journey, places: number): void {
  const { machine, tape } = journey;
  for (let i = 0; i <= places; i += 1) {
    const step = Math.floor((tape.steps * i) / places);
    const hash = machine.seek(step).stateHash();
    // Going back is dear: one operator is enough to be compared with an earlier step.
    const all = inspectables(machine.world).flatMap(({ show: what, kind }, at) => {
      if (kind === "operator") return [`${what}~reference`, at === 0 ? what : `${what}~${step}`];
      return kind === "subtask" ? [`${what}~${step}`] : [what];
    });
    for (const asked of all) {
      const { facts, lines } = show(asked, journey, step);
      expect(JSON.parse(JSON.stringify(facts)), `${asked} at ${step}`).toEqual(facts);
      expect(lines.length).toBeGreaterThan(0);
      for (const text of lines.map(textOf)) expect(visible(text)).toBe(text);
    }
    expect(machine.seek(step).stateHash()).toBe(hash);
  }
  machine.seek(tape.steps);
  expect(machine.world.kernel.digest.hex()).toBe(tape.result.digest);
  expect(machine.deviation).toBe(null);
}

describe("everything that can be looked into", () => {
  test("is listed by the names that show it", () => {
    const journey = smallJourney("leader-failover", "1");
    const found = inspectables(journey.machine.seek(0)).map(({ show: what }) => what);
    journey.machine.release();
    expect(found.slice(0, 2)).toEqual([expect.stringMatching(/^state:\w+$/), expect.stringMatching(/^state:\w+\[0\]$/)]);
    expect(found).toEqual(expect.arrayContaining(["jm-1", "jm-2", "host:jm-host-1", "host:host-1", "blobs", "log"]));
    expect(new Set(found).size).toBe(found.length);
  });

  test.each([
    ["word-count", "5", "heap"],
    ["timers", "4", "lsm"],
    ["rolling-upgrade", "2", "heap"],
    ["local-recovery", "3", "sqlite"],
  ] as const)("can be, at any step, and stays as it is: %s@%s on %s", (scenario, seed, backend) => {
    const journey = smallJourney(scenario, seed, { fixed: { backend } }, libraries);
    lookAtAll(journey, 3);
    journey.machine.release();
  });
});
