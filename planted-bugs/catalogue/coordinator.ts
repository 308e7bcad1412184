import type { PlantedBug } from "../planted-bug.ts";
import { RESULT } from "../planted-bug.ts";

/** The coordinator, the commit point, failover, and which checkpoint a restart begins from. */
export const COORDINATOR_BUGS: readonly PlantedBug[] = [
  {
    id: "restore-from-latest-started",
    flink: null,
    symptom: "a restart begins from the latest checkpoint that was started, complete or not",
    noticedBy: [...RESULT, "restore fidelity", "durability"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/checkpoint/checkpoint-coordinator.ts",
        find: "  #triggering = false;\n",
        replace: "  #triggering = false;\n  latestStarted: CheckpointMetadata | null = null;\n",
      },
      {
        file: "engine/checkpoint/checkpoint-coordinator.ts",
        find: "      if (checkpoint !== this.#commit.current) this.#abort(checkpoint, reason);\n",
        replace: `      if (reason === "failover") this.latestStarted = this.#metadataOf(checkpoint);
      if (checkpoint !== this.#commit.current) this.#abort(checkpoint, reason);
`,
      },
      {
        file: "engine/checkpoint/checkpoint-coordinator.ts",
        find: "    if (files.length > 0) store.discardFiles(checkpointId, files);\n",
        replace: '    if (files.length > 0 && reason !== "failover") store.discardFiles(checkpointId, files);\n',
      },
      {
        file: "engine/checkpoint/pending-checkpoint.ts",
        find: `    invariant(acknowledgement !== undefined, "a complete checkpoint was acknowledged by every task");
    return acknowledgement.state;`,
        replace: "    return acknowledgement?.state ?? null;",
      },
      {
        file: "engine/runtime/job-master.ts",
        find: "    const latest = this.#restorePoint.current();\n",
        replace: `    const completed = this.#restorePoint.current();
    const started = this.coordinator?.latestStarted ?? null;
    const isNewer = started !== null && started.checkpointId > (completed?.metadata.checkpointId ?? 0);
    const latest = isNewer ? ({ metadata: started } as CompletedCheckpoint) : completed;
`,
      },
    ],
  },
  {
    id: "discard-after-ambiguous-commit",
    flink: "FLINK-24543",
    symptom: "a commit whose outcome is unknown is taken for failed, and the checkpoint's files are deleted",
    noticedBy: ["referential integrity", "durability"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "    writeRegister(ports, { key, expectedVersion: 0, value, fence }, isActive, (outcome) => {\n",
        replace: `    ports.coordination.compareAndSet(key, 0, value, fence, (reply) => {
      if (!isActive()) return;
      const outcome = reply.ok ? { kind: "written", version: reply.value } : { kind: "fenced", version: 0 };
`,
      },
      {
        file: "engine/checkpoint/checkpoint-commit.ts",
        find: '          else this.#decide({ kind: "deposed" });\n',
        replace: '          else this.#decide({ kind: "failed", checkpoint });\n',
      },
    ],
  },
  {
    id: "checkpoints-ordered-as-text",
    flink: "FLINK-6284",
    symptom: "a recovered store sorts checkpoint ids as texts: 10 comes before 9",
    noticedBy: [...RESULT, "durability"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "read.sort((left, right) => left.metadata.checkpointId - right.metadata.checkpointId);",
        replace:
          "read.sort((left, right) => (String(left.metadata.checkpointId) < String(right.metadata.checkpointId) ? -1 : 1));",
      },
    ],
  },
  {
    id: "late-notification-accepted",
    flink: "FLINK-24096",
    symptom: "a notice of completion that was meant for an earlier attempt, or came before, is taken again",
    noticedBy: ["notifications"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/runtime/task-manager.ts",
        find: "        this.#taskOf(message.id)?.notifyComplete(message.checkpointId, message.isFinal);\n",
        replace: `        this.tasks
          .find(({ id, state }) => id.vertex === message.id.vertex && id.subtask === message.id.subtask && state === "running")
          ?.notifyComplete(message.checkpointId, message.isFinal);
`,
      },
      {
        file: "engine/runtime/task-checkpointing.ts",
        find: "    if (checkpointId <= this.#lastNotifiedId) return false;\n",
        replace: "",
      },
    ],
  },
  {
    id: "pending-checkpoint-survives-failover",
    flink: "FLINK-7844",
    symptom: "a failover leaves pending checkpoints waiting for tasks that are dead",
    noticedBy: ["dead attempts"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/checkpoint/checkpoint-coordinator.ts",
        find: "      if (checkpoint !== this.#commit.current) this.#abort(checkpoint, reason);\n",
        replace: '      if (checkpoint !== this.#commit.current && reason !== "failover") this.#abort(checkpoint, reason);\n',
      },
    ],
  },
  {
    id: "checkpoint-ids-start-anew",
    flink: null,
    symptom: "a new leader numbers its checkpoints from 1 again",
    noticedBy: ["durability", "referential integrity"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "      if (register.value !== null) this.#next = (JSON.parse(register.value) as { next: number }).next;\n",
        replace: "",
      },
    ],
  },
  {
    id: "files-deleted-before-record",
    flink: "FLINK-6633",
    symptom: "the files of an old checkpoint are deleted while its record still names them",
    noticedBy: ["referential integrity"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/checkpoint/completed-store.ts",
        find: "    const write = { key: record.key, expectedVersion: record.version, value: null, fence };\n",
        replace: `    const write = { key: record.key, expectedVersion: record.version, value: null, fence };
    this.discardFiles(checkpointId, ownFilesOfCheckpoint(checkpoint));
`,
      },
    ],
  },
];
