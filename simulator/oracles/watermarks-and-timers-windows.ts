import type { CheckpointId, TimestampMs } from "../../engine/base/units.ts";
import { MIN_WATERMARK, NO_CHECKPOINT } from "../../engine/base/units.ts";
import type { StreamNode, WindowNode } from "../../engine/graph/stream-graph.ts";
import type { KeyedBackend } from "../../engine/state/keyed-backend.ts";
import type { Key } from "../../engine/state/state.ts";
import { canonicalKey, keyIdentity } from "../reference/canonical-key.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { OracleContext } from "./oracle.ts";
import { sectionsOf, vertexOf } from "./recorded-state.ts";
import type { TaskAttempt } from "./task-attempts.ts";

type Identity = ReturnType<typeof keyIdentity>;

/** How often timers fired, by key and timestamp. */
type Times = Map<Identity, Map<TimestampMs, number>>;

/** Firings of one window operator, in the history that survived. */
interface OperatorFirings {
  readonly node: WindowNode;
  /** How many windows of one key can have a timer at the same time. */
  readonly most: number;
  /** Up to the latest completed checkpoint, of all its subtasks: no restore takes these back. */
  readonly settled: Times;
  /** A change of the parallelism took watermarks back that had come as far as this. */
  wentBackFromMs: TimestampMs;
}

/** Firings of one attempt of one of its subtasks, since the latest completed checkpoint. */
interface Firings {
  readonly of: OperatorFirings;
  /** Of which the key that fires is read. */
  readonly backend: KeyedBackend | null;
  readonly times: Times;
  /** In order. */
  keys: Identity[];
  timestamps: TimestampMs[];
}

/** An attempt that went on from the latest completed checkpoint, and took part in every one since. */
interface FollowedTask {
  readonly task: TaskAttempt;
  /** By subject of the operator; null for one without windows. */
  readonly operators: Map<number, Firings | null>;
  /** Snapshots not decided yet: how often timers of each operator had fired. */
  readonly marks: Map<CheckpointId, ReadonlyMap<Firings, number>>;
}

/**
 * Counts the firings of window timers by key and timestamp, along the history that survives: what fired up to the
 * latest completed checkpoint, whichever subtask had the key, and what fires since in attempts that go on from it.
 *
 * Allowed for: where a change of the parallelism takes the watermark of a key back to the least of those of the old
 * subtasks, windows that it had passed may take records, and fire, once more.
 */
export class WindowFirings implements RecordListener {
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  /** By uid. */
  readonly #operators: Map<string, OperatorFirings> = new Map();
  /** By number of the task attempt. */
  readonly #followed: Map<number, FollowedTask> = new Map();
  #latest: CheckpointId = NO_CHECKPOINT;

  constructor(context: OracleContext) {
    this.#context = context;
    this.#records = CheckpointRecords.of(context.world);
    this.#records.listen(this);
  }

  fired(task: TaskAttempt, operator: number, timestampMs: TimestampMs): void {
    const firings = this.#firingsOf(task, operator);
    if (firings === null || firings.backend === null) return;
    const { of, backend, times, keys, timestamps } = firings;
    const key = backend.currentKey();
    const identity = keyIdentity(key);
    const own = count(times, identity, timestampMs, 1);
    keys.push(identity);
    timestamps.push(timestampMs);
    const all = own + (of.settled.get(identity)?.get(timestampMs) ?? 0);
    if (all > of.most && timestampMs > of.wentBackFromMs) this.#reportTwice(operator, key, timestampMs, all);
  }

  snapshotTaken(task: TaskAttempt, checkpointId: CheckpointId): void {
    const followed = this.#followed.get(task.number);
    if (followed === undefined) return;
    const counts = new Map<Firings, number>();
    for (const firings of followed.operators.values()) if (firings !== null) counts.set(firings, firings.keys.length);
    followed.marks.set(checkpointId, counts);
  }

