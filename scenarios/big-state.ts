import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "../engine/api/functions.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { listState, mapState, valueState } from "../engine/state/descriptors.ts";
import { STATE_BACKENDS } from "../engine/state/state-backend.ts";
import type { ListState, MapState, ValueState } from "../engine/state/state.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";
import { CONCURRENT_PATHS, configure, CONFIGURED, mayOvertake, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

/** A change of one document. */
export interface Edit {
  readonly document: string;
  /** "put" replaces the text; "note" appends a line; "tag" and "untag" set and remove one; "delete" forgets all. */
  readonly what: "put" | "note" | "tag" | "untag" | "delete";
  readonly text: string;
}

/** What a document is after an edit. */
export interface Revision {
  readonly document: string;
  /** Edits since it was created: 1, 2, 3 …; 0: it was deleted. */
  readonly revision: number;
  readonly textLength: number;
  readonly notes: number;
  /** In the order in which they were first set. */
  readonly tags: readonly string[];
}

interface Document {
  readonly revision: number;
  readonly text: string;
}

const DOCUMENTS = 120;
const EDITS = 600;
const TAGS = ["draft", "urgent", "legal", "print", "archive"] as const;
const PARTITIONS = 4;
const BURSTS = { everyUs: 400_000, partitions: PARTITIONS };
const TEXT_LENGTH = 96;
/** Of every run on an lsm backend. */
const LSM_PATHS: readonly string[] = [
  "a table on level 3",
  "a compaction overlapping a snapshot",
  "a tombstone dropped for good",
];
const CHANGELOG_PATHS: readonly string[] = ["a changelog materialized"];
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Everything about a document lies in keyed state, most of it never read again soon. */
class Library implements KeyedProcessFunction<Edit, Revision> {
  #document!: ValueState<Document>;
  #notes!: ListState<string>;
  #tags!: MapState<string, number>;

  open(context: RuntimeContext): void {
    this.#document = context.getState(valueState<Document>("document"));
    this.#notes = context.getState(listState<string>("notes"));
    this.#tags = context.getState(mapState<string, number>("tags"));
  }

  processElement(edit: Edit, _context: ProcessContext, collect: (revision: Revision) => void): void {
    const { document, what } = edit;
    if (what === "delete") {
      this.#document.clear();
      this.#notes.clear();
      this.#tags.clear();
      collect({ document, revision: 0, textLength: 0, notes: 0, tags: [] });
      return;
    }
    const before = this.#document.value() ?? { revision: 0, text: "" };
    const text = what === "put" ? edit.text : before.text;
    const revision = before.revision + 1;
    this.#document.update({ revision, text });
    if (what === "note") this.#notes.add(edit.text);
    if (what === "tag") this.#tags.put(edit.text, (this.#tags.get(edit.text) ?? 0) + 1);
    if (what === "untag") this.#tags.remove(edit.text);
    const tags = this.#tags.entries().map(([tag]) => tag);
    collect({ document, revision, textLength: text.length, notes: this.#notes.get().length, tags });
  }
}

function job(options: RunOptions): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options).setMaxConcurrentCheckpoints(mayOvertake(options) ? 1 : 2).setMaxRetainedCheckpoints(2);
  env
    .fromSource(new LogSource<Edit>("edits"), WatermarkStrategies.noWatermarks<Edit>())
    .uid("edits")
    .keyBy(({ document }) => document)
    .process(new Library())
    .uid("library")
    .name("library")
    .sinkTo(
      new TransactionalLogSink<Revision>({
        topic: "revisions",
        partitionOf: ({ document }, partitions) => partitionOfKey(document, partitions),
      }),
    )
    .uid("revisions");
  return env.execute("Big State");
}

/** All edits of a document lie in one partition, so that they have one order. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const draws = random("edits");
  const partitions: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let index = 0; index < EDITS; index++) {
    // First every document is written once, so that the state is large early.
    const number = index < DOCUMENTS ? index : draws.below(DOCUMENTS);
    const document = `document-${String(number).padStart(4, "0")}`;
    const partition = partitionOfKey(document, PARTITIONS);
    const arrivesAtUs = burstAtUs(BURSTS, partition, dueUs(index, EDITS));
    const value = Object.freeze(editOf(document, index < DOCUMENTS ? 0 : draws.below(16), draws));
    partitions[partition]?.push({ arrivesAtUs, timestampMs: Math.floor(arrivesAtUs / 1000), value });
  }
  return [{ topic: "edits", partitions }];
}

function editOf(document: string, choice: number, draws: { below(bound: number): number }): Edit {
  if (choice < 6) return { document, what: "put", text: textOf(draws) };
  if (choice < 9) return { document, what: "note", text: textOf(draws).slice(0, 24) };
  const tag = TAGS[draws.below(TAGS.length)] as string;
  if (choice < 12) return { document, what: "tag", text: tag };
  if (choice < 14) return { document, what: "untag", text: tag };
  return { document, what: "delete", text: "" };
}

function textOf(draws: { below(bound: number): number }): string {
  let text = "";
  for (let i = 0; i < TEXT_LENGTH; i++) text += LETTERS[draws.below(LETTERS.length)] as string;
  return text;
}

export const bigState: Scenario = defineScenario({
  name: "big-state",
  title: "documents under edit, more of them than fit into a memtable",
  doc: `Edits of 120 documents arrive over 24 virtual seconds: texts are replaced, notes appended, tags set and
removed, whole documents deleted. Everything about a document lies in keyed state (a value, a list, a map), and
the backends are so small that it never fits: an lsm backend writes its memtable out again and again, compacts
down to level 3 while snapshots are read, and drops tombstones for good; sqlite spills its buffer; a changelog
is materialized several times a run. Every edit gives the document's revision, its tags and the number of its
notes, so that one edit lost, repeated or brought back from a deleted document shows in the output at once.

Hunts: entries that compaction loses or revives; reads that miss a level; snapshots that see later changes;
state cut wrongly at a restore; a changelog that loses or repeats what lies at its boundaries; damaged or
short reads taken for data.`,
  job,
  workload,
  outputs: [{ topic: "revisions", partitions: 3, keyOf: (value) => (value as Revision).document }],
  cluster: THREE_WORKERS,
  budget: SURVIVES_EVERYTHING,
  ...CONFIGURED,
  parallelisms: [1, 2],
  drawnBackends: STATE_BACKENDS,
  bufferSizes: [4, 16, 64],
  confluent: true,
  sometimes: RECOVERY_PATHS,
  sometimesWith: {
    ...CONCURRENT_PATHS,
    lsm: LSM_PATHS,
    "changelog:heap": CHANGELOG_PATHS,
    "changelog:lsm": [...LSM_PATHS, ...CHANGELOG_PATHS],
    "changelog:sqlite": CHANGELOG_PATHS,
  },
});
