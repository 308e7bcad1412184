import type { InspectedName } from "../../../simulator/hosts/disk-inspection.ts";
import { inspectDisk } from "../../../simulator/hosts/disk-inspection.ts";
import type { World } from "../../../simulator/world/world.ts";
import { UsageError } from "../../files/usage-error.ts";
import { counted, grouped, nearest, seconds } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import type { Line, Span } from "../line.ts";
import { line, span } from "../line.ts";
import type { ListWindow, Windowed } from "./window.ts";
import { windowOf, windowText } from "./window.ts";

export interface HostProcessFacts {
  readonly name: string;
  readonly kind: "job-manager" | "worker";
  /** The latest. */
  readonly incarnation: number;
  readonly isAlive: boolean;
  /** Its events wait until then; null: it is not paused. */
  readonly pausedUntilUs: number | null;
  /** Of a worker. */
  readonly tasks: readonly { readonly name: string; readonly state: string; readonly attempt: number }[];
}

export interface HostFacts {
  readonly host: string;
  readonly isUp: boolean;
  readonly diskProfile: string;
  readonly processes: readonly HostProcessFacts[];
  readonly files: number;
  readonly sizeBytes: number;
  readonly unsyncedFiles: number;
  readonly unsyncedNames: number;
  readonly damagedFiles: number;
  readonly names: Windowed<InspectedName>;
}

export function hostNames(world: World): readonly string[] {
  return world.hosts.map(({ name }) => name);
}

export function hostFacts(world: World, name: string, window: ListWindow): HostFacts {
  const host = world.hosts.find((one) => one.name === name);
  if (host === undefined) {
    const near = nearest(name, hostNames(world));
    const reason = near === null ? "is none of this cluster" : `is none of this cluster (did you mean ${near}?)`;
    throw new UsageError(`the host ${visible(name)}`, reason, `choose one of: ${hostNames(world).join(", ")}`);
  }
  const names = inspectDisk(world.diskOf(host));
  const files = names.filter(({ kind, name: state }) => kind === "file" && state !== "removed");
  return {
    host: name,
    isUp: host.up,
    diskProfile: world.diskOf(host).profile,
    processes: world.placements().filter((one) => one.host === host).map((one) => processFacts(world, one.name, one.kind, one.incarnation)),
    files: files.length,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    unsyncedFiles: files.filter(({ unsyncedChanges, hasLostPages }) => unsyncedChanges > 0 || hasLostPages).length,
    unsyncedNames: names.filter(({ name: state }) => state !== "durable").length,
    damagedFiles: names.filter(({ damage }) => damage.length > 0).length,
    names: windowOf(names, window, ({ path }) => path, (one) => one),
  };
}

function processFacts(world: World, name: string, kind: HostProcessFacts["kind"], incarnation: number): HostProcessFacts {
  const living = world.processNamed(name);
  const pausedUntilUs = living?.process.pausedUntilUs ?? 0;
  const tasks = living?.kind === "worker" ? living.engine.tasks : [];
  return {
    name,
    kind,
    incarnation,
    isAlive: living !== null,
    pausedUntilUs: pausedUntilUs > world.nowUs ? pausedUntilUs : null,
    tasks: tasks.map((task) => ({ name: task.name, state: task.state, attempt: task.id.attempt })),
  };
}

export function hostLines(facts: HostFacts): readonly Line[] {
  const { host, isUp, diskProfile, processes, files, sizeBytes, unsyncedFiles, unsyncedNames, damagedFiles, names } = facts;
  const lines: Line[] = [line(isUp ? "  " : "! ", span(visible(host), "strong"), "  ", isUp ? span("up", "good") : span("down", "bad"))];
  for (const one of processes) lines.push(...processLines(one));
  lines.push(line(""));
  const said = [`${counted(files, "file")}, ${grouped(sizeBytes)} bytes`, `${unsyncedFiles} with unsynced contents`, `${unsyncedNames} names unsynced`];
  lines.push(line("  ", span(`disk (${diskProfile})`, "strong"), `  ${said.join(", ")}`, damagedFiles > 0 ? span(`, ${damagedFiles} damaged`, "bad") : ", none damaged"));
  for (const one of names.items) lines.push(...nameLines(one));
  const bounds = windowText(names);
  if (bounds !== "") lines.push(line("    ", span(`names ${bounds}`, "dim")));
  return lines;
}

function processLines({ name, incarnation, isAlive, pausedUntilUs, tasks }: HostProcessFacts): readonly Line[] {
  const state = isAlive ? (pausedUntilUs === null ? span("alive", "good") : span(`paused until ${seconds(pausedUntilUs)}`, "warn")) : span("dead", "bad");
  const lines = [line(isAlive && pausedUntilUs === null ? "  " : "! ", `  ${visible(name)}  `, state, `  incarnation ${incarnation}`)];
  for (const task of tasks) lines.push(line("      ", `${visible(task.name)}  `, span(task.state, task.state === "failed" ? "bad" : "plain"), span(`  attempt ${task.attempt}`, "dim")));
  return lines;
}

/** "*": something of it is unsynced. "-": removed, and may come back. "!": damaged. */
function nameLines({ path, kind, name, sizeBytes, durableBytes, unsyncedChanges, unsyncedBytes, hasLostPages, damage }: InspectedName): readonly Line[] {
  const isUnsynced = name === "unsynced" || unsyncedChanges > 0 || hasLostPages;
  const mark = damage.length > 0 ? span("! ", "bad") : name === "removed" ? span("- ", "changed") : isUnsynced ? span("* ", "changed") : span("  ");
  const said: (string | Span)[] = [];
  if (name === "unsynced") said.push(span("  name not synced", "warn"));
  if (name === "removed") said.push(span("  removed, which is not synced: a power loss may bring it back", "warn"));
  if (unsyncedChanges > 0) said.push(span(`  ${counted(unsyncedChanges, "unsynced change")} (${grouped(unsyncedBytes)} bytes), ${grouped(durableBytes)} bytes durable`, "warn"));
  if (hasLostPages) said.push(span("  a failed fsync: what is seen may not be on the disk", "bad"));
  const size = kind === "directory" ? "directory" : `${grouped(sizeBytes)} bytes`;
  const lines = [line(mark, `  ${visible(path)}  `, span(size, kind === "directory" ? "dim" : "plain"), ...said)];
  for (const one of damage) {
    lines.push(line(span("! ", "bad"), "      ", span(`${one.kind} at ${one.offset}${one.length > 1 ? `, ${one.length} bytes` : ""}`, "bad"), `  fault ${visible(one.fault)}`));
  }
  return lines;
}
