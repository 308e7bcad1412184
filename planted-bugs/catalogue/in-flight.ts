import type { PlantedBug } from "../planted-bug.ts";
import { RESULT, STATE_SEEDS_TO_FIND } from "../planted-bug.ts";

const seedsToFind = STATE_SEEDS_TO_FIND;
const UNALIGNED = { backend: "heap", mode: "unaligned" } as const;
const CUT: readonly string[] = [...RESULT, "consistent cut", "restore fidelity", "no crash", "liveness"];

/** Unaligned checkpoints: what of the data in flight belongs to a checkpoint, and where it goes back to. */
export const IN_FLIGHT_BUGS: readonly PlantedBug[] = [
  {
    id: "overtaken-output-not-kept",
    flink: null,
    symptom: "what a barrier overtakes in an output's backlog is not part of the checkpoint",
    noticedBy: CUT,
    scenarios: ["hot-key"],
    fixed: UNALIGNED,
    seedsToFind,
    edits: [
      {
        file: "engine/runtime/output-channel.ts",
        find: "    for (const buffer of this.#backlog) this.#persist(buffer, writer);\n    const count",
        replace: "    const count",
      },
    ],
  },
  {
    id: "collected-records-not-kept",
    flink: null,
    symptom: "records that wait for their buffer to be full are overtaken and forgotten",
    noticedBy: CUT,
    scenarios: ["word-count", "flights"],
    fixed: UNALIGNED,
    seedsToFind,
    edits: [
      {
        file: "engine/runtime/output-channel.ts",
        find: "    if (count > 0) this.#persist(recordsBuffer(",
        replace: "    if (count > 64) this.#persist(recordsBuffer(",
      },
    ],
  },
  {
    id: "kept-beyond-the-barrier",
    flink: "FLINK-20097",
    symptom: "a channel goes on keeping what arrives behind its barrier, until the last barrier of the task is there",
    noticedBy: CUT,
    scenarios: ["hot-key", "flights"],
    fixed: UNALIGNED,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/channel-state-persister.ts",
        find: '    if (this.status === "pending") this.#persist(this.lastSeenId, data);\n',
        replace: '    if (this.status !== "completed") this.#persist(this.lastSeenId, data);\n',
      },
    ],
  },
  {
    id: "waiting-input-not-kept",
    flink: "FLINK-20654",
    symptom: "what waited at an input when the checkpoint began is not part of it, only what arrives later",
    noticedBy: CUT,
    scenarios: ["hot-key", "flights"],
    fixed: UNALIGNED,
    seedsToFind,
    edits: [
      {
        file: "engine/checkpoint/channel-state-persister.ts",
        find: "    for (const data of known) this.#persist(checkpointId, data);\n",
        replace: "",
      },
    ],
  },
  {
    id: "in-flight-data-of-the-old-owner",
    flink: "FLINK-35351",
    symptom: "after a change of parallelism the data in flight goes back to the channel numbers that it came from",
    noticedBy: CUT,
    scenarios: ["hot-key", "flights"],
    fixed: { ...UNALIGNED, parallelism: 4, parallelismAfter: 2 },
    seedsToFind,
    edits: [
      {
        file: "engine/restore/in-flight-assignment.ts",
        find: "  const isRescaled = senders.length !== parallelismOf(graph, edge.from) || receivers.length !== parallelismOf(graph, edge.to);\n",
        replace: "  const isRescaled = senders.length === 0;\n",
      },
    ],
  },
  {
    id: "in-flight-data-rerouted-to-all",
    flink: "FLINK-26766",
    symptom: "after a change of parallelism every subtask takes all data in flight, and not that of its key groups",
    noticedBy: CUT,
    scenarios: ["hot-key", "flights"],
    fixed: { ...UNALIGNED, parallelism: 2, parallelismAfter: 4 },
    seedsToFind,
    edits: [
      {
        file: "engine/restore/in-flight-assignment.ts",
        find: "        return keyGroup >= range.start && keyGroup <= range.end;\n",
        replace: "        return keyGroup >= 0 && range.start <= range.end;\n",
      },
    ],
  },
  {
    id: "newer-output-before-older-input",
    flink: null,
    symptom: "after a change of parallelism what waited at the senders comes before what had reached the receivers",
    noticedBy: CUT,
    scenarios: ["hot-key", "flights"],
    fixed: { ...UNALIGNED, parallelism: 4, parallelismAfter: 2 },
    seedsToFind,
    edits: [
      {
        file: "engine/restore/in-flight-assignment.ts",
        find: '[...filesOf(old.receivers, "inputs", edge), ...filesOf(old.senders, "outputs", edge)];',
        replace: '[...filesOf(old.senders, "outputs", edge), ...filesOf(old.receivers, "inputs", edge)];',
      },
    ],
  },
];
