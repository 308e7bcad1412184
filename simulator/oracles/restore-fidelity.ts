import { present } from "../../engine/base/assert.ts";
import { structuralEquals } from "../../engine/base/codec.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { MIN_WATERMARK } from "../../engine/base/units.ts";
import { runsProcessFunction } from "../../engine/graph/keyed-node.ts";
import type { ChainedOperator } from "../../engine/operators/operator-chain.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { RestoreRequest } from "../../engine/restore/restore-strategy.ts";
import type { ControlMessage, TaskDescriptor } from "../../engine/runtime/messages.ts";
import type { Task } from "../../engine/runtime/task.ts";
import type { KeyedBackend } from "../../engine/state/keyed-backend.ts";
import type { QuietFiles } from "../../engine/state/ordered-store.ts";
import { keyGroupOf, keyGroupRange } from "../../engine/stream/key-groups.ts";
import type { CoordinationObserver, NetworkObserver } from "../hosts/service-observers.ts";
import { listsAfterRestore } from "../reference/operator-lists.ts";
import type { OperatorLists } from "../reference/operator-lists.ts";
import { readOperatorSection } from "../reference/operator-section-reader.ts";
import type { SimProcess } from "../world/kernel.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import { carriesIds } from "./data-oracles-observation.ts";
import type { Tagged } from "./graph-rewriting-ids.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import { cutTo, nameOfCheckpoint, sectionsOf } from "./recorded-state.ts";
import type { RecordedCut, RecordedOperator } from "./recorded-state.ts";
import { RecordedInFlight } from "./restored-channels.ts";
import { firstDifference, listDifference, shown, timerDifference } from "./state-differences.ts";
import { TaskAttempts } from "./task-attempts.ts";

