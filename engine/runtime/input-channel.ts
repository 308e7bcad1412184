import { invariant, present } from "../base/assert.ts";
import { Fifo } from "../base/fifo.ts";
import { CHANNEL_CREDIT } from "../base/limits.ts";
import { NO_CHECKPOINT } from "../base/units.ts";
import type { CheckpointId } from "../base/units.ts";
import type { Barrier } from "../checkpoint/barrier-handler.ts";
import type { ChannelName, InFlightBuffer } from "../checkpoint/channel-state.ts";
import { ChannelStatePersister } from "../checkpoint/channel-state-persister.ts";
import type { InputIndex } from "../graph/stream-graph.ts";
import type { Connection } from "../ports/network.ts";
import type { Buffer, StreamFrame } from "./buffer.ts";
import { creditFrame, restoredBuffer, withoutEvent } from "./buffer.ts";

/** Which channel of the job: by ids of this graph, and by name for checkpoints. */
export interface InputChannelPlace {
  readonly index: number;
  readonly edge: number;
  readonly name: ChannelName;
  /** Which input of the task's head it belongs to. */
  readonly input: InputIndex;
}

/** The receiving end of one channel. */
export class InputChannel {
  readonly index: number;
  readonly edge: number;
  readonly fromSubtask: number;
  readonly input: InputIndex;
  readonly name: ChannelName;
  connection: Connection<StreamFrame> | null = null;
  /** While blocked (its barrier came first) its buffers wait. */
  blocked = false;
  /** The sender's input ended: no record follows. */
  ended = false;
  /** The sender has finished: nothing follows. */
  finished = false;
  /** Waits in the gate's ready queue. */
  queued = false;
  /** What an unaligned checkpoint had in flight here; comes before everything that arrives. */
  readonly #restored = new Fifo<Buffer>();
  readonly #buffers = new Fifo<Buffer>();
  #creditOwed = 0;
  /** How many arrived ever, and how many of these were taken. */
  #arrived = 0;
  #taken = 0;
  /** The latest barrier that arrived, and how many buffers had arrived before it (or with it, ahead of it). */
  #barrierId: CheckpointId = NO_CHECKPOINT;
  #beforeBarrier = 0;
  readonly #persister: ChannelStatePersister<Buffer>;

  /** `persist` gets what belongs to an unaligned checkpoint. */
  constructor({ index, edge, name, input }: InputChannelPlace, persist: (channel: InputChannel, id: CheckpointId, buffer: Buffer) => void) {
    this.index = index;
    this.edge = edge;
    this.name = name;
    this.fromSubtask = name.fromSubtask;
    this.input = input;
    this.#persister = new ChannelStatePersister((id, buffer) => persist(this, id, buffer));
  }

  push(buffer: Buffer): void {
    invariant(this.#buffers.size < CHANNEL_CREDIT, "a sender never exceeds its credit");
    this.#buffers.push(buffer);
    this.#arrived += 1;
    this.#persister.maybePersist(buffer);
    if (buffer.event !== null && buffer.event.kind === "barrier") this.barrierArrived(buffer.event);
  }

  /** Behind everything that arrived by now, or ahead of it: either way, it lies behind what came before. */
  barrierArrived({ checkpointId }: Barrier): void {
    if (!this.#persister.barrierArrived(checkpointId)) return;
    this.#barrierId = checkpointId;
    this.#beforeBarrier = this.#arrived;
  }

  /** False if the barrier of a newer checkpoint has arrived here. */
  startPersisting(checkpointId: CheckpointId): boolean {
    return this.#persister.startPersisting(checkpointId, this.#before(checkpointId));
  }

  stopPersisting(checkpointId: CheckpointId): void {
    this.#persister.stopPersisting(checkpointId);
  }

  /** Takes a barrier out of its place in the queue; the records before it stay. */
  takeQueuedBarrier(checkpointId: CheckpointId): void {
    for (let i = 0; i < this.#buffers.size; i += 1) {
      const buffer = this.#buffers.at(i) as Buffer;
      if (buffer.event === null || buffer.event.kind !== "barrier" || buffer.event.checkpointId !== checkpointId) continue;
      this.#buffers.replace(i, withoutEvent(buffer));
      return;
    }
    invariant(false, "an announced barrier waits in its channel");
  }

  /** Before the task runs: what a checkpoint had in flight here. */
  restore(buffers: readonly InFlightBuffer[]): void {
    for (const buffer of buffers) this.#restored.push(restoredBuffer(buffer));
  }

  take(): Buffer {
    const restored = this.#restored.shift();
    if (restored !== undefined) return restored;
    const buffer = present(this.#buffers.shift(), "only a channel with buffers is taken from");
    this.#taken += 1;
    this.#returnCredit();
    return buffer;
  }

  get isEmpty(): boolean {
    return this.#buffers.size === 0 && this.#restored.size === 0;
  }

  get holdsRestored(): boolean {
    return this.#restored.size > 0;
  }

  /** For inspection: what waits, oldest first. */
  waiting(): readonly Buffer[] {
    return [...this.restored(), ...itemsOf(this.#buffers)];
  }

  /** For inspection: what of it was restored. */
  restored(): readonly Buffer[] {
    return itemsOf(this.#restored);
  }

  /** What waits and lies before the barrier of that checkpoint, whether it has arrived or not. */
  #before(checkpointId: CheckpointId): readonly Buffer[] {
    const arrived = itemsOf(this.#buffers);
    const count = this.#barrierId === checkpointId ? Math.max(this.#beforeBarrier - this.#taken, 0) : arrived.length;
    return [...this.restored(), ...arrived.slice(0, count)];
  }

  /** Credit goes back in halves of the window, so that it costs few messages. */
  #returnCredit(): void {
    this.#creditOwed += 1;
    if (this.#creditOwed * 2 < CHANNEL_CREDIT) return;
    const owed = this.#creditOwed;
    this.#creditOwed = 0;
    this.connection?.send(creditFrame(owed));
  }
}

function itemsOf<T>(fifo: Fifo<T>): readonly T[] {
  const items: T[] = [];
  for (let i = 0; i < fifo.size; i += 1) items.push(fifo.at(i) as T);
  return items;
}
