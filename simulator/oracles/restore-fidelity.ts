import { structuralEquals } from "../../engine/base/codec.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { MIN_WATERMARK } from "../../engine/base/units.ts";
import type { SubtaskSnapshot } from "../../engine/checkpoint/snapshot-file.ts";
import { runsProcessFunction } from "../../engine/graph/keyed-node.ts";
import type { ChainedOperator } from "../../engine/operators/operator-chain.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { RestoreRequest } from "../../engine/restore/restore-strategy.ts";
import type { ControlMessage, TaskDescriptor } from "../../engine/runtime/messages.ts";
import type { KeyedBackend, KeyedEntry } from "../../engine/state/keyed-backend.ts";
import type { QuietFiles } from "../../engine/state/ordered-store.ts";
import type { Key, Namespace, Timer } from "../../engine/state/state.ts";
import type { CoordinationObserver, NetworkObserver } from "../hosts/service-observers.ts";
import { canonicalKey, canonicalNamespace } from "../reference/canonical-key.ts";
import { readOperatorSection } from "../reference/operator-section-reader.ts";
import type { OperatorSectionEntry } from "../reference/operator-section-reader.ts";
import type { KeyedSection, SectionTimer } from "../reference/snapshot-reader.ts";
import { sameValue } from "../reference/structural-equality.ts";
import type { SimProcess } from "../world/kernel.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";

/**
 * Restore fidelity: an attempt starts from the latest completed checkpoint, and a restored task holds
 * exactly what that checkpoint says.
 *
 * - What a leader hands out for an attempt is the record with the greatest id in Coordination at that moment
 *   (nothing where there is none), with the files of its metadata.
 * - When a task says that it is restored, each of its keyed backends holds the entries, timers and watermark
 *   that an independent reader finds in the subtask's durable file, and no others; its operator state (source
 *   offsets, committables) likewise, union lists with what the files of all subtasks hold. Restored from
 *   nothing, it holds nothing.
 *
 * Seen from deploy-task messages, Coordination, the bytes in the blob store, and the live backends at the
 * point taskRestored, before the task has processed anything. Not seen: state kept outside the backends; a
 * zombie's restore from a checkpoint that has been removed for long.
 *
 * Allowed for: a deposed leader that does not know it yet and hands out an older checkpoint.
 */
export const restoreFidelityOracle: OracleKind = {
  name: "restore fidelity",
  create: (context) => new RestoreFidelity(context),
};

class RestoreFidelity implements Oracle, NetworkObserver<ControlMessage>, CoordinationObserver {
  readonly name: string = restoreFidelityOracle.name;
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  #highestEpoch = 0;
  #lastAttempt = 0;

  constructor(context: OracleContext) {
    this.#context = context;
    const { world } = context;
    this.#records = CheckpointRecords.of(world);
    world.networkObservers.push(this);
    world.coordinationObservers.push(this);
    world.kernel.on(TRACE.taskRestored, (process, subject, attempt, checkpointId) => {
      if (process !== null) this.#restored(process, subject, attempt, checkpointId);
    });
  }

  onEpochGranted(_process: SimProcess, _lease: string, epoch: number): void {
    this.#highestEpoch = Math.max(this.#highestEpoch, epoch);
  }

  onCallSent(_call: number, _from: SimProcess, _to: Address, message: ControlMessage): void {
    if (message.kind !== "deploy-task" || message.epoch < this.#highestEpoch) return;
    const { descriptor } = message;
    // The choice is made once an attempt; by the time a message is repeated, another may be the latest.
    if (descriptor.id.attempt > this.#lastAttempt) this.#checkChoice(descriptor);
    this.#lastAttempt = Math.max(this.#lastAttempt, descriptor.id.attempt);
    if (descriptor.restore !== null) this.#checkHandles(descriptor, descriptor.restore);
  }

  finish(): void {}

  #checkChoice({ id, restore }: TaskDescriptor): void {
    const latest = this.#records.latest;
    const expected = latest === null ? -1 : latest.checkpointId;
    const chosen = restore === null ? -1 : restore.checkpointId;
    if (chosen === expected) return;
    this.#context.report(`attempt ${id.attempt} starts from ${nameOf(chosen)}, but the latest completed is ${nameOf(expected)}`);
  }

  #checkHandles({ id }: TaskDescriptor, { checkpointId, vertices }: RestoreRequest): void {
    const named = this.#records.byId(checkpointId)?.metadata?.vertices;
    if (named !== undefined && structuralEquals(named, vertices)) return;
    this.#context.report(`attempt ${id.attempt} restores from files that ${nameOf(checkpointId)} does not name`);
  }

