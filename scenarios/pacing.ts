import type { TimeUs } from "../engine/base/units.ts";

/**
 * Arrival of a workload in bursts: records become readable at the bursts of their partition, so that a
 * reader wakes seldom, and partitions burst in turn, so that checkpoints meet some channels busy and others
 * quiet.
 */
export interface Bursts {
  readonly everyUs: TimeUs;
  readonly partitions: number;
}

/** Over this long a workload arrives: 24 checkpoint intervals of a second. */
export const WORKLOAD_US: TimeUs = 24_000_000;

/** The first burst of a partition that is not before `atUs`. */
export function burstAtUs(bursts: Bursts, partition: number, atUs: TimeUs): TimeUs {
  const phaseUs = Math.floor((bursts.everyUs * partition) / bursts.partitions);
  const burst = Math.max(0, Math.ceil((atUs - phaseUs) / bursts.everyUs));
  return burst * bursts.everyUs + phaseUs;
}

/** Spreads `count` records evenly over the workload's time: when record `index` is due. */
export function dueUs(index: number, count: number): TimeUs {
  return Math.floor((index * WORKLOAD_US) / count);
}

/** The partition of a key: a sum over its characters, the same everywhere. */
export function partitionOfKey(key: string, partitions: number): number {
  let hash = 7;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) % 1_000_003;
  return hash % partitions;
}
