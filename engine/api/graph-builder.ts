import { present } from "../base/assert.ts";
import { MAX_PARALLELISM_LIMIT } from "../base/limits.ts";
import type { InputIndex, JobConfig, NodeId, Partitioning, StreamEdge, StreamGraph, StreamNode } from "../graph/stream-graph.ts";
import { defaultMaxParallelism } from "../stream/key-groups.ts";
import type { KeySelector } from "./functions.ts";
import { JobDefinitionError, requireWhole } from "./job-definition-error.ts";
import { derivedUid, firstFree } from "./operator-uid.ts";

type Common = "id" | "uid" | "name" | "parallelism" | "inputs";
type BodyOf<N> = N extends StreamNode ? Omit<N, Common> : never;
/** What a node is, without its place in the graph. */
export type NodeBody = BodyOf<StreamNode>;

/** One way into an operator, as written by the job's author. */
export interface Upstream {
  readonly from: NodeId;
  readonly sideOutput: string | null;
  /** Null: forward where the parallelism is equal, else rebalance. */
  readonly partitioning: Partitioning | null;
  readonly keySelector: KeySelector<any> | null;
  readonly input: InputIndex;
}

interface NodeDraft {
  readonly id: NodeId;
  readonly body: NodeBody;
  readonly upstreams: readonly Upstream[];
  name: string;
  uid: string | null;
  /** Null: the environment's. */
  parallelism: number | null;
  /** Set where the operator cannot have another parallelism: why. */
  readonly onlyOne: string | null;
}

/** What `build` needs besides the operators. */
export interface GraphSettings {
  readonly parallelism: number;
  /** Null: derived from the greatest parallelism of an operator, as in Flink. */
  readonly maxParallelism: number | null;
  readonly config: Omit<JobConfig, "maxParallelism">;
}

/** Collects the operators of a job while its author adds them, then checks them and makes the graph. */
export class GraphBuilder {
  readonly #drafts: NodeDraft[] = [];

  add(body: NodeBody, name: string, upstreams: readonly Upstream[], onlyOne: string | null = null): NodeId {
    const id = this.#drafts.length;
    const parallelism = onlyOne === null ? null : 1;
    this.#drafts.push({ id, body, upstreams, name, uid: null, parallelism, onlyOne });
    return id;
  }

  setUid(id: NodeId, uid: string): void {
    const draft = this.#draft(id);
    if (typeof uid !== "string" || uid === "") {
      throw new JobDefinitionError(label(draft), "its uid is empty", "Give a name that is unique in the job");
    }
    draft.uid = uid;
  }

  setName(id: NodeId, name: string): void {
    const draft = this.#draft(id);
    if (typeof name !== "string" || name === "") {
      throw new JobDefinitionError(label(draft), "its name is empty", "Give a name for people to read");
    }
    draft.name = name;
  }

  setParallelism(id: NodeId, parallelism: number): void {
    const draft = this.#draft(id);
    requireParallelism(parallelism, label(draft));
    if (draft.onlyOne !== null && parallelism !== 1) {
      throw new JobDefinitionError(
        label(draft),
        `its parallelism cannot be ${parallelism}: ${draft.onlyOne}`,
        "Set the parallelism of the operators after it, or read from a partitioned source",
      );
    }
    draft.parallelism = parallelism;
  }