  #restored(process: SimProcess, subject: number, attempt: number, checkpointId: CheckpointId): void {
    const { world } = this.#context;
    const living = world.processNamed(process.name);
    if (living === null || living.kind !== "worker") return;
    const task = living.engine.tasks.find((one) => one.subject === subject && one.id.attempt === attempt);
    if (task === undefined) return;
    const snapshot = checkpointId < 0 ? null : this.#snapshotOf(checkpointId, task.id.vertex, task.id.subtask);
    if (snapshot === undefined) return;
    const what = `${task.name}, attempt ${attempt}, restored from ${nameOf(checkpointId)}`;
    for (const operator of task.chain.operators) {
      const recorded = snapshot?.operators.find(({ uid }) => uid === operator.node.uid);
      const keyed = recorded?.keyed ?? null;
      const section = keyed === null ? null : this.#records.sectionOf(operator.node.uid, task.id.subtask, keyed);
      this.#compareKeyed(`${what}: "${operator.node.uid}"`, operator.keyed, section, world.quietFilesOf(process.host));
      const states = this.#operatorStates(checkpointId, task.id.vertex, operator.node.uid, recorded?.lists ?? NO_BYTES);
      if (states !== null) this.#compareStates(`${what}: "${operator.node.uid}"`, operator, states);
    }
  }

  /** Null: the checkpoint holds nothing of the subtask. Undefined: its bytes are not known any more. */
  #snapshotOf(checkpointId: CheckpointId, vertex: number, subtask: number): SubtaskSnapshot | null | undefined {
    const record = this.#records.byId(checkpointId);
    if (record === null || record.metadata === null) {
      this.#context.report(`a task was restored from ${nameOf(checkpointId)}, which never completed`);
      return undefined;
    }
    const handle = record.metadata.vertices.find((one) => one.vertex === vertex)?.subtasks[subtask]?.file ?? null;
    if (handle === null) return null;
    const file = record.files.find((one) => one.handle.key === handle.key);
    return file === undefined ? undefined : (this.#records.snapshotIn(file) ?? undefined);
  }

  #compareKeyed(what: string, live: KeyedBackend | null, recorded: KeyedSection | null, files: QuietFiles): void {
    const { report } = this.#context;
    if (live === null) {
      if (recorded !== null) report(`${what} has keyed state in the checkpoint, and none now`);
      return;
    }
    const difference = firstDifference(recorded?.entries ?? NO_ENTRIES, live.entries(files));
    if (difference !== null) report(`${what}: ${difference}`);
    const timers = live.inspectTimers();
    const event = timerDifference(recorded?.eventTimers ?? NO_TIMERS, timers.eventTime);
    if (event !== null) report(`${what}: ${event} of event time`);
    const processing = timerDifference(recorded?.processingTimers ?? NO_TIMERS, timers.processingTime);
    if (processing !== null) report(`${what}: ${processing} of processing time`);
    const watermarkMs = recorded?.watermarkMs ?? MIN_WATERMARK;
    if (live.watermarkMs !== watermarkMs) report(`${what}: the watermark is ${live.watermarkMs}, recorded is ${watermarkMs}`);
  }

  /** What a subtask must have back: its own states, of union lists what all subtasks had. Null: not known any more. */
  #operatorStates(checkpointId: CheckpointId, vertex: number, uid: string, own: Uint8Array): OperatorStates | null {
    const subtasks = this.#records.byId(checkpointId)?.metadata?.vertices.find((one) => one.vertex === vertex)?.subtasks ?? [];
    const states = new Map(readOperatorSection(own));
    for (const [name, state] of states) {
      if (state.mode !== "union") continue;
      const elements: unknown[] = [];
      for (let subtask = 0; subtask < subtasks.length; subtask++) {
        const snapshot = this.#snapshotOf(checkpointId, vertex, subtask);
        if (snapshot === undefined) return null;
        const section = snapshot?.operators.find((operator) => operator.uid === uid)?.lists ?? NO_BYTES;
        elements.push(...(readOperatorSection(section).get(name)?.elements ?? []));
      }
      states.set(name, { ...state, elements });
    }
    return states;
  }

  #compareStates(what: string, { node, lists }: ChainedOperator, recorded: OperatorStates): void {
    // A user function may change its operator state in `open`, which has run by now.
    const live = readOperatorSection(runsProcessFunction(node) ? lists.restoredBytes() : lists.bytes());
    for (const [name, { mode, elements }] of recorded) {
      const has = live.get(name);
      if (has?.mode === mode && sameValue(has.elements, elements)) continue;
      this.#context.report(`${what}: ${stateText(has, name, mode)}, recorded is ${shown(elements)}`);
    }
    for (const [name, state] of live) {
      if (!recorded.has(name)) this.#context.report(`${what}: ${stateText(state, name, state.mode)}, recorded is none`);
    }
  }
}

