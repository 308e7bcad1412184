import type { BlobError } from "../../engine/ports/blob-store.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import type { Fence } from "../../engine/ports/coordination.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { Fault } from "../faults/fault.ts";
import type { BlobObserver, CoordinationObserver, NetworkObserver } from "../hosts/service-observers.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { CheckpointRecord, CheckpointRecords } from "./checkpoint-records.ts";
import { filesNamedBy } from "./checkpoint-records.ts";
import type { OracleContext } from "./oracle.ts";
import type { TaskAttempt } from "./task-attempts.ts";
import { TaskAttempts } from "./task-attempts.ts";

/** A leader from its grant to its end: its death, its deposition, or a later grant. */
interface Term {
  readonly process: SimProcess;
  readonly epoch: number;
  over: boolean;
}

/** How a call was answered: not yet, well (null), or how badly. */
type Answer = "none" | null | BlobError;

/** What happened to one file. */
interface FileStory {
  readonly writer: SimProcess;
  /** Term in which the leader that wrote it began to; null where a worker did. */
  readonly writtenIn: Term | null;
  put: Answer;
  /** The task that acknowledged it. */
  acknowledgedBy: TaskAttempt | null;
  /** When it did so first. */
  acknowledgedUs: TimeUs;
  /** The leader that the acknowledgement reached, which was that of its epoch. */
  acceptedIn: Term | null;
  /** The leader that removed the record which referenced it, and when. */
  removedIn: Term | null;
  removedUs: TimeUs;
  /** The answer to the last delete; undefined where none was asked for. */
  deleted: Answer | undefined;
}

/** After a removal took effect or an acknowledgement was sent, its leader learns of it within this, if undisturbed. */
const LEARNED_US = 2_000_000;
/** What can keep a leader from learning what Coordination did. */
const DISTURBS_COORDINATION: ReadonlySet<Fault["kind"]> = new Set<Fault["kind"]>([
  "coordination-slow",
  "coordination-outage",
  "process-pause",
]);
/** What can keep an acknowledgement from its leader. */
const DISTURBS_RPC: ReadonlySet<Fault["kind"]> = new Set<Fault["kind"]>([
  "rpc-delay",
  "rpc-chaos",
  "network-slow",
  "partition",
  "process-pause",
]);

/**
 * Files that no record references, at the end of a finished or cancelled job. Somebody is responsible for each, and is
 * excused only where:
 *
 * - a delete of it was asked for last, and was answered with an error, or not answered (its caller died, or it
 *   is still under way), or the plan delays the effects of deletes beyond their replies;
 * - its record was removed: the leader that did it died or was deposed since; or has not learned yet that it
 *   succeeded (less than LEARNED_US ago, plus what the plan's faults of Coordination and pauses last);
 * - else it is the file of a leader (metadata), which died or was deposed since;
 * - else its acknowledgement reached the leader of its epoch, which died or was deposed since;
 * - else (no leader ever knew it) its writer died; or its upload was answered with an error, or not answered
 *   yet; or the task was over before its acknowledgement arrived; or the acknowledgement may still be on its
 *   way (a worker that was paused sends it when the job is about to end without it).
 */
export class LeftFiles implements BlobObserver, CoordinationObserver, NetworkObserver<ControlMessage> {
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  readonly #tasks: TaskAttempts;
  readonly #stories: Map<string, FileStory> = new Map();
  readonly #terms: Term[] = [];
  /** Term of the leader that uploads a file; null where a worker does. */
  readonly #askedIn: Map<string, Term | null> = new Map();

