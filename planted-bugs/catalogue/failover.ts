import type { PlantedBug } from "../planted-bug.ts";

/** Failover by region: what one region's failure does to the others. */
export const FAILOVER_BUGS: readonly PlantedBug[] = [
  {
    id: "checkpoints-go-on-without-a-region",
    flink: "FLINK-7844",
    symptom: "the failure of one region of several leaves pending checkpoints waiting, and triggers new ones",
    noticedBy: ["dead attempts"],
    scenarios: ["two-pipelines"],
    fixed: { backend: "heap", failover: "region" },
    edits: [
      {
        file: "engine/runtime/failover.ts",
        find: "    this.#listener.stopCheckpoints(done);\n",
        replace: "    if (this.#living().length === 0) this.#listener.stopCheckpoints(done);\n    else done();\n",
      },
    ],
  },
  {
    id: "region-restarts-over-its-neighbours",
    flink: null,
    symptom: "a worker that gets a later attempt of one region cancels the tasks of the others, and nobody hears of it",
    noticedBy: ["liveness"],
    scenarios: ["two-pipelines"],
    fixed: { backend: "heap", failover: "region" },
    edits: [
      {
        file: "engine/runtime/task-manager.ts",
        find: "task.region === region && task.id.attempt < attempt;\n",
        replace: "task.id.attempt < attempt;\n",
      },
    ],
  },
];
