import type { PlantedBug } from "../planted-bug.ts";

/** Transactions: prepared before the ack, committed on completion, settled after a restart. */
export const SINK_BUGS: readonly PlantedBug[] = [
  {
    id: "commit-at-the-barrier",
    flink: null,
    symptom: "the sink commits as soon as its transaction is prepared, before the checkpoint is complete",
    noticedBy: ["exactly-once output"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/connectors/transaction-writer.ts",
        find: `      const { ports, subject } = this.#context;
      ports.tracer.point(TRACE.transactionPrepared, subject, transaction.checkpointId, 1);
`,
        replace: `      const { ports, subject } = this.#context;
      ports.tracer.point(TRACE.transactionPrepared, subject, transaction.checkpointId, 1);
      ports.log.commit(transaction.producerId, transaction.transactionId, () => undefined);
`,
      },
    ],
  },
  {
    id: "committed-transaction-not-tolerated",
    flink: "FLINK-8086",
    symptom: "recovery fails, for ever, when a transaction that it would commit is committed already",
    noticedBy: ["liveness"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/connectors/transaction-recovery.ts",
        find: "        const left = pending.filter(({ transactionId }) => this.#ids.isLeftOver(transactionId));\n",
        replace: `        const own = this.#restored.filter((one) => one.producerId === producerId);
        const gone = own.find((one) => !pending.some((info) => info.transactionId === one.transactionId));
        if (gone !== undefined) {
          this.#done({ ok: false, reason: \`\${gone.transactionId} is not there to be committed\` });
          return;
        }
        const left = pending.filter(({ transactionId }) => this.#ids.isLeftOver(transactionId));
`,
      },
      {
        file: "engine/connectors/transaction-recovery.ts",
        find: "    const [own, ...orphaned] = this.#producerIds;\n",
        replace: "    this.#restored = committables;\n    const [own, ...orphaned] = this.#producerIds;\n",
      },
      {
        file: "engine/connectors/transaction-recovery.ts",
        find: "  run(restored: readonly unknown[],",
        replace: "  #restored: readonly Committable[] = [];\n\n  run(restored: readonly unknown[],",
      },
    ],
  },
  {
    id: "no-flush-before-prepare",
    flink: "FLINK-6996",
    symptom: "what the sink has buffered is not written before its transaction is prepared",
    noticedBy: ["exactly-once output"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/connectors/transactional-log-sink.ts",
        find: "      for (let partition = 0; partition < this.#partitions; partition++) this.#flush(closed, partition);\n",
        replace: "",
      },
    ],
  },
  {
    id: "transaction-id-without-attempt",
    flink: null,
    symptom: "after a restart the sink's transactions get the ids of those it made before",
    noticedBy: ["exactly-once output", "liveness"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/connectors/sink-transaction.ts",
        find: "const transactionId = `${this.producerId}/${this.attempt}-${this.#closedBy}-${this.#counter}`;",
        replace: "const transactionId = `${this.producerId}/0-${this.#closedBy}-${this.#counter}`;",
      },
    ],
  },
  {
    id: "missed-commit-not-made-up",
    flink: "FLINK-36455",
    symptom: "a completed checkpoint commits its own transaction only, not those of earlier ones whose notice was lost",
    noticedBy: ["exactly-once output"],
    scenarios: ["word-count"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/connectors/transaction-committer.ts",
        find: "    const transaction = this.#uncommitted[0];\n",
        replace: `    const skipped = this.#uncommitted.findIndex(({ checkpointId }) => checkpointId >= request.checkpointId);
    this.#uncommitted.splice(0, skipped < 0 ? this.#uncommitted.length : skipped);
    const transaction = this.#uncommitted[0];
`,
      },
    ],
  },
];
