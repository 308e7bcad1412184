import type { TimeUs } from "../base/units.ts";
import { NO_CHECKPOINT, US_PER_MS } from "../base/units.ts";
import { TRACE } from "../ports/tracer.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ControlMessage, SlotAssignment } from "./messages.ts";
import type { EnginePorts } from "./task-manager.ts";

export interface RegisteredWorker {
  readonly address: string;
  readonly incarnation: number;
  readonly slots: number;
  /** Allocations of which it holds local copies. */
  readonly held: readonly number[];
  lastSeenUs: TimeUs;
}

export interface RegistryListener {
  workerJoined(): void;
  /** Everything that ran there is over, or will stop by itself. */
  workerLost(worker: RegisteredWorker): void;
}

/** The workers of one leader: who registered, and who answers heartbeats. */
export class WorkerRegistry {
  readonly #ports: EnginePorts;
  readonly #config: ClusterConfig;
  readonly #epoch: number;
  readonly #listener: RegistryListener;
  readonly #workers = new Map<string, RegisteredWorker>();
  #active = true;

  constructor(ports: EnginePorts, config: ClusterConfig, epoch: number, listener: RegistryListener) {
    this.#ports = ports;
    this.#config = config;
    this.#epoch = epoch;
    this.#listener = listener;
  }

  /** In order of address. */
  get workers(): readonly RegisteredWorker[] {
    return [...this.#workers.values()].sort((left, right) => (left.address < right.address ? -1 : 1));
  }

  register(address: string, incarnation: number, slots: number, held: readonly number[] = []): void {
    const known = this.#workers.get(address);
    if (known !== undefined) {
      if (known.incarnation > incarnation) return;
      // It registers again because it started anew, or stopped everything when it lost sight of us.
      this.#lose(known);
    }
    const worker: RegisteredWorker = { address, incarnation, slots, held, lastSeenUs: this.#ports.clock.nowUs() };
    this.#workers.set(address, worker);
    this.#ports.tracer.point(TRACE.workerRegistered, this.#ports.tracer.intern(address), incarnation, slots);
    this.#heartbeatLater(worker);
    this.#listener.workerJoined();
  }

  isRegistered(slot: SlotAssignment): boolean {
    return this.#workers.get(slot.worker)?.incarnation === slot.incarnation;
  }

  /** It said, when it registered, that it has local copies of that allocation. */
  holds(address: string, allocation: number): boolean {
    return this.#workers.get(address)?.held.includes(allocation) ?? false;
  }

  /** Slots beside the taken ones, spread over the workers in turn. */
  freeSlots(taken: readonly SlotAssignment[]): readonly SlotAssignment[] {
    const free: SlotAssignment[] = [];
    const workers = this.workers;
    const rounds = Math.max(0, ...workers.map((worker) => worker.slots));
    for (let round = 0; round < rounds; round += 1) {
      for (const { address, incarnation, slots } of workers) {
        const takenHere = taken.filter(({ worker }) => worker === address).length;
        if (round >= takenHere && round < slots) free.push({ worker: address, incarnation });
      }
    }
    return free;
  }

  close(): void {
    this.#active = false;
  }

  #heartbeatLater(worker: RegisteredWorker): void {
    this.#ports.scheduler.after(this.#config.heartbeatIntervalMs * US_PER_MS, () => {
      if (!this.#active || this.#workers.get(worker.address) !== worker) return;
      const silentUs = this.#ports.clock.nowUs() - worker.lastSeenUs;
      if (silentUs >= this.#config.heartbeatTimeoutMs * US_PER_MS) this.#lose(worker);
      else this.#heartbeat(worker);
    });
  }

  #heartbeat(worker: RegisteredWorker): void {
    const message: ControlMessage = {
      kind: "heartbeat",
      subject: this.#ports.tracer.intern(worker.address),
      checkpointId: NO_CHECKPOINT,
      epoch: this.#epoch,
      incarnation: worker.incarnation,
    };
    this.#ports.network.call(worker.address, message, this.#config.rpcTimeoutMs * US_PER_MS, (reply) => {
      if (!this.#active || this.#workers.get(worker.address) !== worker) return;
      if (reply.ok && reply.message.kind === "refused") this.#lose(worker);
      else if (reply.ok) worker.lastSeenUs = this.#ports.clock.nowUs();
    });
    this.#heartbeatLater(worker);
  }

  #lose(worker: RegisteredWorker): void {
    this.#workers.delete(worker.address);
    this.#ports.tracer.point(TRACE.workerLost, this.#ports.tracer.intern(worker.address), worker.incarnation, 0);
    this.#listener.workerLost(worker);
  }
}
