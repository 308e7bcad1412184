import { grouped, table } from "../text-table.ts";
import type { CrashMemory } from "./crashes.ts";
import type { RestorePoint } from "./restore-curves.ts";
import type { StateDocument } from "./state-bench.ts";

const MIB = 1 << 20;
const US_PER_MS = 1000;

export function stateTables(state: StateDocument): readonly string[] {
  return [...storeTable(state), ...backendTable(state), ...heapTable(state), ...incrementTable(state)];
}

function storeTable({ stores }: StateDocument): readonly string[] {
  const rows = stores.map((one) => [
    one.name,
    grouped(one.rows),
    String(one.cacheBytes / MIB),
    one.putUs.toFixed(2),
    one.putCpuUs.toFixed(2),
    one.getUs.toFixed(2),
    one.getCpuUs.toFixed(2),
    one.scanUs.toFixed(2),
  ]);
  const head = ["rows of 16 + 100 bytes", "rows", "cache MiB", "put us", "(processor)", "get us", "(processor)", "scan us/row"];
  const notes = [
    "put: batches of 1,000 in random order; (processor): of all threads, until background work is done. get: random, one by one.",
    "lsm and classic-level: write buffer 4 MiB, tables of 2 MiB, level 1 of 10 MiB, no compression, no fsync a batch.",
    "sqlite: write buffer 16 MiB; SQLite in memory: its own memdb, without our VFS, the same buffer in front of it.",
  ];
  return [...table([head, ...rows], "lrrrrrrr"), ...notes, ""];
}

function backendTable({ backends }: StateDocument): readonly string[] {
  const rows = backends.map((one) => [
    one.name,
    grouped(one.keys),
    one.putUs.toFixed(2),
    one.getUs.toFixed(2),
    one.scanUs.toFixed(2),
    grouped(one.syncUs),
    one.snapshotMs.toFixed(0),
    one.restoreMs.toFixed(0),
  ]);
  const head = ["keyed backends", "keys", "put us", "get us", "scan us/entry", "sync us", "snapshot ms", "restore ms"];
  const notes = ["Default sizes. scan: a map of 10,000 entries. sync: what of a checkpoint holds up processing; snapshot: all of it."];
  return [...table([head, ...rows], "lrrrrrrr"), ...notes, ""];
}

function heapTable({ heapSnapshots }: StateDocument): readonly string[] {
  const rows = heapSnapshots.map(({ keys, syncUs, worstUs }) => [grouped(keys), syncUs.toFixed(1), worstUs.toFixed(1)]);
  return [...table([["heap: keys", "sync us", "greatest of 21"], ...rows], "rrr"), ""];
}

function incrementTable({ increments }: StateDocument): readonly string[] {
  const rows = increments.map((one) => [
    one.name,
    grouped(one.keys),
    one.changed === one.keys ? "all" : grouped(one.changed),
    grouped(one.writtenBytes),
    grouped(one.stateBytes),
    (one.syncUs / US_PER_MS).toFixed(1),
    one.snapshotMs.toFixed(1),
    one.restoreMs === null ? "" : one.restoreMs.toFixed(0),
  ]);
  const head = ["incremental snapshots", "keys", "changed", "bytes written", "state bytes", "sync ms", "snapshot ms", "restore ms"];
  return [...table([head, ...rows], "lrrrrrrr"), ""];
}

export function crashTable(crashes: readonly CrashMemory[]): readonly string[] {
  const rows = crashes.flatMap(({ name, early, late, milliseconds }) =>
    [early, late].map((at) => [
      name,
      grouped(at.crashes),
      at.heapMib.toFixed(1),
      at.buffersMib.toFixed(1),
      at.residentMib.toFixed(0),
      at.sqliteMib === null ? "" : at.sqliteMib.toFixed(1),
      at === late ? (milliseconds / US_PER_MS).toFixed(0) : "",
    ]),
  );
  const head = ["memory after crashes", "crashes", "heap MiB", "buffers MiB", "resident MiB", "SQLite MiB", "seconds"];
  return [...table([head, ...rows], "lrrrrrr"), ""];
}

export function restoreTable(restores: readonly RestorePoint[]): readonly string[] {
  const rows = restores.map((one) => [
    one.backend,
    one.strategy,
    grouped(one.keys),
    one.checkpointMs.toFixed(1),
    grouped(one.checkpointBytes),
    one.restoreMs.toFixed(1),
    grouped(one.restoreBytes),
  ]);
  const head = ["checkpoint and restore", "strategy", "keys", "checkpoint ms", "bytes written", "restore ms", "bytes read"];
  const note = "After one key in a hundred changed. Remote storage is memory; local: the host's disk, written with fsync, on top.";
  return [...table([head, ...rows], "llrrrrr"), note, ""];
}
