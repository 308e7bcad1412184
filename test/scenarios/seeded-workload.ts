import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import type { InputTopic, RunOptions, Scenario, WorkloadContext } from "#whitewater/simulator/scenario.js";

/** Some generator of integers, a function of (seed, label). */
export function streamOf(seed: number, label: string): RandomStream {
  let state = seed >>> 0;
  for (let i = 0; i < label.length; i++) state = Math.imul(state ^ label.charCodeAt(i), 0x01000193) >>> 0;
  return {
    below(bound: number): number {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296) * bound);
    },
  };
}

export function optionsOf(parallelism: number): RunOptions {
  return { backend: "heap", mode: "aligned", restore: "full", parallelism, parallelismAfter: parallelism, failover: "job", bufferElements: 16 };
}

export function contextOf(seed: number, parallelism: number = 2): WorkloadContext {
  const streams = new Map<string, RandomStream>();
  return {
    options: optionsOf(parallelism),
    random: (label) => {
      const stream = streams.get(label) ?? streamOf(seed, label);
      streams.set(label, stream);
      return stream;
    },
  };
}

export function workloadOf(scenario: Scenario, seed: number): readonly InputTopic[] {
  return scenario.workload(contextOf(seed, scenario.parallelisms[0]));
}

/** The same partitions, each in its own order, but interleaved at random instead of by arrival. */
export function reinterleaved(inputs: readonly InputTopic[], seed: number): readonly InputTopic[] {
  const random = streamOf(seed, "interleaving");
  return inputs.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((records) => {
      // Partitions of very different speed, now and then standing still.
      const pace = 1 + random.below(1000);
      let atUs = 0;
      return records.map((record) => {
        atUs += random.below(pace) * (random.below(20) === 0 ? 50 : 1);
        return { ...record, arrivesAtUs: atUs };
      });
    }),
  }));
}
