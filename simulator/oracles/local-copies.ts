import { LOCAL_COPIES_LIMIT } from "../../engine/base/limits.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { FaultKind } from "../faults/fault.ts";
import type { SimulatedDisk } from "../hosts/simulated-disk.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { Host } from "../world/sim-process.ts";
import type { Oracle, OracleContext, OracleKind } from "./oracle.ts";
import { TaskAttempts } from "./task-attempts.ts";

/** Copies of one subtask as a host's disk took them; another disk is another object. */
interface Stored {
  readonly disk: SimulatedDisk;
  /** In the order in which they were stored. */
  readonly checkpoints: CheckpointId[];
}

/** Where the engine keeps them (see LocalCopies). */
const COPY_PATH = /\/local\/slot-(\d+)\/v(\d+)-s(\d+)-chk-(\d+)\.copy$/;
/** Leave what is on a disk as it is: they slow it, or put another disk in its place. */
const HARMLESS: readonly FaultKind[] = ["disk-slow", "disk-stall", "disk-loss"];

/**
 * Local copies: what a host stored of a subtask is there when that subtask is restored, and nothing else is.
 *
 * - A restore that finds no usable copy on a disk that took one of the same checkpoint (and said so before the
 *   acknowledgement) has lost it: neither a crash nor a power loss may take it.
 * - When a subtask is restored, its host holds no copies that it stored for other checkpoints; when it has finished,
 *   none at all.
 *
 * Seen from the trace and from the disks. Not seen: what happens on a disk after the first fault that harms its
 * contents or makes it refuse (those that are meant to be lost cannot be told from those that are not); whose piece a
 * restore reads after a change of parallelism. Allowed for: copies beyond the number that a subtask keeps.
 */
export const localCopiesOracle: OracleKind = {
  name: "local copies",
  create: (context) => (context.world.options.options.restore === "local" ? new LocalCopiesOracle(context) : null),
};

class LocalCopiesOracle implements Oracle {
  readonly name: string = localCopiesOracle.name;
  readonly #context: OracleContext;
  readonly #tasks: TaskAttempts;
  /** By "host/subtask". */
  readonly #stored: Map<string, Stored> = new Map();
  /** By subject: copies that its restore asked for. */
  readonly #asked: Map<number, number> = new Map();
  #disksHarmed = false;

  constructor(context: OracleContext) {
    this.#context = context;
    const { world, graph } = context;
    const { kernel } = world;
    this.#tasks = TaskAttempts.of(world, graph);
    kernel.on(PORT_TRACE.faultFired, (_process, _subject, index) => {
      const kind = world.options.plan[index]?.kind;
      if (kind !== undefined && kind.startsWith("disk-") && !HARMLESS.includes(kind)) this.#disksHarmed = true;
    });
    kernel.on(TRACE.localCopyStored, (process, subject, checkpointId, bytes) => {
      if (process !== null && bytes > 0) this.#keep(process, subject, checkpointId);
    });
    kernel.on(TRACE.taskRestoreStarted, (_process, subject) => void this.#asked.set(subject, 0));
    kernel.on(TRACE.localCopyRead, (process, subject, checkpointId, bytes) => {
      this.#asked.set(subject, (this.#asked.get(subject) ?? 0) + 1);
      if (process !== null && bytes < 0) this.#missed(process, subject, checkpointId);
    });
    kernel.on(TRACE.taskRestored, (process, subject, _attempt, checkpointId) => {
      if (process !== null) this.#requireOnly(process, subject, checkpointId, "was restored from");
    });
    // It finishes now, and takes its copies away: it may crash on the way, and start again without them.
    kernel.on(TRACE.checkpointNotified, (process, subject, _checkpointId, isFinal) => {
      if (process !== null && isFinal === 1) this.#stored.delete(this.#key(process, subject));
    });
    kernel.on(TRACE.taskFinished, (process, subject) => {
      if (process === null) return;
      this.#stored.delete(this.#key(process, subject));
      this.#requireOnly(process, subject, -1, "finished");
    });
  }

  finish(): void {}

  #keep(process: SimProcess, subject: number, checkpointId: CheckpointId): void {
    const key = this.#key(process, subject);
    const disk = this.#diskOf(process);
    const known = this.#stored.get(key);
    if (known?.disk === disk) known.checkpoints.push(checkpointId);
    else this.#stored.set(key, { disk, checkpoints: [checkpointId] });
  }

  #missed(process: SimProcess, subject: number, checkpointId: CheckpointId): void {
    const { world, report } = this.#context;
    const { scenario, options } = world.options;
    const { parallelism, parallelismAfter } = options;
    // A next version may have another one too.
    if (world.upgrades > 0 && (scenario.upgrade?.after(options) ?? options).parallelism !== parallelism) return;
    const stored = this.#stored.get(this.#key(process, subject));
    // The first that a restore asks for is its own.
    if (this.#disksHarmed || parallelism !== parallelismAfter || this.#asked.get(subject) !== 1) return;
    if (stored === undefined || stored.disk !== this.#diskOf(process)) return;
    const at = stored.checkpoints.lastIndexOf(checkpointId);
    if (at < 0 || stored.checkpoints.length - at >= LOCAL_COPIES_LIMIT) return;
    const name = world.kernel.nameOf(subject);
    report(`${name} finds no intact copy of checkpoint ${checkpointId} on ${process.host.name}, which stored one`);
  }

  #requireOnly(process: SimProcess, subject: number, checkpointId: CheckpointId, what: string): void {
    const task = this.#tasks.find(process, subject);
    if (this.#disksHarmed || task === null) return;
    const { world, report } = this.#context;
    for (const { path } of this.#diskOf(process).inspect()) {
      const [slot, vertex, subtask, id] = COPY_PATH.exec(path)?.slice(1).map(Number) ?? [];
      if (vertex !== task.vertex.id || subtask !== task.subtask || slot !== task.subtask || id === checkpointId) continue;
      const then = checkpointId < 0 ? what : `${what} checkpoint ${checkpointId}`;
      report(`${world.kernel.nameOf(subject)} ${then}, and ${process.host.name} still holds its copy of checkpoint ${String(id)}`);
    }
  }

  #key(process: SimProcess, subject: number): string {
    return `${process.host.name}/${subject}`;
  }

  #diskOf(process: SimProcess): SimulatedDisk {
    return this.#context.world.diskOf(process.host as Host);
  }
}
