import { describe, expect, it } from "vitest";
import { localCopiesOracle } from "#whitewater/simulator/oracles/local-copies.js";
import type { Host } from "#whitewater/simulator/world/sim-process.js";
import { crashAt, onEvent, WatchedWorld, type WatchOptions } from "./watched-world.ts";

const SUM = "sum -> counts[0]";
/** Between two checkpoints, the worker that runs the first subtasks. */
const HARMED_AT_US = 6_900_000;
const CRASH_LATER: NonNullable<WatchOptions["plan"]> = [crashAt("worker-1", 6_950_000)];

function watch(plan: WatchOptions["plan"] = CRASH_LATER): WatchedWorld {
  return new WatchedWorld(localCopiesOracle, { restore: "local", calm: true, parallelism: 4, ...(plan !== undefined && { plan }) });
}

/** The host that runs a subtask, and where its copies lie. */
function copiesOf(watched: WatchedWorld, task: string): { host: Host; paths: readonly string[] } {
  for (const { kind, engine, process } of watched.world.processes) {
    if (kind !== "worker") continue;
    const found = engine.tasks.find(({ name }) => name === task);
    if (found === undefined) continue;
    const own = `/slot-${found.id.subtask}/v${found.id.vertex}-s${found.id.subtask}-chk-`;
    const paths = watched.world.diskOf(process.host).inspect().map(({ path }) => path);
    return { host: process.host, paths: paths.filter((path) => path.includes(own)) };
  }
  throw new Error(`nobody runs ${task}`);
}

describe("the oracle of local copies", () => {
  it("is silent over crashes, power losses, replaced hosts, and to the end of the job", () => {
    const at = onEvent("checkpointNotified", SUM, 5);
    const plans: readonly NonNullable<WatchOptions["plan"]>[] = [
      CRASH_LATER,
      [{ kind: "host-crash", host: null, replace: false, at }],
      [{ kind: "host-crash", host: null, replace: true, at }],
      [{ kind: "disk-loss", host: null, at }],
    ];
    for (const plan of plans) {
      const watched = watch(plan);
      expect(watched.verdict()).toBe("nothing");
      const left = watched.world.hosts.flatMap((host) => watched.world.diskOf(host).inspect().map(({ path }) => path));
      expect(left.filter((path) => path.endsWith(".copy"))).toEqual([]);
    }
  });

  it("finds a copy that is lost, or is not what was stored, though nothing happened to the disk", () => {
    for (const harm of ["remove", "damage"] as const) {
      const watched = watch();
      watched.runUntil(HARMED_AT_US);
      const { host, paths } = copiesOf(watched, SUM);
      expect(paths).toHaveLength(1);
      const disk = watched.world.diskOf(host);
      const node = disk.nodeAt(paths[0] as string);
      if (harm === "remove") disk.unlink(paths[0] as string);
      else if (typeof node !== "number" && node.kind === "file") disk.write(node, Uint8Array.of(1), 50);
      expect(watched.verdict()).toMatch(/^sum -> counts\[0\] finds no intact copy of checkpoint \d+ on host-\d, which stored one$/);
    }
  });

  it("finds a copy that should have gone when the subtask was restored, and when it finished", () => {
    for (const plan of [CRASH_LATER, []]) {
      const watched = watch(plan);
      watched.runUntil(HARMED_AT_US);
      for (const task of [SUM, "sum -> counts[1]"]) {
        const { host, paths } = copiesOf(watched, task);
        const path = paths[0] as string;
        // The worker that lives does not know of it.
        watched.world.diskOf(host).link(path, path.replace(/chk-\d+/, "chk-1"));
      }
      const what = plan.length > 0 ? "was restored from checkpoint \\d" : "finished";
      expect(watched.verdict()).toMatch(new RegExp(`${what}, and host-\\d still holds its copy of checkpoint 1$`));
    }
  });

  it("is silent where a worker crashes after a subtask that finishes has taken its copies away", () => {
    const watched = watch([{ kind: "process-crash", process: null, at: onEvent("localCopiesPruned", SUM, -1) }]);
    expect(watched.verdict()).toBe("nothing");
    expect(watched.world.kernel.faultOutcomes().map(({ outcome }) => outcome)).toEqual(["fired"]);
  });

  it("says nothing of jobs that keep no copies", () => {
    expect(() => new WatchedWorld(localCopiesOracle)).toThrow("local copies does not apply to word-count");
  });
});
