import { cpus } from "node:os";
import type { Explored } from "./exploring.ts";
import type { SelfTime } from "./profile.ts";
import type { Measured } from "./rounds.ts";

/** A figure that the project wants to reach, and what it was this time. */
export interface Target {
  readonly name: string;
  readonly figure: number;
  readonly atLeast: number;
  readonly isMet: boolean;
}

export interface BenchDocument {
  readonly node: string;
  readonly cpu: string;
  readonly throughput: readonly Measured[];
  readonly exploring: readonly Explored[];
  readonly targets: readonly Target[];
}

export function target(name: string, figure: number, atLeast: number): Target {
  return { name, figure, atLeast, isMet: figure >= atLeast };
}

export function machine(): { readonly node: string; readonly cpu: string } {
  return { node: process.version, cpu: `${cpus()[0]?.model.trim() ?? "unknown"} x ${cpus().length}` };
}

export function asText({ node, cpu, throughput, exploring, targets }: BenchDocument): string {
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
  const rows = targets.map(({ name, figure, atLeast, isMet }) => [name, short(figure), `>= ${short(atLeast)}`, isMet ? "met" : "MISSED"]);
  if (rows.length > 0) lines.push(...table([["target", "figure", "wanted", ""], ...rows], "lrrl"), "");
  return lines.join("\n");
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

function table(rows: readonly (readonly string[])[], alignment: string): string[] {
  const widths = [...alignment].map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (alignment[column] === "r" ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  const [head = [], ...rest] = rows;
  return [line(head), "-".repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...rest.map(line)];
}

function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

function short(value: number): string {
  return value >= 1000 ? grouped(value) : value.toFixed(value < 10 ? 2 : 1);
}