/**
 * Restore fidelity: an attempt starts from the latest completed checkpoint, and a restored task holds
 * exactly what that checkpoint says of it, whatever strategy brought it there, whichever backend wrote it, and
 * whatever parallelism it was written with.
 *
 * - What a leader hands out for an attempt is the record with the greatest id in Coordination at that moment
 *   (nothing where there is none), with the files of its metadata.
 * - When a task says that it is restored, each of its operators is found in the checkpoint by its uid. Its keyed
 *   backend holds the entries and timers that an independent reader finds in the durable files of all old
 *   subtasks together, cut to the key groups of the new one, and no others; its watermark is the least that was
 *   recorded for these key groups; every key belongs to them. Its operator state (source offsets, committables)
 *   is dealt out as Flink's rules say (see operator-lists). Its channels hold what the checkpoint has in flight for
 *   them (see RecordedInFlight). Restored from nothing, it holds nothing.
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
  readonly #tasks: TaskAttempts;
  #highestEpoch = 0;
  #lastAttempt = 0;

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph } = context;
    this.#records = CheckpointRecords.of(world);
    this.#tasks = TaskAttempts.of(world, graph);
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
    this.#context.report(`attempt ${id.attempt} starts from ${nameOfCheckpoint(chosen)}, but the latest completed is ${nameOfCheckpoint(expected)}`);
  }

  #checkHandles({ id }: TaskDescriptor, { checkpointId, vertices }: RestoreRequest): void {
    const named = this.#records.byId(checkpointId)?.metadata?.vertices;
    if (named !== undefined && structuralEquals(named, vertices)) return;
    this.#context.report(`attempt ${id.attempt} restores from files that ${nameOfCheckpoint(checkpointId)} does not name`);
  }

  #restored(process: SimProcess, subject: number, attempt: number, checkpointId: CheckpointId): void {
    const { world } = this.#context;
    const living = world.processNamed(process.name);
    if (living === null || living.kind !== "worker") return;
    const task = living.engine.tasks.find((one) => one.subject === subject && one.id.attempt === attempt);
    if (task === undefined) return;
    const what = `${task.name}, attempt ${attempt}, restored from ${nameOfCheckpoint(checkpointId)}`;
    for (const operator of task.chain.operators) {
      const recorded = this.#recorded(checkpointId, operator.node.uid);
      if (recorded === undefined) return;
      const named = `${what}: "${operator.node.uid}"`;
      this.#compareKeyed(named, operator, recorded, task.id.subtask, world.quietFilesOf(process.host));
      this.#compareLists(named, operator, recorded, task.id.subtask);
    }
    this.#compareChannels(what, task, checkpointId);
  }

  #compareChannels(what: string, { id, input, output }: Task, checkpointId: CheckpointId): void {
    const { world, report } = this.#context;
    const inputs = (input?.gate.channels ?? []).map((channel) => ({ name: channel.name, buffers: channel.waiting() }));
    const outputs = output.channels.map((channel) => ({ name: channel.name, buffers: channel.inspect().backlog }));
    const record = checkpointId < 0 ? null : this.#records.byId(checkpointId);
    if (record === null) {
      if ([...inputs, ...outputs].some(({ buffers }) => buffers.length > 0)) report(`${what} has data in flight`);
      return;
    }
    const graph = this.#tasks.graphOf(id.attempt);
    const vertex = present(graph.vertices[id.vertex], "a task is of a vertex of its job");
    const recorded = new RecordedInFlight(this.#records, record, carriesIds(world) ? valueOfTagged : itself);
    const difference = recorded.difference({ graph, vertex, subtask: id.subtask, inputs, outputs });
    if (difference !== null) report(`${what}: ${difference}`);
  }

  /** Null: the checkpoint holds nothing of the operator. Undefined: its bytes are not known any more. */
  #recorded(checkpointId: CheckpointId, uid: string): RecordedOperator | null | undefined {
    if (checkpointId < 0) return null;
    const record = this.#records.byId(checkpointId);
    if (record !== null && record.metadata !== null) return this.#records.states.operatorIn(record, uid);
    this.#context.report(`a task was restored from ${nameOfCheckpoint(checkpointId)}, which never completed`);
    return undefined;
  }

  #compareKeyed(what: string, { node, keyed }: ChainedOperator, operator: RecordedOperator | null, subtask: number, files: QuietFiles): void {
    const { report, graph } = this.#context;
    if (keyed === null) {
      if (operator !== null && sectionsOf(operator).length > 0) report(`${what} has keyed state in the checkpoint, and none now`);
      return;
    }
    const { maxParallelism } = graph.config;
    const range = keyGroupRange(maxParallelism, node.parallelism, subtask);
    if (keyed.range.start !== range.start || keyed.range.end !== range.end) {
      report(`${what} has the key groups ${shown(keyed.range)}, not ${shown(range)}`);
    }
    const recorded = operator === null ? NOTHING : cutTo(operator, range);
    const items = [...recorded.entries, ...recorded.eventTimers, ...recorded.processingTimers];
    const stray = items.find(({ key, keyGroup }) => keyGroupOf(key, maxParallelism) !== keyGroup);
    if (stray !== undefined) report(`${what}: ${shown(stray.key)} is recorded in key group ${stray.keyGroup}, which is not its own`);
    const { migrated } = this.#records;
    const found = keyed.entries(files);
    const live = migrated === null ? found : found.map((entry) => ({ ...entry, value: migrated(node.uid, entry.state, entry.value) }));
    const difference = firstDifference(recorded.entries, live);
    if (difference !== null) report(`${what}: ${difference}`);
    this.#compareTimers(what, keyed, recorded);
    if (keyed.watermarkMs !== recorded.watermarkMs) report(`${what}: the watermark is ${keyed.watermarkMs}, recorded is ${recorded.watermarkMs}`);
  }

  #compareTimers(what: string, keyed: KeyedBackend, recorded: RecordedCut): void {
    const { report } = this.#context;
    const timers = keyed.inspectTimers();
    const event = timerDifference(recorded.eventTimers, timers.eventTime);
    if (event !== null) report(`${what}: ${event} of event time`);
    const processing = timerDifference(recorded.processingTimers, timers.processingTime);
    if (processing !== null) report(`${what}: ${processing} of processing time`);
  }

  #compareLists(what: string, { node, lists }: ChainedOperator, operator: RecordedOperator | null, subtask: number): void {
    const old = operator === null ? [] : operator.parts.map((part) => part?.lists ?? null);
    const recorded: OperatorLists = old.length === 0 ? new Map() : listsAfterRestore(old, node.parallelism, subtask);
    // A user function may change its operator state in `open`, which has run by now.
    const live = readOperatorSection(runsProcessFunction(node) ? lists.restoredBytes() : lists.bytes());
    const difference = listDifference(recorded, live);
    if (difference !== null) this.#context.report(`${what}: ${difference}`);
  }
}

function valueOfTagged(carried: unknown): unknown {
  return (carried as Tagged).value;
}

function itself(carried: unknown): unknown {
  return carried;
}

const NOTHING: RecordedCut = { entries: [], eventTimers: [], processingTimers: [], watermarkMs: MIN_WATERMARK };
