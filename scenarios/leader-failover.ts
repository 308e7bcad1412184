import { defineScenario } from "../simulator/scenario.ts";
import type { FaultBudget, Scenario } from "../simulator/scenario.ts";
import { RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";
import { wordCount } from "./word-count.ts";

/** The lease goes more often than anywhere else. */
const LEADERS_FALL: FaultBudget = { ...SURVIVES_EVERYTHING, most: { ...SURVIVES_EVERYTHING.most, "lease-loss": 4 } };

export const leaderFailover: Scenario = defineScenario({
  ...wordCount,
  name: "leader-failover",
  title: "the word count under two JobManagers, whose lease gets lost",
  doc: `The job of word-count, but two JobManagers want to lead it. Whoever does not lead stands by; when the leader
crashes, is cut off, stands still or loses its lease, the other one reads the completed checkpoints and the id counter
from Coordination, gathers the workers, and goes on. The deposed one may not have noticed: it goes on triggering,
committing and deleting until Coordination refuses it.

Losing the lead ends nothing: neither the job nor its checkpoints, whatever it was doing at that moment.

Hunts: leaders that act after they were deposed, stores recovered in part or in the wrong order, checkpoint ids given
out twice, suspended jobs taken for ended ones.`,
  cluster: { ...THREE_WORKERS, jobManagers: 2 },
  budget: LEADERS_FALL,
  sometimes: [...RECOVERY_PATHS, "a leader recovered retained checkpoints"],
});
