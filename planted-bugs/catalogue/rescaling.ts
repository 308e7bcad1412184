import type { PlantedBug } from "../planted-bug.ts";
import { RESULT } from "../planted-bug.ts";

const FEWER = { parallelism: 4, parallelismAfter: 2 } as const;
const MORE = { parallelism: 2, parallelismAfter: 4 } as const;
const RESTORED: readonly string[] = [...RESULT, "restore fidelity"];

/** A restore with another parallelism: who gets which piece of state, and who settles what others left. */
export const RESCALING_BUGS: readonly PlantedBug[] = [
  {
    id: "last-piece-of-state-wins",
    flink: "FLINK-6690",
    symptom: "of the pieces of several old subtasks only the last one is restored",
    noticedBy: RESTORED,
    scenarios: ["flights"],
    fixed: { ...FEWER, backend: "heap" },
    edits: [
      {
        file: "engine/restore/load-state.ts",
        find: "  if (pieces.length > 0) keyed.restore(pieces);\n",
        replace: "  if (pieces.length > 0) keyed.restore(pieces.slice(-1));\n",
      },
    ],
  },
  {
    id: "range-cut-with-itself",
    flink: "FLINK-26766",
    symptom: "a new subtask takes the key groups of the old one with its own number alone",
    noticedBy: RESTORED,
    scenarios: ["flights"],
    fixed: { ...MORE, backend: "heap" },
    edits: [
      {
        file: "engine/restore/state-assignment.ts",
        find: "    if (range.start <= end && start <= range.end) found.push(old);\n",
        replace: "    if (range.start <= range.end && old === subtask && start <= end) found.push(old);\n",
      },
    ],
  },
  {
    id: "restored-offsets-by-subtask-number",
    flink: "FLINK-31963",
    symptom: "a restored source reads the partitions that a new one would, and only looks up their offsets in what it got",
    noticedBy: RESULT,
    scenarios: ["word-count", "flights"],
    fixed: MORE,
    edits: [
      {
        file: "engine/operators/source-operator.ts",
        find: "      for (const offset of this.#context.lists.get(OFFSETS_STATE) as readonly PartitionOffset[]) this.#add(offset);\n",
        replace: `      const offsets = this.#context.lists.get(OFFSETS_STATE) as readonly PartitionOffset[];
      const count = this.#node.source.partitionCount(ports);
      for (let partition = subtaskIndex; partition < count; partition += parallelism) {
        this.#add({ partition, offset: offsets.find((one) => one.partition === partition)?.offset ?? 0 });
      }
`,
      },
    ],
  },
  {
    id: "lists-stay-where-they-were",
    flink: "FLINK-38267",
    symptom: "operator lists are not dealt out anew when the parallelism changes",
    noticedBy: RESTORED,
    scenarios: ["word-count"],
    fixed: FEWER,
    edits: [
      {
        file: "engine/restore/state-assignment.ts",
        find: "one !== undefined && (isRescaled || one.holdsUnion)",
        replace: "one !== undefined && one.holdsUnion",
      },
      {
        file: "engine/restore/state-assignment.ts",
        find: ": isRescaled ? [] : [subtask],",
        replace: ": subtasks[subtask] === undefined ? [] : [subtask],",
      },
    ],
  },
  {
    id: "transactions-of-others-aborted",
    flink: "FLINK-7978",
    symptom: "a sink subtask aborts what its predecessor left, though another subtask got it to commit",
    noticedBy: ["exactly-once output", "liveness"],
    scenarios: ["word-count"],
    fixed: FEWER,
    edits: [
      {
        file: "engine/connectors/sink-transaction.ts",
        find: "    return Number(attempt) < this.attempt && Number(closedBy) >= this.#restoredId;\n",
        replace: "    return Number(attempt) < this.attempt && Number(closedBy) >= -1;\n",
      },
    ],
  },
  {
    id: "gone-subtasks-not-settled",
    flink: "FLINK-7978",
    symptom: "nobody aborts the open transactions of subtasks that are gone, and readers wait behind them for ever",
    noticedBy: ["exactly-once output", "liveness"],
    scenarios: ["word-count", "flights"],
    fixed: FEWER,
    edits: [
      {
        file: "engine/connectors/transactional-log-sink.ts",
        find: "subtask < Math.max(parallelism, highestParallelism);",
        replace: "subtask < Math.max(parallelism, highestParallelism * 0);",
      },
    ],
  },
];
