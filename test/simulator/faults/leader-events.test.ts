import { describe, expect, test } from "vitest";
import { leaderFailover } from "#whitewater/scenarios/leader-failover.js";
import { ArmedFaults } from "#whitewater/simulator/faults/armed-faults.js";
import type { Fault, Trigger } from "#whitewater/simulator/faults/fault.js";
import { atWhoeverLeads } from "#whitewater/simulator/faults/leader-events.js";
import type { ClusterShape } from "#whitewater/simulator/scenario.js";
import { simulate } from "#whitewater/simulator/simulate.js";
import { traceKindOf } from "#whitewater/simulator/trace/kinds.js";

const ONE: ClusterShape = { ...leaderFailover.cluster, jobManagers: 1 };
const TWO: ClusterShape = { ...ONE, jobManagers: 2 };

function crashAt(at: Trigger): Fault {
  return { id: "f1", kind: "process-crash", process: null, at };
}

function completed(subject: string, nth: number): Trigger {
  return { on: "event", event: "checkpointCompleted", subject, x: null, nth, when: "after" };
}

describe("an event of a JobManager, where there are standbys", () => {
  test("is awaited of whichever leads", () => {
    expect(atWhoeverLeads(crashAt(completed("jm-2", 3)), TWO).at).toEqual(completed("jm", 3));
  });

  test("is left alone where there is one JobManager, where it is a task's, and where it is a time", () => {
    const kept: readonly [Trigger, ClusterShape][] = [
      [completed("jm-1", 3), ONE],
      [completed("sum[1]", 3), TWO],
      [completed("jm-host-1:blobs", 3), TWO],
      [{ on: "time", atUs: 5 }, TWO],
    ];
    for (const [at, cluster] of kept) expect(atWhoeverLeads(crashAt(at), cluster).at).toEqual(at);
  });

  test("counts what happens in all JobManagers together, and in nobody else", () => {
    const names = ["jm-1", "jm-2", "sum[1]", "jm"];
    const armed = new ArmedFaults([crashAt(completed("jm", 3))], (name) => names.indexOf(name), (index) => String(names[index]));
    const kind = traceKindOf("checkpointCompleted");
    const list = armed.at(kind ?? -1) ?? [];
    const struck = [0, 2, 1, 2, 0, 1].map((subject) => armed.strike(list, subject, 1).length);
    expect(struck).toEqual([0, 0, 0, 0, 1, 0]);
  });

  test("comes up in the run, whoever leads it", () => {
    for (const seed of ["1", "2", "3", "4"]) {
      const plan = [crashAt(completed("jm", 2))];
      const { faults, verdict } = simulate(leaderFailover, { seed, profile: "swarm", fixed: { backend: "heap" }, plan, oracles: true, checked: false, maxSteps: 1_000_000 });
      expect(faults.map(({ outcome }) => outcome)).toEqual(["fired"]);
      expect(verdict).toBe("ok");
    }
  });
});
