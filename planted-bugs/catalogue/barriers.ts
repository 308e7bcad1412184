import type { PlantedBug } from "../planted-bug.ts";
import { RESULT } from "../planted-bug.ts";

/** Sources, barriers, and what a snapshot may contain. */
export const BARRIER_BUGS: readonly PlantedBug[] = [
  {
    id: "offset-before-its-records",
    flink: null,
    symptom: "the source keeps a batch in hand before it emits it, and its snapshot holds the offset behind that batch",
    noticedBy: [...RESULT, "consistent cut"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/operators/source-operator.ts",
        find: "  emitNext(limit: number)",
        replace: "  #inHand: SourceBatch | null = null;\n\n  emitNext(limit: number)",
      },
      {
        file: "engine/operators/source-operator.ts",
        find: `      const batch = reader.poll(left);
      if (batch === null) return reader.ended() ? "ended" : "nothing";
      invariant(batch.records.length <= left, "a reader gives no more than asked for");
`,
        replace: `      const polled = reader.poll(left);
      if (polled === null && !reader.ended()) return "nothing";
      const batch = this.#inHand;
      this.#inHand = polled === null ? null : { ...polled, records: polled.records.map((record) => ({ ...record })) };
      if (batch === null && polled === null) return "ended";
      if (batch === null) continue;
`,
      },
      {
        file: "engine/operators/source-operator.ts",
        find: "      return { partition, offset: this.#offsets[slot] as number };",
        replace: `      const inHand = this.#inHand?.partition === partition ? this.#inHand.records.length : 0;
      return { partition, offset: (this.#offsets[slot] as number) + inHand };`,
      },
    ],
  },
  {
    id: "snapshot-one-barrier-short",
    flink: null,
    symptom: "an aligned snapshot is taken when all barriers but one are there",
    noticedBy: [...RESULT, "consistent cut"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/checkpoint/barrier-count.ts",
        find: "return this.#arrivedCount >= this.#awaited;",
        replace: "return this.#arrivedCount >= this.#awaited - 1;",
      },
    ],
  },
  {
    id: "buffer-between-barrier-and-snapshot",
    flink: "FLINK-17568",
    symptom: "one more buffer is processed after the last barrier and before the snapshot",
    noticedBy: [...RESULT, "consistent cut"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/runtime/task.ts",
        find: "    const isTaken = this.checkpointing.checkpoint(barrier, inputs);\n",
        replace: `    this.input?.gate.unblockAll();
    this.input?.processNextBuffer();
    const isTaken = this.checkpointing.checkpoint(barrier, inputs);
`,
      },
    ],
  },
  {
    id: "ack-before-durable",
    flink: "FLINK-35217",
    symptom: "a task acknowledges when it has begun to write its snapshot, not when the bytes are durable",
    noticedBy: ["durability", "referential integrity"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/checkpoint/task-snapshot.ts",
        find: "      () => this.isRunning,\n      (error) => {",
        replace: "      () => true,\n      (error) => {\n        if (this.#state === \"done\") return;",
      },
      {
        file: "engine/checkpoint/task-snapshot.ts",
        find: "    const handle = handleOf(snapshotKey(this.#owner, this.#kind, this.checkpointId), file);\n",
        replace: `    const handle = handleOf(snapshotKey(this.#owner, this.#kind, this.checkpointId), file);
    ports.scheduler.after(0, () => {
      if (this.isRunning) this.#finish({ ok: true, state: { file: handle, lists: this.#lists(), inFlight: inFlightEdges(channels), shared: [] } }, done);
    });
`,
      },
    ],
  },
];
