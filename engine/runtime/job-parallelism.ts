import type { CompletedCheckpoint } from "../checkpoint/checkpoint-metadata.ts";
import { readRegister, writeRegister } from "../checkpoint/register-writer.ts";
import type { Fence } from "../ports/coordination.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import type { ClusterConfig } from "./cluster-config.ts";

interface ParallelismRecord {
  readonly parallelism: number;
  /** The highest that an attempt may have run with. */
  readonly highest: number;
  readonly epoch: number;
}

/**
 * The parallelism that the job was asked to run with (Flink: the resource requirements of the adaptive
 * scheduler): a register "<job>/parallelism", so that a later leader knows it too. Null: as the job itself says.
 */
export class JobParallelism {
  current: number | null = null;
  /** The highest that was ever recorded; 0 where none was. */
  highest: number = 0;
  readonly #ports: ProcessPorts;
  readonly #key: string;
  readonly #fence: Fence;
  readonly #isActive: () => boolean;
  #version = 0;
  #writing = false;

  constructor(ports: ProcessPorts, { jobId, submission, restoreFrom }: ClusterConfig, fence: Fence, isActive: () => boolean) {
    this.#ports = ports;
    this.#key = submission === 1 ? `${jobId}/parallelism` : `${jobId}/parallelism/${submission}`;
    this.current = restoreFrom?.parallelism ?? null;
    this.#fence = fence;
    this.#isActive = isActive;
  }

  /** `latest`: what the job goes on from, perhaps what another version of it left, with more subtasks. */
  recover(latest: CompletedCheckpoint | null, done: () => void): void {
    this.highest = Math.max(0, ...(latest?.metadata.vertices.map(({ subtasks }) => subtasks.length) ?? []));
    readRegister(this.#ports, this.#key, this.#isActive, ({ value, version }) => {
      this.#version = version;
      if (value !== null) this.#take(JSON.parse(value) as ParallelismRecord);
      done();
    });
  }

  /** A change is being recorded: another one has to wait. */
  get isChanging(): boolean {
    return this.#writing;
  }

  /** Records a change, from `running` subtasks a vertex at most; `done` gets false where this leader was deposed. */
  change(parallelism: number, running: number, done: (recorded: boolean) => void): void {
    this.#writing = true;
    const highest = Math.max(this.highest, running, parallelism);
    const record: ParallelismRecord = { parallelism, highest, epoch: this.#fence.epoch };
    const write = { key: this.#key, expectedVersion: this.#version, value: JSON.stringify(record), fence: this.#fence };
    writeRegister(this.#ports, write, this.#isActive, (outcome) => {
      this.#writing = false;
      if (outcome.kind === "written") {
        this.#version = outcome.version;
        this.#take(record);
      }
      done(outcome.kind === "written");
    });
  }

  #take({ parallelism, highest }: ParallelismRecord): void {
    this.current = parallelism;
    this.highest = Math.max(this.highest, highest);
  }
}
