import type { World } from "../../../simulator/world/world.ts";
import { hostNames } from "./host-view.ts";
import { presentGraph } from "./operator-names.ts";

/** Something that can be looked into, for a list to choose from. */
export interface Inspectable {
  /** What `--show` takes: "state:sum", "state:sum[1]", "host:host-1", "jm-1", "blobs", "log". */
  readonly show: string;
  readonly kind: "operator" | "subtask" | "host" | "job-manager" | "blobs" | "log";
  /** What it is called, for people. */
  readonly name: string;
  /** A few more words: what runs there, what it is part of. */
  readonly detail: string;
}

/** Everything that there is at this moment, in a fixed order: operators with their subtasks, JobManagers, hosts, services. */
export function inspectables(world: World): readonly Inspectable[] {
  const found: Inspectable[] = [];
  for (const { name: vertex, chain, parallelism } of presentGraph(world).vertices) {
    for (const { uid, name, kind } of chain) {
      const alias = name === uid ? "" : `uid ${uid}, `;
      found.push({ show: `state:${uid}`, kind: "operator", name, detail: `${alias}${kind}, in ${vertex}` });
      for (let subtask = 0; subtask < parallelism; subtask += 1) {
        found.push({ show: `state:${uid}[${subtask}]`, kind: "subtask", name: `${name}[${subtask}]`, detail: vertex });
      }
    }
  }
  const placements = world.placements();
  for (const { name, kind, host } of placements) {
    if (kind === "job-manager") found.push({ show: name, kind: "job-manager", name, detail: `on ${host.name}` });
  }
  for (const name of hostNames(world)) {
    const processes = placements.filter(({ host }) => host.name === name).map((one) => one.name);
    found.push({ show: `host:${name}`, kind: "host", name, detail: processes.join(", ") });
  }
  found.push({ show: "blobs", kind: "blobs", name: "blob store", detail: "files of checkpoints and savepoints" });
  found.push({ show: "log", kind: "log", name: "external log", detail: "input and output topics, transactions" });
  return found;
}
