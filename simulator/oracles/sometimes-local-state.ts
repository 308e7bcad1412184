import { TRACE } from "../../engine/ports/tracer.ts";
import type { KeyedBackend } from "../../engine/state/keyed-backend.ts";
import type { SimProcess } from "../world/kernel.ts";
import type { OracleContext } from "./oracle.ts";

/** Paths inside a state backend: which of its statistics must have reached what. */
const PATHS: readonly { readonly name: string; readonly statistic: string; readonly atLeast: number }[] = [
  { name: "a table on level 3", statistic: "deepestLevelEver", atLeast: 3 },
  { name: "a compaction overlapping a snapshot", statistic: "compactionsDuringSnapshot", atLeast: 1 },
  { name: "a tombstone dropped for good", statistic: "tombstonesDropped", atLeast: 1 },
  { name: "an expired entry cleaned up by compaction", statistic: "rowsFiltered", atLeast: 1 },
  { name: "an expired entry cleaned up by the snapshot", statistic: "expiredLeftOut", atLeast: 1 },
  { name: "an expired entry cleaned up incrementally", statistic: "expiredCleanedUp", atLeast: 1 },
  { name: "a changelog materialized", statistic: "materializations", atLeast: 1 },
];

export const LOCAL_STATE_PATHS: readonly string[] = PATHS.map(({ name }) => name);

/**
 * Counts the declared paths that lie inside a state backend, where nothing shows on the outside: these alone
 * are read from the backend's own statistics. Looked at whenever a snapshot became durable; each counts once
 * for a backend of a task attempt.
 */
export class LocalStatePaths {
  readonly #context: OracleContext;
  readonly #reached: WeakMap<KeyedBackend, Set<string>> = new WeakMap();

  constructor(context: OracleContext) {
    this.#context = context;
  }

  watch(): void {
    const { world, scenario } = this.#context;
    const declared = [...scenario.sometimes, ...Object.values(scenario.sometimesWith ?? {}).flat()];
    if (!LOCAL_STATE_PATHS.some((name) => declared.includes(name))) return;
    world.kernel.on(TRACE.snapshotDurable, (process, subject) => {
      if (process !== null) this.#look(process, subject);
    });
  }

  #look(process: SimProcess, subject: number): void {
    const living = this.#context.world.processNamed(process.name);
    if (living === null || living.kind !== "worker") return;
    for (const task of living.engine.tasks) {
      if (task.subject !== subject) continue;
      for (const { keyed } of task.chain.operators) if (keyed !== null) this.#count(keyed);
    }
  }

  #count(keyed: KeyedBackend): void {
    const statistics = keyed.statistics();
    const reached = this.#reached.get(keyed) ?? new Set();
    this.#reached.set(keyed, reached);
    for (const { name, statistic, atLeast } of PATHS) {
      if (reached.has(name) || (statistics[statistic] ?? 0) < atLeast) continue;
      reached.add(name);
      this.#context.sometimes(name);
    }
  }
}
