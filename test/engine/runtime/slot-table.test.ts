import { describe, expect, it } from "vitest";
import type { FailoverRegion } from "#whitewater/engine/graph/failover-regions.js";
import type { RestoreStrategyName } from "#whitewater/engine/graph/job-modes.js";
import type { ClusterConfig } from "#whitewater/engine/runtime/cluster-config.js";
import { SlotTable } from "#whitewater/engine/runtime/slot-table.js";
import type { EnginePorts } from "#whitewater/engine/runtime/task-manager.js";
import type { RegisteredWorker } from "#whitewater/engine/runtime/worker-registry.js";
import { WorkerRegistry } from "#whitewater/engine/runtime/worker-registry.js";
import { FakeProcess } from "../operators/fake-process.ts";

type Worker = readonly [address: string, slots: number, held?: readonly number[]];

/** A registry and what it hands out; the latest incarnation of a worker counts. */
class Workers {
  readonly registry: WorkerRegistry;
  readonly table: SlotTable;
  #incarnation = 0;

  constructor(restore: RestoreStrategyName, ...workers: readonly Worker[]) {
    const config = { heartbeatIntervalMs: 1000, heartbeatTimeoutMs: 1000 } as ClusterConfig;
    this.registry = new WorkerRegistry(this.process.ports as EnginePorts, config, 1, {
      workerJoined: () => undefined,
      workerLost: (worker: RegisteredWorker) => void this.lost.push(worker.address),
    });
    this.table = new SlotTable(this.registry, restore);
    this.register(...workers);
  }

  readonly process: FakeProcess = new FakeProcess();
  readonly lost: string[] = [];

  register(...workers: readonly Worker[]): void {
    this.#incarnation += 1;
    for (const [address, slots, held] of workers) this.registry.register(address, this.#incarnation, slots, held);
  }

  /** Which worker each subtask of the whole job runs on. */
  assign(parallelism: number): readonly string[] | null {
    const subtasks = Array.from({ length: parallelism }, (_, subtask) => ({ vertex: 0, subtask }));
    const region: FailoverRegion = { index: 0, subtasks };
    return this.table.assign([region], true)?.map(({ worker }) => worker) ?? null;
  }
}

describe("the slots of a job", () => {
  it("are spread over the workers in turn where nothing is known of before", () => {
    expect(new Workers("local", ["w2", 2], ["w1", 2], ["w3", 1]).assign(5)).toEqual(["w1", "w2", "w3", "w1", "w2"]);
    expect(new Workers("local", ["w1", 2], ["w2", 1]).assign(4)).toBeNull();
  });

  it("stay where they were, also at a worker that started anew, in whatever order the workers come", () => {
    for (const restore of ["local", "incremental"] as const) {
      const workers = new Workers(restore, ["w2", 2], ["w3", 2]);
      expect(workers.assign(3)).toEqual(["w2", "w3", "w2"]);
      workers.register(["w1", 2], ["w3", 2]);
      expect(workers.assign(3)).toEqual(["w2", "w3", "w2"]);
    }
  });

  it("are dealt out anew where no restore looks at a host", () => {
    const workers = new Workers("full", ["w2", 2], ["w3", 2]);
    expect(workers.assign(3)).toEqual(["w2", "w3", "w2"]);
    workers.register(["w1", 2]);
    expect(workers.assign(3)).toEqual(["w1", "w2", "w3"]);
  });

  it("are never more of a worker than it has, whatever it had before", () => {
    const workers = new Workers("local", ["w1", 3]);
    expect(workers.assign(3)).toEqual(["w1", "w1", "w1"]);
    workers.register(["w1", 1], ["w2", 3]);
    expect(workers.assign(3)).toEqual(["w1", "w2", "w2"]);
  });

  it("of more subtasks than before leave the old ones in place", () => {
    const workers = new Workers("local", ["w2", 2]);
    workers.assign(2);
    workers.register(["w1", 2]);
    expect(workers.assign(4)).toEqual(["w2", "w2", "w1", "w1"]);
  });

  it("come from the worker that holds copies, where nobody remembers where the subtask was", () => {
    const workers = new Workers("local", ["w1", 2, []], ["w2", 2, [0, 3]], ["w3", 2, [1]]);
    expect(workers.assign(4)).toEqual(["w2", "w3", "w1", "w2"]);
  });
});
