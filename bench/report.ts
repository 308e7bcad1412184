import { cpus } from "node:os";
import type { Explored } from "./exploring.ts";
import type { SelfTime } from "./profile.ts";
import type { Measured } from "./rounds.ts";
import type { Sought } from "./seeking.ts";
import type { CrashMemory } from "./state/crashes.ts";
import type { StateDocument } from "./state/state-bench.ts";
import type { RestorePoint } from "./state/restore-curves.ts";
import { crashTable, restoreTable, stateTables } from "./state/state-tables.ts";
import { grouped, short, table } from "./text-table.ts";

/** A figure that the project wants to reach, and what it was this time. */
export interface Target {
  readonly name: string;
  readonly figure: number;
  readonly wanted: number;
  /** The figure is to be at least what is wanted, or at most. */
  readonly sense: ">=" | "<=";
  readonly isMet: boolean;
}

export interface BenchDocument {
  readonly node: string;
  readonly cpu: string;
  readonly throughput: readonly Measured[];
  readonly exploring: readonly Explored[];
  /** Null: not asked for. */
  readonly state: StateDocument | null;
  readonly restores: readonly RestorePoint[];
  readonly seeking: readonly Sought[];
  readonly crashes: readonly CrashMemory[];
  readonly targets: readonly Target[];
}

export function target(name: string, figure: number, atLeast: number): Target {
  return { name, figure, wanted: atLeast, sense: ">=", isMet: figure >= atLeast };
}

export function atMost(name: string, figure: number, wanted: number): Target {
  return { name, figure, wanted, sense: "<=", isMet: figure <= wanted };
}

export function machine(): { readonly node: string; readonly cpu: string } {
  return { node: process.version, cpu: `${cpus()[0]?.model.trim() ?? "unknown"} x ${cpus().length}` };
}

export function asText({ node, cpu, throughput, exploring, state, restores, seeking, crashes, targets }: BenchDocument): string {
  const lines = [`Node ${node}, ${cpu}; medians of interleaved rounds`, ""];
  if (throughput.length > 0) {
    const rows = throughput.map(({ name, unitsPerSecond, nanosecondsPerUnit, also }) => [
      name,
      grouped(unitsPerSecond),
      nanosecondsPerUnit.toFixed(1),
      Object.entries(also).map(([key, value]) => `${key} ${grouped(value)}`).join(", "),
    ]);
    lines.push(...table([["calm throughput", "records/s", "ns/record", ""], ...rows], "lrrl"), "");
  }
  if (exploring.length > 0) {
    const rows = exploring.map((one) => [
      one.name,
      grouped(one.tracePointsPerSecond),
      one.runsPerSecond.toFixed(1),
      one.medianMilliseconds.toFixed(2),
      grouped(one.medianTracePoints),
    ]);
    lines.push(...table([["exploring", "trace points/s", "runs/s", "ms/run", "points/run"], ...rows], "lrrrr"), "");
  }
  if (state !== null) lines.push(...stateTables(state));
  if (restores.length > 0) lines.push(...restoreTable(restores));
  for (const one of seeking) lines.push(...seekTable(one), "");
  if (crashes.length > 0) lines.push(...crashTable(crashes));
  const rows = targets.map(({ name, figure, wanted, sense, isMet }) => [name, short(figure), `${sense} ${short(wanted)}`, isMet ? "met" : "MISSED"]);
  if (rows.length > 0) lines.push(...table([["target", "figure", "wanted", ""], ...rows], "lrrl"), "");
  return lines.join("\n");
}

function seekTable({ name, steps, tracePoints, recordMilliseconds, prepareMilliseconds, kinds }: Sought): readonly string[] {
  const rows = kinds.map(({ kind, seeks, medianMilliseconds, worstMilliseconds }) => [
    kind,
    grouped(seeks),
    medianMilliseconds.toFixed(1),
    worstMilliseconds.toFixed(1),
  ]);
  const head = `seeking in ${name}: ${grouped(steps)} steps, ${grouped(tracePoints)} trace points; recorded in ${grouped(recordMilliseconds)} ms, prepared in ${grouped(prepareMilliseconds)} ms`;
  return [head, ...table([["seeks", "", "median ms", "worst ms"], ...rows], "lrrr")];
}

export function profileText(name: string, times: readonly SelfTime[], shown: number): string {
  const rows = times.slice(0, shown).map(({ name: fn, place, milliseconds, percent }) => [
    `${percent.toFixed(1)}%`,
    milliseconds.toFixed(0),
    fn,
    place,
  ]);
  return [`${name}: where the time goes (self time)`, "", ...table([["share", "ms", "function", "place"], ...rows], "rrll"), ""].join("\n");
}
