import type { CheckpointId, TimestampMs } from "../../engine/base/units.ts";
import type { WindowNode } from "../../engine/graph/stream-graph.ts";
import type { KeyedBackend } from "../../engine/state/keyed-backend.ts";
import type { Key } from "../../engine/state/state.ts";
import { canonicalKey, keyIdentity } from "../reference/canonical-key.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { OracleContext } from "./oracle.ts";
import type { TaskAttempt } from "./task-attempts.ts";

type Identity = ReturnType<typeof keyIdentity>;

/** Firings of the timers of one subtask of a window operator, in the history that survived. */
interface Lineage {
  readonly node: WindowNode;
  /** How many windows of one key can have a timer at the same time. */
  readonly most: number;
  /** How often, by key and timestamp. */
  readonly times: Map<Identity, Map<TimestampMs, number>>;
  /** All of them, in order, so that a restore can take them back. */
  readonly keys: Identity[];
  readonly timestamps: TimestampMs[];
  /** How many there were at each snapshot of the attempt at hand. */
  readonly marks: Map<CheckpointId, number>;
  /** The task that fires now; whose backend has the current key. */
  task: TaskAttempt;
  backend: KeyedBackend | null;
}

/**
 * Counts the firings of window timers by key and timestamp, along the history that survives. Firings of a
 * zombie, whose successor was restored already, are not part of it.
 */
export class WindowFirings {
  readonly #context: OracleContext;
  /** By subject of the operator's subtask; null where it is no window operator. */
  readonly #lineages: (Lineage | null | undefined)[] = [];
  /** By subject of the task: the latest attempt that was restored. */
  readonly #attempts: (number | undefined)[] = [];

  constructor(context: OracleContext) {
    this.#context = context;
  }

  fired(task: TaskAttempt, operator: number, timestampMs: TimestampMs): void {
    const lineage = this.#lineageOf(task, operator);
    if (lineage === null || task.attempt < (this.#attempts[task.subject] ?? 0)) return;
    if (lineage.task !== task) {
      lineage.task = task;
      lineage.backend = this.#backendOf(task, lineage.node);
    }
    if (lineage.backend === null) return;
    const key = lineage.backend.currentKey();
    const identity = keyIdentity(key);
    const times = count(lineage.times, identity, timestampMs, 1);
    lineage.keys.push(identity);
    lineage.timestamps.push(timestampMs);
    if (times > lineage.most) this.#reportTwice(operator, key, timestampMs, times);
  }

  snapshotTaken(process: SimProcess | null, subject: number, checkpointId: CheckpointId): void {
    for (const lineage of this.#lineages) {
      if (lineage === null || lineage === undefined) continue;
      const { task } = lineage;
      if (task.subject === subject && task.process === process) lineage.marks.set(checkpointId, lineage.keys.length);
    }
  }

  restored(task: TaskAttempt, checkpointId: CheckpointId): void {
    if (task.attempt < (this.#attempts[task.subject] ?? 0)) return;
    this.#attempts[task.subject] = task.attempt;
    for (const lineage of this.#lineages) {
      if (lineage === null || lineage === undefined || lineage.task.subject !== task.subject) continue;
      // No mark: nothing had fired when that snapshot was taken.
      const kept = lineage.marks.get(checkpointId) ?? 0;
      while (lineage.keys.length > kept) {
        count(lineage.times, lineage.keys.pop() as Identity, lineage.timestamps.pop() as TimestampMs, -1);
      }
      for (const id of lineage.marks.keys()) if (id > checkpointId) lineage.marks.delete(id);
      lineage.task = task;
      lineage.backend = this.#backendOf(task, lineage.node);
    }
  }

  #lineageOf(task: TaskAttempt, operator: number): Lineage | null {
    let lineage = this.#lineages[operator];
    if (lineage !== undefined) return lineage;
    const name = this.#context.world.kernel.nameOf(operator);
    const node = task.vertex.chain.find((one) => `${one.name}[${task.subtask}]` === name);
    lineage = null;
    if (node !== undefined && node.kind === "window") {
      const { allowedLatenessMs, sizeMs } = node;
      const most = allowedLatenessMs > 0 && allowedLatenessMs % sizeMs === 0 ? 2 : 1;
      const backend = this.#backendOf(task, node);
      lineage = { node, most, times: new Map(), keys: [], timestamps: [], marks: new Map(), task, backend };
    }
    this.#lineages[operator] = lineage;
    return lineage;
  }

  #backendOf({ process, subject, attempt }: TaskAttempt, { uid }: WindowNode): KeyedBackend | null {
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

/** Adds to a count; returns the new one. */
function count(times: Map<Identity, Map<TimestampMs, number>>, key: Identity, timestampMs: TimestampMs, by: number): number {
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