type OperatorStates = ReadonlyMap<string, OperatorSectionEntry>;

function stateText(state: OperatorSectionEntry | undefined, name: string, mode: OperatorSectionEntry["mode"]): string {
  const text = { split: `list "${name}"`, union: `union list "${name}"`, broadcast: `broadcast state "${name}"` };
  return `${text[state?.mode ?? mode]} is ${shown(state?.elements)}`;
}

const NO_BYTES = new Uint8Array(0);
const NO_ENTRIES: readonly KeyedEntry[] = [];
const NO_TIMERS: readonly SectionTimer[] = [];

/** The first entry that is not the same on both sides, in words; null where there is none. */
export function firstDifference(recorded: readonly KeyedEntry[], live: readonly KeyedEntry[]): string | null {
  const left = new Map<string, KeyedEntry>();
  for (const entry of live) left.set(identity(entry.state, entry.key, entry.namespace), entry);
  if (left.size !== live.length) return "an entry is there twice";
  for (const { state, key, namespace, value } of recorded) {
    const name = identity(state, key, namespace);
    const entry = left.get(name);
    if (entry === undefined) return `${entryName(state, key, namespace)} is missing, recorded is ${shown(value)}`;
    if (!sameValue(entry.value, value)) {
      return `${entryName(state, key, namespace)} is ${shown(entry.value)}, recorded is ${shown(value)}`;
    }
    left.delete(name);
  }
  for (const { state, key, namespace, value } of left.values()) {
    return `${entryName(state, key, namespace)} is ${shown(value)}, recorded is none`;
  }
  return null;
}

/** The first timer that is not on both sides, in words; null where there is none. */
export function timerDifference(recorded: readonly Timer[], live: readonly Timer[]): string | null {
  const left = new Set<string>();
  for (const { key, namespace, timestampMs } of live) left.add(identity(String(timestampMs), key, namespace));
  if (left.size !== live.length) return "a timer is there twice";
  for (const { key, namespace, timestampMs } of recorded) {
    if (!left.delete(identity(String(timestampMs), key, namespace))) {
      return `${entryName("the timer", key, namespace)} at ${timestampMs} is missing`;
    }
  }
  for (const { key, namespace, timestampMs } of live) {
    if (left.has(identity(String(timestampMs), key, namespace))) {
      return `${entryName("the timer", key, namespace)} at ${timestampMs} is not recorded`;
    }
  }
  return null;
}

function identity(what: string, key: Key, namespace: Namespace): string {
  return `${what}\u0000${canonicalNamespace(namespace)}\u0000${canonicalKey(key)}`;
}

function entryName(what: string, key: Key, namespace: Namespace): string {
  return namespace === "" ? `${what} of ${shown(key)}` : `${what} of ${shown(key)} in ${shown(namespace)}`;
}

function nameOf(checkpointId: CheckpointId): string {
  return checkpointId < 0 ? "no checkpoint" : `checkpoint ${checkpointId}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "none";
  const text = JSON.stringify(value, (_name, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner)) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
