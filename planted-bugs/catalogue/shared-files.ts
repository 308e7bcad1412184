import type { PlantedBug } from "../planted-bug.ts";
import { RESULT, STATE_SEEDS_TO_FIND } from "../planted-bug.ts";

const seedsToFind = STATE_SEEDS_TO_FIND;
const LSM = { backend: "lsm", restore: "incremental" } as const;
const SQLITE = { backend: "sqlite", restore: "incremental" } as const;
const FILES: readonly string[] = ["referential integrity", "restore fidelity", "no crash", "liveness", ...RESULT];

/** Incremental checkpoints: which files are there, who may name them, who deletes them when. */
export const SHARED_FILE_BUGS: readonly PlantedBug[] = [
  {
    id: "unconfirmed-files-as-base",
    flink: "FLINK-25395",
    symptom: "the next checkpoint stands on files of one that never completed, which are deleted when that is given up",
    noticedBy: FILES,
    scenarios: ["word-count", "big-state"],
    fixed: LSM,
    seedsToFind,
    edits: [
      {
        file: "engine/state/uploaded-files.ts",
        find: "    this.open.set(checkpointId, files);\n    this.completed.add(checkpointId);\n",
        replace: "    this.open.set(checkpointId, files);\n    this.base = files;\n    this.completed.add(checkpointId);\n",
      },
    ],
  },
  {
    id: "placeholder-does-not-count-as-use",
    flink: "FLINK-35379",
    symptom: "a file that is only named again keeps its old last use, and goes with the checkpoint that brought it",
    noticedBy: FILES,
    scenarios: ["word-count"],
    fixed: SQLITE,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/shared-state-registry.ts",
        find: "    if (checkpointId > known.lastUsed) this.#entries",
        replace: "    if (checkpointId > known.lastUsed && !isPlaceholder) this.#entries",
      },
    ],
  },
  {
    id: "known-file-discarded-as-duplicate",
    flink: "FLINK-26101",
    symptom: "a file that is registered again is taken for a second copy and deleted",
    noticedBy: FILES,
    scenarios: ["word-count"],
    fixed: SQLITE,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "      refused = this.#shared.register(file, isPlaceholder, checkpointId) ?? refused;\n",
        replace: `      if (isPlaceholder && this.#shared.has(file.key)) this.#delete(file.key);
      refused = this.#shared.register(file, isPlaceholder, checkpointId) ?? refused;
`,
      },
    ],
  },
  {
    id: "late-acknowledgement-not-registered",
    flink: "FLINK-6633",
    symptom: "the shared files of an acknowledgement that comes too late belong to nobody and stay for ever",
    noticedBy: FILES,
    scenarios: ["word-count", "flights"],
    fixed: LSM,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/checkpoint-coordinator.ts",
        find: "    if (shared.length > 0) {\n",
        replace: "    if (shared.length > 0 && checkpoint !== null) {\n",
      },
    ],
  },
  {
    id: "registry-lost-with-its-leader",
    flink: "FLINK-6964",
    symptom: "a new leader does not register the shared files of the checkpoints that it recovers",
    noticedBy: FILES,
    scenarios: ["word-count", "flights"],
    fixed: SQLITE,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "    for (const { metadata, isOwned: isOurs } of read) {\n",
        replace: "    for (const { metadata, isOwned: isOurs } of read.slice(read.length)) {\n",
      },
    ],
  },
  {
    id: "unused-by-the-newest",
    flink: "FLINK-21351",
    symptom: "what the newest retained checkpoint does not use is deleted, though an older retained one does",
    noticedBy: FILES,
    scenarios: ["word-count"],
    fixed: LSM,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "this.#shared.unregisterUnused(Math.min(...ids))",
        replace: "this.#shared.unregisterUnused(Math.max(...ids))",
      },
    ],
  },
  {
    id: "shared-file-under-its-local-name",
    flink: "FLINK-29913",
    symptom: "a file that is uploaded anew gets the name of the first upload, which whoever gave that up still deletes",
    noticedBy: FILES,
    scenarios: ["word-count", "big-state"],
    fixed: LSM,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/task-shared-files.ts",
        find: "/shared/chk-${checkpointId}/${name}`",
        replace: "/shared/chk-${checkpointId * 0}/${name}`",
      },
      {
        file: "engine/state/backends/lsm/native-snapshot.ts",
        find: "    const name = `${this.plan.namePrefix}-${table.fileName}`;\n",
        replace: '    const name = `${this.plan.namePrefix.slice(0, this.plan.namePrefix.lastIndexOf("-"))}-${table.fileName}`;\n',
      },
    ],
  },
  {
    id: "late-acknowledgement-discards-shared-files",
    flink: "FLINK-7268",
    symptom: "with an acknowledgement that comes too late its shared files are deleted, which other checkpoints use",
    noticedBy: FILES,
    scenarios: ["word-count", "flights"],
    fixed: SQLITE,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/checkpoint-coordinator.ts",
        find: "      const unclaimed = state === null ? [] : ownFilesOf(state).filter((key) => !this.#isReferenced(key));\n",
        replace: `      const own = state === null ? [] : ownFilesOf(state).filter((key) => !this.#isReferenced(key));
      const unclaimed = [...own, ...shared.map((one) => one.file.key)];
`,
      },
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "    const unused = keys.filter((key) => !this.references(key));\n",
        replace: '    const unused = keys.filter((key) => key.includes("/shared/") || !this.references(key));\n',
      },
    ],
  },
];
