import { present } from "../base/assert.ts";
import type { TimestampMs } from "../base/units.ts";
import { CombinedWatermark } from "./combined-watermark.ts";
import type { WatermarkValveOutput } from "./watermark-valve.ts";
import { WatermarkValve } from "./watermark-valve.ts";

/** What a task does with watermarks and idleness that come over its channels. */
export interface InputWatermarks {
  inputWatermark(channel: number, watermarkMs: TimestampMs): void;
  inputIdle(channel: number, idle: boolean): void;
}

/**
 * `inputs[channel]` says which input of the operator a channel belongs to. With one input its valve is all there
 * is; with two, each has a valve over its own channels, and the operator's watermark is the least of both.
 */
export function inputWatermarks(inputs: readonly number[], output: WatermarkValveOutput): InputWatermarks {
  return inputs.every((input) => input === 0) ? new WatermarkValve(inputs.length, output) : new TwoInputs(inputs, output);
}

/** A channel as its input's valve knows it. */
interface Place {
  readonly valve: WatermarkValve;
  readonly channel: number;
}

class TwoInputs implements InputWatermarks {
  readonly #places: readonly Place[];

  constructor(inputs: readonly number[], output: WatermarkValveOutput) {
    const combined = new CombinedWatermark(2);
    const valves = [0, 1].map((input) => {
      const channels = inputs.filter((one) => one === input).length;
      return new WatermarkValve(channels, ofInput(input, combined, output));
    });
    const counts = [0, 0];
    this.#places = inputs.map((input) => {
      const channel = counts[input] ?? 0;
      counts[input] = channel + 1;
      return { valve: present(valves[input], "an operator has two inputs at most"), channel };
    });
  }

  inputWatermark(channel: number, watermarkMs: TimestampMs): void {
    const { valve, channel: own } = this.#place(channel);
    valve.inputWatermark(own, watermarkMs);
  }

  inputIdle(channel: number, idle: boolean): void {
    const { valve, channel: own } = this.#place(channel);
    valve.inputIdle(own, idle);
  }

  #place(channel: number): Place {
    return present(this.#places[channel], "a watermark comes from a channel of the gate");
  }
}

function ofInput(input: number, combined: CombinedWatermark, output: WatermarkValveOutput): WatermarkValveOutput {
  return {
    emitWatermark: (watermarkMs) => {
      if (combined.updateWatermark(input, watermarkMs)) output.emitWatermark(combined.watermarkMs);
    },
    emitIdle: (idle) => {
      const wasIdle = combined.idle;
      if (combined.updateIdle(input, idle)) output.emitWatermark(combined.watermarkMs);
      if (wasIdle !== combined.idle) output.emitIdle(combined.idle);
    },
  };
}
