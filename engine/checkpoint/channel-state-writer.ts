import { invariant } from "../base/assert.ts";
import type { CheckpointId } from "../base/units.ts";
import type { ChannelContents, ChannelName, ChannelState, InFlightBuffer } from "./channel-state.ts";

interface GatheredChannel extends ChannelName {
  readonly buffers: InFlightBuffer[];
}

/**
 * Gathers the in-flight data of one subtask for one checkpoint (Flink: ChannelStateWriter). The checkpoint can
 * be acknowledged once it is complete: the inputs, when every barrier arrived; each output, when its barrier has
 * left. A checkpoint that is given up is forgotten with its writer: nothing here is shared with the next one.
 */
export class ChannelStateWriter {
  readonly checkpointId: CheckpointId;
  readonly #inputs: GatheredChannel[] = [];
  readonly #outputs: GatheredChannel[] = [];
  #inputsMissing: boolean;
  #outputsMissing = 0;
  #onComplete: (() => void) | null = null;

  /** `awaitsInputs`: barriers have yet to arrive. */
  constructor(checkpointId: CheckpointId, awaitsInputs: boolean) {
    this.checkpointId = checkpointId;
    this.#inputsMissing = awaitsInputs;
  }

  addInput(channel: ChannelName, buffer: InFlightBuffer): void {
    invariant(this.#inputsMissing, "nothing is in flight behind the last barrier");
    add(this.#inputs, channel, buffer);
  }

  addOutput(channel: ChannelName, buffer: InFlightBuffer): void {
    add(this.#outputs, channel, buffer);
  }

  finishInputs(): void {
    if (!this.#inputsMissing) return;
    this.#inputsMissing = false;
    this.#tell();
  }

  /** The barrier of one output waits behind data: `finishOutput` follows for it. */
  awaitOutput(): void {
    this.#outputsMissing += 1;
  }

  finishOutput(): void {
    invariant(this.#outputsMissing > 0, "only outputs that are awaited finish");
    this.#outputsMissing -= 1;
    this.#tell();
  }

  get awaitsOutputs(): boolean {
    return this.#outputsMissing > 0;
  }

  get isComplete(): boolean {
    return !this.#inputsMissing && this.#outputsMissing === 0;
  }

  /** Calls back once it is complete, at once where it is. */
  whenComplete(callback: () => void): void {
    invariant(this.#onComplete === null, "one snapshot waits for its channel state");
    this.#onComplete = callback;
    this.#tell();
  }

  /** What was gathered; null where nothing was in flight. */
  state(): ChannelState | null {
    invariant(this.isComplete, "channel state is written when it is complete");
    if (this.#inputs.length === 0 && this.#outputs.length === 0) return null;
    return { inputs: inOrder(this.#inputs), outputs: inOrder(this.#outputs) };
  }

  #tell(): void {
    const callback = this.#onComplete;
    if (callback === null || !this.isComplete) return;
    this.#onComplete = () => undefined;
    callback();
  }
}

function add(channels: GatheredChannel[], { edge, fromSubtask, toSubtask }: ChannelName, buffer: InFlightBuffer): void {
  const known = channels.find((one) => one.edge === edge && one.fromSubtask === fromSubtask && one.toSubtask === toSubtask);
  if (known === undefined) channels.push({ edge, fromSubtask, toSubtask, buffers: [buffer] });
  else known.buffers.push(buffer);
}

/** By edge, sender and receiver, so that the order in which data arrived does not show in a file. */
function inOrder(channels: readonly GatheredChannel[]): readonly ChannelContents[] {
  return channels.toSorted((left, right) => {
    if (left.edge !== right.edge) return left.edge < right.edge ? -1 : 1;
    return left.fromSubtask - right.fromSubtask || left.toSubtask - right.toSubtask;
  });
}
