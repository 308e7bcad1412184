import type { CheckpointId } from "../../engine/base/units.ts";
import type { SubtaskState } from "../../engine/checkpoint/subtask-state.ts";
import type { Address } from "../../engine/ports/network.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { ControlMessage } from "../../engine/runtime/messages.ts";
import type { NetworkObserver } from "../hosts/service-observers.ts";
import type { SimProcess } from "../world/kernel.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import { TaskAttempts } from "./task-attempts.ts";
import { isUnclaimed } from "./unclaimed-snapshots.ts";
import type { TaskAttempt } from "./task-attempts.ts";

/** What of a file tells it from others of the same operator. */
type Contents = ReadonlySet<string>;

/** A snapshot that was taken: what its task knew to be confirmed, and whether it had others in flight. */
interface Taken {
  readonly confirmed: Contents;
  readonly alone: boolean;
  acknowledged: Contents | null;
}

/** What one task attempt knows. */
interface Known {
  confirmed: Contents;
  readonly taken: Map<CheckpointId, Taken>;
}

const NOTHING: Contents = new Set<string>();
/** Written for every snapshot of a store, though nothing may have changed: what is beside its rows. */
const DESCRIPTION = /-meta-\d+$|\.levels$|-0\.nested$|-log-\d+\.head$/;

/**
 * Increments stay increments (FLINK-23949, FLINK-6964): a task uploads no file for a checkpoint that the last
 * checkpoint which it knew to be complete when it took the snapshot has already, byte for byte; that is the one
 * it was told of last, or, before any, the one it was restored from with the same parallelism, unless that is somebody
 * else's: then it uploads everything.
 *
 * Seen from acknowledgements as they are sent: size and checksum stand for contents. Not seen: snapshots that are
 * taken while another one of the task is neither complete nor aborted (what that names decides too, see
 * UploadedFiles); small files that describe a snapshot.
 */
export const sharedFilesOracle: OracleKind = {
  name: "shared files",
  create: (context) => (context.world.options.options.restore === "incremental" ? new SharedFilesOracle(context) : null),
};

class SharedFilesOracle implements Oracle, NetworkObserver<ControlMessage> {
  readonly name: string = sharedFilesOracle.name;
  readonly #context: OracleContext;
  readonly #records: CheckpointRecords;
  readonly #tasks: TaskAttempts;
  readonly #known: Map<TaskAttempt, Known> = new Map();

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph } = context;
    this.#records = CheckpointRecords.of(world);
    this.#tasks = TaskAttempts.of(world, graph);
    world.networkObservers.push(this);
    const { kernel } = world;
    const on = (kind: number, act: (known: Known, checkpointId: CheckpointId) => void): void => {
      kernel.on(kind, (process, subject, checkpointId) => {
        const task = process === null ? null : this.#tasks.find(process, subject);
        if (task !== null) act(this.#of(task), checkpointId);
      });
    };
    on(TRACE.snapshotTaken, ({ confirmed, taken }, id) => {
      taken.set(id, { confirmed, alone: taken.size === 0, acknowledged: null });
    });
    on(TRACE.checkpointNotified, (known, id) => {
      const files = known.taken.get(id)?.acknowledged ?? null;
      if (files === null) return;
      known.confirmed = files;
      for (const other of [...known.taken.keys()]) if (other <= id) known.taken.delete(other);
    });
    on(TRACE.abortNotified, ({ taken }, id) => void taken.delete(id));
  }

  onCallSent(_call: number, from: SimProcess, _to: Address, message: ControlMessage): void {
    if (message.kind !== "acknowledge-checkpoint" || message.state === null) return;
    const task = this.#tasks.find(from, message.subject);
    const taken = task === null ? undefined : this.#of(task).taken.get(message.checkpointId);
    if (task === null || taken === undefined || taken.acknowledged !== null) return;
    taken.acknowledged = contentsOf(message.state);
    if (!taken.alone) return;
    for (const { uid, name, file, isPlaceholder } of message.state.shared) {
      if (isPlaceholder || DESCRIPTION.test(name) || !taken.confirmed.has(contentOf(uid, file))) continue;
      const who = `${this.#context.world.kernel.nameOf(task.subject)} in attempt ${task.attempt}`;
      this.#context.report(
        `${who} uploaded ${file.key} (${file.sizeBytes} bytes) for checkpoint ${message.checkpointId}, which the last completed checkpoint that it knew of has already`,
      );
    }
  }

  finish(): void {}

  #of(task: TaskAttempt): Known {
    let known = this.#known.get(task);
    if (known === undefined) {
      known = { confirmed: this.#restoredOf(task), taken: new Map() };
      this.#known.set(task, known);
    }
    return known;
  }

  #restoredOf({ restoredFrom, vertex, subtask }: TaskAttempt): Contents {
    const record = restoredFrom < 0 ? null : this.#records.byId(restoredFrom);
    const metadata = record === null || isUnclaimed(this.#context.world, record) ? null : record.metadata;
    const old = metadata?.vertices.find(({ vertex: id }) => id === vertex.id);
    const state = old?.subtasks.length === vertex.parallelism ? old.subtasks[subtask] : null;
    return state === undefined || state === null ? NOTHING : contentsOf(state);
  }
}

function contentsOf({ shared }: SubtaskState): Contents {
  return new Set(shared.map(({ uid, file }) => contentOf(uid, file)));
}

function contentOf(uid: string, file: { readonly sizeBytes: number; readonly checksum: number }): string {
  return `${uid} ${file.sizeBytes} ${file.checksum}`;
}