  /** What fired before the snapshots of a completed checkpoint is not taken back any more. */
  recordWritten({ checkpointId }: CheckpointRecord): void {
    this.#latest = checkpointId;
    for (const [number, { marks }] of this.#followed) {
      const mark = marks.get(checkpointId);
      // Whoever took no part in it has a successor, or has finished.
      if (mark === undefined) this.#followed.delete(number);
      for (const [id, counts] of marks) {
        if (id <= checkpointId) marks.delete(id);
        else if (mark !== undefined) marks.set(id, new Map([...counts].map(([firings, end]) => [firings, end - (mark.get(firings) ?? 0)])));
      }
      for (const [firings, end] of mark ?? []) settle(firings, end);
    }
  }

  restored(task: TaskAttempt, checkpointId: CheckpointId): void {
    if (checkpointId !== this.#latest) return;
    this.#followed.set(task.number, { task, operators: new Map(), marks: new Map() });
    const record = this.#records.byId(checkpointId);
    for (const node of task.vertex.chain) {
      if (node.kind !== "window" || record === null || vertexOf(record, node.uid)?.subtasks.length === task.vertex.parallelism) continue;
      const operator = this.#records.states.operatorIn(record, node.uid);
      const of = this.#operatorOf(node);
      for (const { watermarkMs } of operator === null || operator === undefined ? [] : sectionsOf(operator)) {
        of.wentBackFromMs = Math.max(of.wentBackFromMs, watermarkMs);
      }
    }
  }

  #firingsOf(task: TaskAttempt, operator: number): Firings | null {
    const operators = this.#followed.get(task.number)?.operators;
    if (operators === undefined) return null;
    let firings = operators.get(operator);
    if (firings !== undefined) return firings;
    const name = this.#context.world.kernel.nameOf(operator);
    const node = task.vertex.chain.find((one) => `${one.name}[${task.subtask}]` === name);
    firings = null;
    if (node !== undefined && node.kind === "window") {
      firings = { of: this.#operatorOf(node), backend: this.#backendOf(task, node), times: new Map(), keys: [], timestamps: [] };
    }
    operators.set(operator, firings);
    return firings;
  }

  #operatorOf(node: WindowNode): OperatorFirings {
    let operator = this.#operators.get(node.uid);
    if (operator === undefined) {
      const { allowedLatenessMs, sizeMs } = node;
      const most = allowedLatenessMs > 0 && allowedLatenessMs % sizeMs === 0 ? 2 : 1;
      operator = { node, most, settled: new Map(), wentBackFromMs: MIN_WATERMARK };
      this.#operators.set(node.uid, operator);
    }
    return operator;
  }

  #backendOf({ process, subject, attempt }: TaskAttempt, { uid }: StreamNode): KeyedBackend | null {
    const living = this.#context.world.processNamed(process.name);
    if (living === null || living.kind !== "worker") return null;
    const live = living.engine.tasks.find((one) => one.subject === subject && one.id.attempt === attempt);
    return live?.chain.operators.find(({ node }) => node.uid === uid)?.keyed ?? null;
  }

  #reportTwice(operator: number, key: Key, timestampMs: TimestampMs, times: number): void {
    const name = this.#context.world.kernel.nameOf(operator);
    this.#context.report(`${name}: the window timer of ${canonicalKey(key)} at ${timestampMs} fires ${times} times`);
  }
}

/** Moves the first firings to what is settled. */
function settle(firings: Firings, end: number): void {
  const { of, times, keys, timestamps } = firings;
  for (let i = 0; i < end; i++) {
    const [key, timestampMs] = [keys[i] as Identity, timestamps[i] as TimestampMs];
    count(times, key, timestampMs, -1);
    count(of.settled, key, timestampMs, 1);
  }
  firings.keys = keys.slice(end);
  firings.timestamps = timestamps.slice(end);
}

/** Adds to a count; returns the new one. */
function count(times: Times, key: Identity, timestampMs: TimestampMs, by: number): number {
  let ofKey = times.get(key);
  if (ofKey === undefined) {
    ofKey = new Map();
    times.set(key, ofKey);
  }
  const next = (ofKey.get(timestampMs) ?? 0) + by;
  if (next === 0) ofKey.delete(timestampMs);
  else ofKey.set(timestampMs, next);
  return next;
}
