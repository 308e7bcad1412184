import type { PlantedBug } from "../planted-bug.ts";
import { STATE_SEEDS_TO_FIND } from "../planted-bug.ts";

const seedsToFind = STATE_SEEDS_TO_FIND;
const SHARING = { backend: "lsm", restore: "incremental" } as const;
const noticedBy: readonly string[] = ["referential integrity"];

/** Jobs in several versions: whose a snapshot is, and what it consists of. */
export const VERSION_BUGS: readonly PlantedBug[] = [
  {
    id: "unclaimed-files-named-again",
    flink: null,
    symptom: "the first checkpoint after a restore without a claim is an increment on the files of somebody else",
    noticedBy,
    scenarios: ["resume-without-claim"],
    fixed: SHARING,
    seedsToFind,
    edits: [
      {
        file: "engine/restore/load-state.ts",
        find: "    if (isOwned) for (const file of files)",
        replace: "    for (const file of files)",
      },
      {
        file: "engine/restore/load-state.ts",
        find: "keyed.incremental.restore(native, isOwned);",
        replace: "keyed.incremental.restore(native, true);",
      },
    ],
  },
  {
    id: "unclaimed-checkpoint-subsumed",
    flink: null,
    symptom: "a checkpoint that was restored without a claim is deleted when newer ones take its place",
    noticedBy,
    scenarios: ["resume-without-claim"],
    fixed: {},
    edits: [
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "    if (!checkpoint.isOwned) {\n",
        replace: '    if (!checkpoint.isOwned && metadata.kind === "savepoint") {\n',
      },
    ],
  },
  {
    id: "registry-deletes-unclaimed-files",
    flink: null,
    symptom: "once no checkpoint of the job uses the shared files of one that was restored without a claim, they are deleted",
    noticedBy,
    scenarios: ["resume-without-claim"],
    fixed: SHARING,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/shared-state-registry.ts",
        find: "      if (entry.createdBy > this.#highestNotClaimedCheckpointId) unneeded.push(entry);\n",
        replace: "      unneeded.push(entry);\n",
      },
    ],
  },
  {
    id: "savepoint-names-files-of-finished-tasks",
    flink: null,
    symptom: "a savepoint stands on files of a checkpoint, for tasks that had finished before it, and goes with them",
    noticedBy,
    scenarios: ["resume-from-checkpoint"],
    fixed: {},
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/checkpoint-commit.ts",
        find: '    if (metadata.kind === "checkpoint") {\n',
        replace: "    if (metadata.kind.length > 0) {\n",
      },
    ],
  },
];
