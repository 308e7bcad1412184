import { STATE_BACKENDS } from "#whitewater/engine/state/state-backend.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import { DISKS } from "../test/simulator/hosts/doomed-machine.ts";
import type { MakeDisk } from "../test/simulator/hosts/doomed-machine.ts";
import type { Control } from "./control.ts";
import { damageRun } from "./controls/damage.ts";
import { keyedStateRun } from "./controls/keyed-state.ts";
import { powerLossRun } from "./controls/power-loss.ts";
import { schemaEvolutionRun } from "./controls/schema-evolution.ts";
import { lsmSubject, sqliteSubject } from "./controls/store-subject.ts";

function drawnDisk(seed: string): MakeDisk {
  return DISKS[new RandomStreams(seed).stream("disk").below(DISKS.length)]![1];
}

/** The experiments that bugs may name in place of scenarios. */
export const CONTROLS: readonly Control[] = [
  { name: "lsm-power-loss", run: (seed) => powerLossRun(seed, lsmSubject, drawnDisk(seed)) },
  { name: "sqlite-power-loss", run: (seed, libraries) => powerLossRun(seed, sqliteSubject(libraries), drawnDisk(seed)) },
  { name: "lsm-damage", run: (seed) => damageRun(seed, lsmSubject) },
  { name: "sqlite-damage", run: (seed, libraries) => damageRun(seed, sqliteSubject(libraries)) },
  ...STATE_BACKENDS.map((backend): Control => ({
    name: `keyed-state/${backend}`,
    run: (seed, libraries) => keyedStateRun(seed, backend, libraries),
  })),
  ...STATE_BACKENDS.map((backend): Control => ({
    name: `schemas/${backend}`,
    run: (seed, libraries) => schemaEvolutionRun(seed, backend, libraries),
  })),
];
