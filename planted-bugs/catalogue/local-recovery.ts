import type { PlantedBug } from "../planted-bug.ts";
import { RESULT, STATE_SEEDS_TO_FIND } from "../planted-bug.ts";

const seedsToFind = STATE_SEEDS_TO_FIND;
const LOCAL = { backend: "heap", restore: "local" } as const;
const RESTORED: readonly string[] = [...RESULT, "restore fidelity", "local copies", "no crash"];

/** A copy of whatever checkpoint that parses is taken for the one that is restored. */
const UNCHECKED = {
  file: "engine/checkpoint/local-copies.ts",
  find: "      const bytes = readIntact(this.#disk, this.#pathOf(copy), handle);\n",
  replace: `      const path = this.#pathOf(copy);
      const descriptor = this.#disk.open(path, "read");
      const size = descriptor < 0 ? -1 : this.#disk.size(descriptor);
      const whole = new Uint8Array(Math.max(size, 0));
      const count = descriptor < 0 ? -1 : this.#disk.read(descriptor, whole, 0, size, 0);
      if (descriptor >= 0) this.#disk.close(descriptor);
      const bytes: Uint8Array | LocalCopyFault = count <= 0 || count < size ? "unreadable" : whole;
`,
} as const;
const OPENED_UNCHECKED = [
  {
    file: "engine/checkpoint/checksummed-file.ts",
    find: "  if (file.length !== handle.sizeBytes) {\n",
    replace: "  if (file.length < 0) {\n",
  },
  {
    file: "engine/checkpoint/checksummed-file.ts",
    find: "  if (crc32(file) !== handle.checksum) return",
    replace: "  if (crc32(file) !== handle.checksum && file.length < 0) return",
  },
] as const;

/** Copies of checkpoints on the hosts' disks. */
export const LOCAL_RECOVERY_BUGS: readonly PlantedBug[] = [
  {
    id: "local-copy-not-verified",
    flink: null,
    symptom: "a local copy is loaded as it is, whatever the disk did to it",
    noticedBy: RESTORED,
    scenarios: ["flights", "word-count", "timers"],
    fixed: LOCAL,
    seedsToFind,
    edits: [UNCHECKED, ...OPENED_UNCHECKED],
  },
  {
    id: "local-copies-of-a-chain-share-a-name",
    flink: "FLINK-12296",
    symptom: "two stateful tasks of a slot keep their copies under one name, and one restores the other's",
    noticedBy: RESTORED,
    scenarios: ["two-pipelines", "flights"],
    fixed: LOCAL,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/local-copies.ts",
        find: "  return `v${vertex}-s${subtask}-chk-${checkpointId}.copy`;\n",
        replace: "  return `v${vertex * 0}-s${subtask}-chk-${checkpointId}.copy`;\n",
      },
      UNCHECKED,
      ...OPENED_UNCHECKED,
    ],
  },
  {
    id: "local-copy-of-another-checkpoint",
    flink: "FLINK-8777",
    symptom: "copies of checkpoints that never completed are not pruned by a restore, and the newest copy is restored",
    noticedBy: RESTORED,
    scenarios: ["flights", "word-count"],
    fixed: LOCAL,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/local-copies.ts",
        find: "    return this.#remove((copy) => isOf(copy, owner) && copy.checkpointId !== checkpointId);\n",
        replace: "    return this.#remove((copy) => isOf(copy, owner) && copy.checkpointId < (checkpointId ?? 0));\n",
      },
      {
        file: "engine/checkpoint/local-copies.ts",
        find: "copy.subtask === source.subtask && copy.checkpointId === checkpointId,",
        replace: "copy.subtask === source.subtask && copy.checkpointId >= checkpointId,",
      },
      UNCHECKED,
      ...OPENED_UNCHECKED,
    ],
  },
  {
    id: "local-copy-not-synced",
    flink: "FLINK-35217",
    symptom: "a copy gets its name before its bytes are on the disk, and a power loss leaves a torn one",
    noticedBy: ["local copies"],
    scenarios: ["local-recovery"],
    fixed: LOCAL,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/local-copy-writer.ts",
        find: "    const synced = this.#disk.fsync(descriptor);\n",
        replace: "    const synced = 0;\n",
      },
    ],
  },
  {
    id: "local-copies-kept-over-a-restore",
    flink: "FLINK-8777",
    symptom: "copies of checkpoints that never completed stay on the disk when an older one is restored",
    noticedBy: ["local copies"],
    scenarios: ["local-recovery", "word-count"],
    fixed: LOCAL,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/local-copies.ts",
        find: "    return this.#remove((copy) => isOf(copy, owner) && copy.checkpointId !== checkpointId);\n",
        replace: "    return this.#remove((copy) => isOf(copy, owner) && checkpointId === null);\n",
      },
    ],
  },
  {
    id: "confirmation-takes-the-confirmed-copy",
    flink: null,
    symptom: "when a checkpoint completes its own copies are pruned with the older ones, and every restore is a remote one",
    noticedBy: ["local copies"],
    scenarios: ["local-recovery"],
    fixed: LOCAL,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/local-copies.ts",
        find: "    return this.#remove((copy) => isOf(copy, owner) && copy.checkpointId < checkpointId);\n",
        replace: "    return this.#remove((copy) => isOf(copy, owner) && copy.checkpointId <= checkpointId);\n",
      },
    ],
  },
];