  constructor(context: OracleContext, records: CheckpointRecords) {
    this.#context = context;
    this.#records = records;
    const { world, graph } = context;
    this.#tasks = TaskAttempts.of(world, graph);
    world.blobObservers.push(this);
    world.coordinationObservers.push(this);
    world.networkObservers.push(this);
    world.kernel.on(TRACE.leadershipLost, (process) => this.#end((term) => term.process === process));
    for (const kind of [PORT_TRACE.processCrashed, PORT_TRACE.processStopped]) {
      world.kernel.on(kind, (_process, subject) => this.#end((term) => term.process.subject === subject));
    }
  }

  onEpochGranted(process: SimProcess, _lease: string, epoch: number): void {
    this.#end(() => true);
    this.#terms.push({ process, epoch, over: false });
  }

  /** A slow upload takes effect when its leader may be deposed, or even be leader again. */
  onPutAsked(writer: SimProcess, key: string): void {
    if (!this.#askedIn.has(key)) this.#askedIn.set(key, this.#termOf(writer));
  }

  onPut(writer: SimProcess, key: string): void {
    if (this.#stories.has(key)) return;
    const askedIn = this.#askedIn.get(key);
    this.#stories.set(key, {
      writer,
      writtenIn: askedIn === undefined ? this.#termOf(writer) : askedIn,
      put: "none",
      acknowledgedBy: null,
      acknowledgedUs: 0,
      acceptedIn: null,
      removedIn: null,
      removedUs: 0,
      deleted: undefined,
    });
  }

  onDelete(_process: SimProcess, key: string): void {
    this.#stories.delete(key);
  }

  onDeleteAsked(_process: SimProcess, key: string): void {
    const story = this.#stories.get(key);
    if (story !== undefined) story.deleted = "none";
  }

  onAnswered(_process: SimProcess, call: "put" | "delete", key: string, code: BlobError | null): void {
    const story = this.#stories.get(key);
    if (story === undefined) return;
    if (call === "put") story.put = code;
    else story.deleted = code;
  }

  onCallSent(_call: number, from: SimProcess, _to: Address, message: ControlMessage): void {
    if (message.kind !== "acknowledge-checkpoint" || message.state === null) return;
    for (const { key } of filesNamedBy(message.state)) {
      const story = this.#stories.get(key);
      if (story === undefined) continue;
      if (story.acknowledgedBy === null) story.acknowledgedUs = this.#context.world.nowUs;
      story.acknowledgedBy = this.#tasks.find(from, message.subject);
    }
  }

  onCallDelivered(_call: number, _from: Address, to: SimProcess, message: ControlMessage): void {
    if (message.kind !== "acknowledge-checkpoint" || message.state === null) return;
    const term = this.#terms.find(({ epoch }) => epoch === message.epoch);
    if (term === undefined || term.process !== to || term.over) return;
    for (const { key } of filesNamedBy(message.state)) {
      const story = this.#stories.get(key);
      if (story !== undefined) story.acceptedIn = term;
    }
  }

  recordRemoved({ files }: CheckpointRecord, fence: Fence): void {
    const term = this.#terms.find(({ epoch }) => epoch === fence.epoch) ?? null;
    for (const key of files.keys()) {
      const story = this.#stories.get(key);
      if (story === undefined) continue;
      story.removedIn = term;
      story.removedUs = this.#context.world.nowUs;
    }
  }

  /** Reports every file that should not be there. */
  check(): void {
    const { world, report } = this.#context;
    for (const key of world.blobs.keys()) {
      if (this.#records.referencing(key) !== null) continue;
      const story = this.#stories.get(key);
      const blame = story === undefined ? "nobody put it there" : this.#blame(story);
      if (blame !== null) report(`${key} is left behind, and no checkpoint references it: ${blame}`);
    }
  }

  /** Who should have deleted it; null where the one is excused. */
  #blame(story: FileStory): string | null {
    const { writer, writtenIn, acceptedIn, removedIn, acknowledgedBy } = story;
    if (story.deleted !== undefined) {
      if (story.deleted !== null || this.#plans("blob-late-delete")) return null;
      return "its delete was answered as done";
    }
    if (removedIn !== null) {
      if (removedIn.over || this.#isRecent(story.removedUs, DISTURBS_COORDINATION)) return null;
      return `${removedIn.process.name} removed its record and did not delete it`;
    }
    if (writtenIn !== null) return writtenIn.over ? null : `${writer.name} wrote it and did not delete it`;
    if (acceptedIn !== null) return acceptedIn.over ? null : `${acceptedIn.process.name} knew of it and did not delete it`;
    if (!writer.alive || story.put !== null) return null;
    if (acknowledgedBy === null) return `${writer.name} wrote it and neither acknowledged nor deleted it`;
    if (acknowledgedBy.phase === "over" || this.#isRecent(story.acknowledgedUs, DISTURBS_RPC)) return null;
    return `the acknowledgement of ${writer.name} never reached a leader`;
  }

  /** Nobody can be expected to have learned yet what happened at `sinceUs`. */
  #isRecent(sinceUs: TimeUs, disturbing: ReadonlySet<Fault["kind"]>): boolean {
    let withinUs = LEARNED_US;
    for (const fault of this.#context.world.options.plan) {
      if (!disturbing.has(fault.kind)) continue;
      if ("delayUs" in fault) withinUs += fault.delayUs;
      if ("durationUs" in fault) withinUs += fault.durationUs;
    }
    return this.#context.world.nowUs - sinceUs < withinUs;
  }

  #termOf(process: SimProcess): Term | null {
    return this.#terms.findLast((term) => term.process === process) ?? null;
  }

  #end(which: (term: Term) => boolean): void {
    for (const term of this.#terms) if (!term.over && which(term)) term.over = true;
  }

  #plans(kind: Fault["kind"]): boolean {
    return this.#context.world.options.plan.some((fault) => fault.kind === kind);
  }
}