  build(jobName: string, settings: GraphSettings): StreamGraph {
    this.#requireSourceAndSink(jobName);
    const parallelisms = this.#drafts.map((draft) => draft.parallelism ?? settings.parallelism);
    const maxParallelism = settings.maxParallelism ?? defaultMaxParallelism(Math.max(...parallelisms));
    this.#requireAtMost(maxParallelism, parallelisms);
    const uids = this.#uids();
    const names = this.#names();
    const nodes = this.#drafts.map((draft): StreamNode => {
      const parallelism = present(parallelisms[draft.id], "every draft has a parallelism");
      const inputs = draft.upstreams.map((upstream) => this.#edge(upstream, draft, parallelisms));
      const uid = present(uids[draft.id], "every draft has a uid");
      const name = present(names[draft.id], "every draft has a name");
      // Not a spread that adds properties: V8 makes a new hidden class each time it is run, which is slow here
      // and makes nodes strangers to each other wherever they are read.
      return Object.assign({ id: draft.id, uid, name, parallelism, inputs }, draft.body);
    });
    return { jobName, nodes, config: { maxParallelism, ...settings.config } };
  }

  #draft(id: NodeId): NodeDraft {
    return present(this.#drafts[id], "a stream belongs to the environment that made it");
  }

  #requireSourceAndSink(jobName: string): void {
    if (!this.#drafts.some((draft) => draft.body.kind === "source")) {
      throw new JobDefinitionError(
        `job "${jobName}"`,
        "it has no source",
        "Begin with env.fromElements(...) or env.fromSource(...)",
      );
    }
    if (!this.#drafts.some((draft) => draft.body.kind === "sink")) {
      throw new JobDefinitionError(
        `job "${jobName}"`,
        "it has no sink, so nothing it computes would be seen",
        "End at least one stream with sinkTo(...)",
      );
    }
  }

  #requireAtMost(maxParallelism: number, parallelisms: readonly number[]): void {
    for (const draft of this.#drafts) {
      const parallelism = present(parallelisms[draft.id], "every draft has a parallelism");
      if (parallelism <= maxParallelism) continue;
      throw new JobDefinitionError(
        label(draft),
        `its parallelism ${parallelism} is greater than the maximum parallelism ${maxParallelism}`,
        "Lower it with setParallelism, or raise env.setMaxParallelism (which cannot change once state exists)",
      );
    }
  }

  #edge(upstream: Upstream, to: NodeDraft, parallelisms: readonly number[]): StreamEdge {
    const from = this.#draft(upstream.from);
    const sender = present(parallelisms[from.id], "every draft has a parallelism");
    const receiver = present(parallelisms[to.id], "every draft has a parallelism");
    if (upstream.partitioning === "forward" && sender !== receiver) {
      throw new JobDefinitionError(
        label(to),
        `forward() from ${label(from)} needs equal parallelism, but it goes from ${sender} to ${receiver}`,
        "Use rebalance(), or give both the same parallelism",
      );
    }
    const partitioning = upstream.partitioning ?? (sender === receiver ? "forward" : "rebalance");
    const { keySelector, sideOutput, input } = upstream;
    return { from: from.id, partitioning, keySelector, sideOutput, input };
  }

  #uids(): readonly string[] {
    const taken = new Set<string>();
    const owners = new Map<string, NodeDraft>();
    for (const draft of this.#drafts) {
      if (draft.uid === null) continue;
      const other = owners.get(draft.uid);
      if (other !== undefined) {
        throw new JobDefinitionError(
          label(draft),
          `its uid "${draft.uid}" is already the uid of ${label(other)}`,
          "Give each operator a uid of its own: its state is found by it",
        );
      }
      owners.set(draft.uid, draft);
      taken.add(draft.uid);
    }
    const uids: string[] = [];
    for (const draft of this.#drafts) {
      const upstream = draft.upstreams.map((input) => {
        const from = present(uids[input.from], "an operator comes after what feeds it");
        const uid = input.sideOutput === null ? from : `${from}/${input.sideOutput}`;
        return input.input === 0 ? uid : `second input ${uid}`;
      });
      const uid = draft.uid ?? derivedUid({ kind: draft.body.kind, name: draft.name, upstream }, taken);
      taken.add(uid);
      uids.push(uid);
    }
    return uids;
  }

  /** Names as given; later ones of the same name get a number, so that a subtask's name is its own. */
  #names(): readonly string[] {
    const given = new Set(this.#drafts.map((draft) => draft.name));
    const used = new Set<string>();
    return this.#drafts.map((draft) => {
      const name = used.has(draft.name) ? firstFree(draft.name, new Set([...given, ...used])) : draft.name;
      used.add(name);
      return name;
    });
  }
}

/** `parallelism` if an operator can have it. */
export function requireParallelism(parallelism: number, operator: string): number {
  requireWhole(parallelism, 1, operator, "its parallelism");
  if (parallelism > MAX_PARALLELISM_LIMIT) {
    throw new JobDefinitionError(
      operator,
      `its parallelism ${parallelism} is greater than ${MAX_PARALLELISM_LIMIT}, the most there can be`,
      "Lower it",
    );
  }
  return parallelism;
}

function label(draft: NodeDraft): string {
  return draft.body.kind === draft.name ? `operator "${draft.name}"` : `${draft.body.kind} operator "${draft.name}"`;
}
